"""Several heat maps of one grid side by side, with a marked point and lines: rows share their axes, columns a scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blindspots.reports.style import DIVERGING, PAGE_WIDTH, PALETTE, SEQUENTIAL, new_figure, theme

_MARK, _LINE = PALETTE[1], "#ffffff"


def heat_panels(
    panels: Mapping[str, Mapping[str, Any]],
    *,
    x_values: Sequence[float],
    y_values: Sequence[float],
    x_label: str,
    y_label: str,
    marks: Mapping[str, tuple[float, float]] | None = None,
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    format: str = ".0f",
    diverging: Sequence[str] = (),
) -> Figure:
    """Draw a heat map for each row and column name, the number in each cell.

    Args:
        panels: matrices (Y, X) by row name, then by column name (what the colors are, with unit); NaN leaves a cell
            empty. Every row has the same columns. A column's panels share one scale.
        x_values, y_values: the cells' positions, ascending; y grows upward.
        x_label, y_label: what they are.
        marks: points (x, y) by name, between cells or on them; points outside the cells are moved to the edge.
        lines: curves (xs, ys) by name.
        format: how the numbers are printed.
        diverging: columns whose colors are around zero, on a symmetric scale.

    Raises:
        ValueError: no panels, rows with other columns, a matrix of another shape or without a finite number, positions
            that do not ascend.
    """
    for name, values in (("x_values", x_values), ("y_values", y_values)):
        if not len(values) or any(second <= first for first, second in pairwise(values)):
            raise ValueError(f"{name}: expected ascending positions, got {list(values)}")
    columns = list(next(iter(panels.values()), {}))
    if not columns or any(list(row) != columns for row in panels.values()):
        raise ValueError(f"panels: expected rows with the same columns, got {[list(row) for row in panels.values()]}")
    tables = {
        (row, column): _table(matrix, f"panels: {row}, {column}", (len(y_values), len(x_values)))
        for row, given in panels.items()
        for column, matrix in given.items()
    }
    with theme():
        each = (PAGE_WIDTH - 0.6) / len(columns)
        height = min(each * len(y_values) / len(x_values), each, 0.55 * len(y_values)) + 0.35
        figure = new_figure(height=height * len(panels) + 0.9)
        grid = figure.subplots(len(panels), len(columns), squeeze=False, sharex=True, sharey=True)
        for across, column in enumerate(columns):
            shown = np.concatenate([tables[row, column].ravel() for row in panels])
            most = np.nanmax(np.abs(shown)) or 1.0
            limits = (-most, most) if column in diverging else (np.nanmin(shown), np.nanmax(shown))
            look = {"cmap": DIVERGING if column in diverging else SEQUENTIAL, "vmin": limits[0], "vmax": limits[1]}
            for down, row in enumerate(panels):
                axes = grid[down, across]
                image = axes.imshow(tables[row, column], origin="lower", aspect="auto", **look)
                _numbers(axes, tables[row, column], format, each, look)
                _draw_over(axes, x_values, y_values, marks or {}, lines or {})
                axes.set_title(f"{row}: {column}")
                axes.spines[:].set_visible(False)
                axes.set_xticks(range(len(x_values)), [f"{value:g}" for value in x_values])
                axes.set_yticks(range(len(y_values)), [f"{value:g}" for value in y_values])
                axes.tick_params(length=0, labelsize=8.5)
            figure.colorbar(image, ax=list(grid[:, across]), location="bottom", aspect=30, pad=0.02, label=column)
        for axes in grid[-1]:
            axes.set_xlabel(x_label)
        for axes in grid[:, 0]:
            axes.set_ylabel(y_label)
        handles, names = grid[0, 0].get_legend_handles_labels()
        if handles:
            legend = figure.legend(handles, names, loc="outside upper center", ncols=3, handlelength=2.6)
            legend.set_frame_on(True)
            legend.get_frame().set(facecolor="#5b6470", edgecolor="none")  # the lines are white, on either page
            for text in legend.get_texts():
                text.set_color("#ffffff")
    return figure


def _table(matrix: Any, where: str, shape: tuple[int, int]) -> np.ndarray:
    table = np.asarray(matrix.detach().cpu() if hasattr(matrix, "detach") else matrix, dtype=float)
    if table.shape != shape:
        raise ValueError(f"{where}: expected shape {shape}, y by x, got {table.shape}")
    if not np.isfinite(table).any() or np.isinf(table).any():
        raise ValueError(f"{where}: expected finite numbers (NaN for an empty cell), got none or infinity")
    return table


def _numbers(axes: Axes, table: np.ndarray, format: str, width: float, look: Mapping[str, Any]) -> None:
    colors = colormaps[look["cmap"]]
    span = (look["vmax"] - look["vmin"]) or 1.0
    size = min(9.0, 24 * (width - 0.6) / table.shape[1])
    for (y, x), value in np.ndenumerate(table):
        if np.isfinite(value):
            red, green, blue, _ = colors((value - look["vmin"]) / span)
            ink = "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#ffffff"
            axes.text(x, y, format_cell(value, format), ha="center", va="center", fontsize=size, color=ink)


def format_cell(value: float, format: str) -> str:
    """Return a number as printed in a cell: a true minus sign, and no minus before a zero."""
    text = f"{value:{format}}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def _draw_over(
    axes: Axes, x_values: Sequence[float], y_values: Sequence[float],
    marks: Mapping[str, tuple[float, float]], lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
) -> None:  # fmt: skip
    for name, (xs, ys) in lines.items():
        places = _places(xs, x_values), _places(ys, y_values)
        axes.plot(*places, color=_LINE, linestyle=(0, (4, 2)), linewidth=1.6, label=name)
    for name, (x, y) in marks.items():
        place = _places([x], x_values), _places([y], y_values)
        axes.plot(*place, marker="*", markersize=13, color=_MARK, markeredgecolor=_LINE, linestyle="none", label=name)
    axes.set(xlim=(-0.5, len(x_values) - 0.5), ylim=(-0.5, len(y_values) - 0.5))


def _places(values: Sequence[float], positions: Sequence[float]) -> np.ndarray:
    return np.interp(values, positions, np.arange(len(positions)))
