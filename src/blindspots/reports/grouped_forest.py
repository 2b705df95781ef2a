"""Several series with their intervals side by side in each row, in panels that share their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from blindspots.reports.style import MARKERS, PALETTE, SOFT, new_figure, theme

Rows = Mapping[str, Mapping[str, Any]]


def grouped_forest(panels: Mapping[str, Rows], *, label: str) -> Figure:
    """Plot values with intervals: a row for each thing measured, a mark in it for each series, a panel for each case.

    Args:
        panels: by title, by row, by series: a number, or (value, low, high). Rows and series are the same in all
            panels, in the first one's order.
        label: what the values are, with unit.

    Raises:
        ValueError: no panel, row or series, others than in the first panel, NaN, or a value outside its interval.
    """
    if not panels or not all(rows and all(rows.values()) for rows in panels.values()):
        raise ValueError("panels: expected at least one row and series in each, got none")
    first = next(iter(panels.values()))
    names, series = list(first), list(next(iter(first.values())))
    for title, rows in panels.items():
        if set(rows) != set(names) or any(set(values) != set(series) for values in rows.values()):
            raise ValueError(f"panels: expected the rows and series of the first in {title!r}, got others")
    step = 0.56 / max(1, len(series) - 1)
    with theme():
        figure = new_figure(height=1.1 + 0.17 * len(names) * (1 + len(series)))
        all_axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (title, rows) in zip(all_axes, panels.items(), strict=True):
            for turn, name in enumerate(series):
                look = turn % len(PALETTE)
                for index, row in enumerate(names):
                    value, low, high = _interval(rows[row][name], f"{title}, {row}, {name}")
                    height = index + (turn - (len(series) - 1) / 2) * step
                    if low < high:
                        axes.plot([low, high], [height] * 2, color=PALETTE[look], linestyle="-", linewidth=1.4)
                    axes.plot(
                        value, height, color=PALETTE[look], marker=MARKERS[look], linestyle="none", markersize=5.5,
                        label=name if index == 0 else "_",
                    )  # fmt: skip
            for index in range(1, len(names)):
                axes.axhline(index - 0.5, color=SOFT, linewidth=0.5, alpha=0.5)
            axes.set(title=title, xlabel=label)
            axes.grid(True, axis="x")
            axes.tick_params(axis="y", length=0)
        all_axes[0].set_yticks(range(len(names)), names)
        all_axes[0].set_ylim(len(names) - 0.5, -0.5)
        handles, found = all_axes[0].get_legend_handles_labels()
        figure.legend(handles, found, loc="outside upper center", ncols=4)
    return figure


def _interval(given: Any, where: str) -> tuple[float, float, float]:
    row = np.atleast_1d(np.asarray(given, dtype=float))
    value, low, high = row if row.shape == (3,) else (row[0], row[0], row[0])
    if row.shape not in ((1,), (3,)) or not np.isfinite(row).all() or not low <= value <= high:
        raise ValueError(f"{where}: expected a number or (value, low, high) in order, got {given!r}")
    return float(value), float(low), float(high)
