"""How every figure looks, and how one drawing becomes a light and a dark SVG.

Figures are drawn once, on no background, with two ink colors that nothing else uses; the dark variant is the same file
with those two replaced. Text becomes outlines, so a figure looks alike with any fonts and offline; what it says in
words is its alt text. The bytes depend on the drawing and on the versions of matplotlib and Pillow, on nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

from blindspots.reports.compact_svg import compact_svg

PAGE_WIDTH = 7.0
"""Inches: what a page's column of about 700 CSS pixels shows without scaling."""

LIGHT_PAGE, DARK_PAGE = "#ffffff", "#121212"
INK, SOFT = "#1f2328", "#7d828a"
"""Text and axes; grid lines and other helpers. Sentinels: no data may be drawn in them."""
DARK_INK, DARK_SOFT = "#e6e8eb", "#7b8088"

PALETTE = ("#2b97c9", "#db7420", "#4c9a73", "#b4318a", "#6d662a", "#6244f5")
"""Colors in the spirit of Okabe and Ito (2008), moved so that each stands out on a white and on a dark page and any
two stay apart for readers who see no red or no green."""
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (9, 3)))

SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"

_SETTINGS = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so text has the same outlines everywhere
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.labelcolor": INK,
    "boxplot.flierprops.markeredgecolor": INK,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": SOFT,
    "grid.alpha": 0.35,
    "grid.linewidth": 0.7,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=LINES),
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "image.interpolation": "none",
    "image.cmap": SEQUENTIAL,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "savefig.bbox": "standard",
    "figure.dpi": 100.0,
    "savefig.dpi": 100.0,
    "path.simplify": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "blindspots",
    "svg.image_inline": True,
}


@contextmanager
def theme() -> Iterator[None]:
    """Draw in the book's style inside the `with` block; the settings of matplotlib outside it stay as they were."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def new_figure(*, height: float, width: float = PAGE_WIDTH) -> Figure:
    """Return an empty figure of a size in inches that belongs to no window and shows itself nowhere."""
    return Figure(figsize=(width, height), layout="constrained")


def line_look(index: int) -> dict[str, object]:
    """Return color, marker and dash pattern of the index-th series, so that color is never the only cue."""
    turn = index + index // len(PALETTE)  # a seventh series has the first one's color with other marks
    return {
        "color": PALETTE[index % len(PALETTE)],
        "marker": MARKERS[turn % len(MARKERS)],
        "linestyle": LINES[turn % len(LINES)],
    }


def svg_pair(figure: Figure) -> tuple[bytes, bytes]:
    """Return the SVG of a figure for a white page and for a dark one.

    Raises:
        TypeError: not a matplotlib figure.
    """
    if not isinstance(figure, Figure):
        raise TypeError(f"figure: expected a matplotlib Figure, got {type(figure).__name__}; pass axes.figure")
    buffer = io.BytesIO()
    with theme():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    light = compact_svg(buffer.getvalue())
    return light, dark_variant(light)


def dark_variant(light: bytes) -> bytes:
    """Return the SVG for a dark page from that for a white one: the same file in other inks."""
    return light.replace(INK.encode(), DARK_INK.encode()).replace(SOFT.encode(), DARK_SOFT.encode())


def luminance(color: str) -> float:
    """Return the relative luminance in [0, 1] of a color "#rrggbb" (WCAG 2.2)."""
    channels = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio in [1, 21] of two colors "#rrggbb" (WCAG 2.2)."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
