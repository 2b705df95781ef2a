"""Figures of the granularity check: printed percentages over a grid of fractions, and hits against the sample size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from blindspots.reports.style import INK, MARKERS, PALETTE, SOFT, new_figure, theme


def values_on_grid(
    panels: Mapping[int, Mapping[str, Sequence[tuple[float, bool]]]], *, low: float = 70.0, high: float = 96.0
) -> Figure:
    """Draw printed percentages over the grid k / n, one panel for each n; filled marks are on the grid.

    Args:
        panels: by n, by row name, the (percentage, whether some k / n prints as it) of the row's cells.
        low, high: range of percentages shown; cells outside are left out.

    Raises:
        ValueError: no panels, no rows in one, or low not below high.
    """
    if not panels or not all(panels.values()):
        raise ValueError("panels: expected at least one n with at least one row, got none")
    if not low < high:
        raise ValueError(f"high: expected more than low, got low {low!r} and high {high!r}")
    sizes = [1.0 + 0.34 * len(rows) for rows in panels.values()]
    with theme():
        figure = new_figure(height=0.5 + sum(sizes))
        column = figure.subplots(len(panels), 1, sharex=True, height_ratios=sizes, squeeze=False)[:, 0]
        for axes, (n, rows) in zip(column, panels.items(), strict=True):
            grid = [100 * k / n for k in range(n + 1) if low <= 100 * k / n <= high]
            axes.vlines(grid, -0.6, len(rows) - 0.4, color=SOFT, linewidth=0.8, linestyle="-", zorder=1)
            for index, (name, cells) in enumerate(rows.items()):
                for on in (False, True):
                    shown = [value for value, hit in cells if bool(hit) == on and low <= value <= high]
                    color = PALETTE[index % len(PALETTE)]
                    axes.plot(
                        shown, [index] * len(shown), linestyle="none", marker=MARKERS[index % len(MARKERS)],
                        color=color, markerfacecolor=color if on else "none", markersize=6.5, zorder=3,
                        label=f"{name}: {'on' if on else 'off'}",
                    )  # fmt: skip
            names = [f"{name}  {sum(hit for _, hit in cells)}/{len(cells)}" for name, cells in rows.items()]
            axes.set_yticks(range(len(rows)), names)
            axes.tick_params(axis="y", length=0)
            axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(low, high))
            axes.set_title(f"grid k / {n}", loc="left")
        column[-1].set_xlabel("printed accuracy, %")
    return figure


def size_scan(series: Mapping[str, Sequence[float]], *, label: str, marked: Sequence[int] = ()) -> Figure:
    """Draw a number for every sample size 1, 2, ... as upright lines; one panel for each series, on one scale.

    Args:
        series: by name, the numbers for the sizes 1 to S.
        label: what the numbers are.
        marked: sizes that get a dashed line with their number.

    Raises:
        ValueError: no series, an empty one, or NaN.
    """
    curves = {name: np.asarray(values, dtype=float) for name, values in series.items()}
    if not curves or any(c.ndim != 1 or not len(c) or not np.isfinite(c).all() for c in curves.values()):
        raise ValueError("series: expected at least one list of finite numbers, got none or NaN")
    with theme():
        figure = new_figure(height=0.8 + 0.85 * len(curves))
        column = figure.subplots(len(curves), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for index, (axes, (name, values)) in enumerate(zip(column, curves.items(), strict=True)):
            for size in marked:
                axes.axvline(size, color=SOFT, linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)
            sizes = np.arange(1, len(values) + 1)
            axes.vlines(sizes, 0, values, color=PALETTE[index % len(PALETTE)], linewidth=1.6, linestyle="-", label=name)
            axes.text(0.995, 0.92, name, transform=axes.transAxes, ha="right", va="top", fontsize=9.5, color=INK)
            axes.grid(True, axis="y")
        longest = max(map(len, curves.values()))
        for size in marked:  # two numbers close to each other move apart
            beside = [other - size for other in marked if 0 < abs(other - size) < 0.05 * longest]
            side = "center" if not beside else "right" if min(beside) > 0 else "left"
            top = column[0].get_xaxis_transform()
            column[0].text(size, 1.02, str(size), transform=top, ha=side, va="bottom", fontsize=9, color=INK)
        column[-1].set_xlabel("number of images n")
        figure.supylabel(label, fontsize=10.5)
    return figure
