"""Groups as points, with size and color by their numbers of images, and the line that was fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from blindspots.reports.style import INK, SEQUENTIAL, line_look, new_figure, theme

_AREA = (14.0, 150.0)  # of the smallest and the largest group's point, square points
_SIZES = 6  # sizes of points; few keep the file small, since points of one size share an outline


def group_line(
    covariate: Any,
    values: Any,
    counts: Any,
    *,
    lines: Mapping[str, tuple[float, float]],
    x_label: str,
    y_label: str,
    names: Mapping[int, str] | None = None,
    height: float = 3.8,
) -> Figure:
    """Plot a value of each group against its covariate, on a logarithmic axis, with fitted lines.

    Args:
        covariate: (G,) > 0, for instance income; lines are straight in its logarithm.
        values: (G,).
        counts: (G,) images per group, > 0; area (in six steps) and color of a point.
        lines: by name (intercept, slope) in the natural logarithm of the covariate.
        x_label, y_label: what the axes show, with units.
        names: of groups to name beside their points, by place.
        height: inches.

    Raises:
        ValueError: lengths that do not fit, no groups, NaN, or a covariate or counts <= 0.
    """
    x, y, n = (np.asarray(part, dtype=float) for part in (covariate, values, counts))
    if x.ndim != 1 or not len(x) or x.shape != y.shape or x.shape != n.shape:
        raise ValueError(f"values: expected one per group ({len(np.atleast_1d(x))}), got {y.shape} and {n.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x > 0).all() and (n > 0).all()):
        raise ValueError("covariate, values, counts: expected finite numbers, covariate and counts > 0")
    largest = max(n.max(), n.min() + 1)
    level = np.round((_SIZES - 1) * (n - n.min()) / (largest - n.min()))
    area = _AREA[0] + (_AREA[1] - _AREA[0]) * level / (_SIZES - 1)
    norm = LogNorm(n.min(), largest)
    with theme():
        figure = new_figure(height=height)
        axes = figure.subplots()
        axes.grid(True)
        for size in np.unique(area):
            own = area == size
            axes.scatter(
                x[own], y[own], s=size, c=n[own], cmap=SEQUENTIAL, norm=norm, edgecolors=INK, linewidths=0.6, zorder=3
            )
        points = ScalarMappable(norm, SEQUENTIAL)
        ends = np.array([x.min(), x.max()])
        for index, (name, (intercept, slope)) in enumerate(lines.items()):
            look = line_look(index) | {"marker": ""}
            axes.plot(ends, intercept + slope * np.log(ends), label=name, zorder=2, **look)
        for place, name in (names or {}).items():
            axes.annotate(name, (x[place], y[place]), xytext=(7, 8), textcoords="offset points", fontsize=8.5)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        bar = figure.colorbar(points, ax=axes, label="images", format=FuncFormatter(lambda value, _: f"{value:,.0f}"))
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        bar.ax.yaxis.set_minor_formatter(NullFormatter())
        if lines:
            axes.legend(handlelength=3.2, loc="lower right")
    return figure
