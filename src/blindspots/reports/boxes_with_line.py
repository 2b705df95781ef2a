"""Samples as boxes beside a line that they are held against: P0's Figure 4.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from blindspots.reports.style import INK, MARKERS, PALETTE, new_figure, theme


def boxes_with_line(
    panels: Mapping[str, Mapping[str, Any]],
    *,
    label: str,
    lines: Mapping[str, float],
    line_label: str,
    height: float | None = None,
) -> Figure:
    """Show samples as boxes with every value as a point; panels side by side share the rows and the axis of values.

    Boxes hold the middle half with the median; whiskers reach the smallest and the largest value.

    Args:
        panels: by title, (N,) values by row name; every panel has the same rows, in the first one's order.
        label: what the values are, with unit.
        lines: by title, where that panel's vertical line stands.
        line_label: what the line is, written once.
        height: inches; None for what the rows need.

    Raises:
        ValueError: no panels, panels with other rows or without a line, an empty sample, or NaN.
    """
    rows = list(next(iter(panels.values()), {}))
    if not rows or any(set(panel) != set(rows) for panel in panels.values()) or set(lines) != set(panels):
        raise ValueError(
            f"panels: expected the same rows in each and a line for each, got rows "
            f"{[list(panel) for panel in panels.values()]} and lines {list(lines)}"
        )
    with theme():
        figure = new_figure(height=1.1 + 0.42 * len(rows) if height is None else height)
        every = np.atleast_1d(figure.subplots(1, len(panels), sharex=True, sharey=True))
        for axes, (title, panel) in zip(every, panels.items(), strict=True):
            for place, name in enumerate(rows):
                held = panel[name]
                sample = np.asarray(held.detach().cpu() if hasattr(held, "detach") else held, dtype=float)
                if sample.ndim != 1 or not len(sample) or not np.isfinite(sample).all():
                    raise ValueError(f"{title}, {name}: expected finite numbers (N,), got shape {sample.shape}")
                color = PALETTE[place % len(PALETTE)]
                low, first, middle, third, high = np.percentile(sample, (0, 25, 50, 75, 100))
                axes.plot([low, high], [place, place], color=INK, linestyle="-", linewidth=1.0)
                axes.barh(place, third - first, left=first, height=0.5, color=color, edgecolor=INK, linewidth=0.8)
                axes.plot([middle, middle], [place - 0.25, place + 0.25], color=INK, linestyle="-", linewidth=2.0)
                spread = place + 0.36 + 0.08 * (np.arange(len(sample)) % 2)  # below the box, in two lines
                marker = MARKERS[place % len(MARKERS)]
                axes.plot(sample, spread, marker=marker, markersize=2.5, linestyle="none", color=color)
            axes.axvline(lines[title], color=PALETTE[0], linestyle=(0, (4, 3)), linewidth=1.4, zorder=1)
            axes.set_title(title, loc="left")
            axes.set(xlabel=label, yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.45, -0.5))
            axes.tick_params(axis="y", length=0)
            axes.grid(True, axis="x")
        every[0].annotate(
            line_label, (lines[next(iter(panels))], len(rows) - 0.45), xytext=(3, 3), textcoords="offset points",
            fontsize=9,
        )  # fmt: skip
    return figure
