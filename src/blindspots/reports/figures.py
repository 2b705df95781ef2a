"""Plots that notebooks share, all in one style: curves over seeds, distributions, compared values, heat maps.

Every builder returns a matplotlib figure that belongs to no window; `Record.figure` stores and shows it. Series differ
in color and in marker, dash pattern or hatching. Colors and ink come from `reports.style`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from blindspots.reports.rules import NOT_ATTEMPTED, NOT_REPRODUCED, PARTLY, REPRODUCED
from blindspots.reports.style import (
    DIVERGING,
    INK,
    MARKERS,
    PALETTE,
    SEQUENTIAL,
    SOFT,
    line_look,
    new_figure,
    theme,
)

VERDICT_LOOKS = {
    REPRODUCED: ("#007a55", ""),
    PARTLY: ("#8f6500", "///"),
    NOT_REPRODUCED: ("#b8402e", "xxx"),
    NOT_ATTEMPTED: ("#6b6f76", "|||"),
}
"""Color and hatching of each verdict: white text is legible on the color, the color stands out on both pages."""


def curves_with_bands(
    frame: Any,
    *,
    x: str,
    y: str,
    x_label: str,
    y_label: str,
    hue: str | None = None,
    x_scale: str = "linear",
    y_scale: str = "linear",
    references: Mapping[str, float] | None = None,
    markers: bool = True,
    height: float = 3.4,
) -> Figure:
    """Plot a mean against a parameter for each series, in a band from the smallest to the largest repetition.

    Args:
        frame: a DataFrame, or what makes one; rows with the same x and hue are repetitions, such as seeds.
        x, y, hue: columns; without hue there is one series.
        x_label, y_label: what the axes show, with units.
        x_scale, y_scale: "linear", "log" or "symlog".
        references: horizontal lines by name, for example {"clean accuracy": 0.98}.
        markers: False leaves them out, for curves of many points.
        height: inches.

    Raises:
        ValueError: a missing column, no rows, NaN, or values that a logarithmic scale cannot show.
    """
    data = _frame(frame, [name for name in (x, y, hue) if name is not None], numeric=(x, y))
    for name, scale in ((x, x_scale), (y, y_scale)):
        if scale == "log" and data[name].min() <= 0:
            raise ValueError(f"{name}: expected values > 0 on a logarithmic scale, got {data[name].min():g}")
    with theme():
        figure, axes = _one_plot(height, x_label, y_label, grid="both")
        series = [("", data)] if hue is None else list(data.groupby(hue, sort=False))
        for index, (name, rows) in enumerate(series):
            over = rows.groupby(x, sort=True)[y]
            mean, low, high = over.mean(), over.min(), over.max()
            look = line_look(index) | ({} if markers else {"marker": ""})
            axes.plot(mean.index, mean.to_numpy(), label=str(name), **look)
            if (low < high).any():
                axes.fill_between(mean.index, low, high, color=look["color"], alpha=0.22, linewidth=0)
        _reference_lines(axes, references or {})
        for axis, scale in (("x", x_scale), ("y", y_scale)):
            if scale == "log":
                _log_scale(axes, axis)
            else:
                axes.set(**{f"{axis}scale": scale})
        if hue is not None and len(series) < 4:
            axes.legend(title=None, handlelength=3.2)
        elif hue is not None:  # inside, so many names would cover the lines
            figure.legend(loc="outside upper center", ncols=4, handlelength=3.2)
    return figure


def box_and_cdf(
    samples: Mapping[str, Any], *, label: str, log: bool = False, height: float = 3.4
) -> Figure:
    """Show samples side by side, as boxes and as cumulative shares.

    Boxes hold the middle half with the median; whiskers reach the 5th and the 95th percentile.

    Args:
        samples: (N,) values by name, each with at least two.
        label: what the values are, with unit.
        log: a logarithmic axis for the values.

    Raises:
        ValueError: no samples, fewer than two values, NaN, or values <= 0 on a logarithmic axis.
    """
    values = {str(name): _vector(sample, str(name), fewest=2) for name, sample in samples.items()}
    if not values:
        raise ValueError("samples: expected at least one sample, got none")
    if log and min(sample.min() for sample in values.values()) <= 0:
        raise ValueError("samples: expected values > 0 on a logarithmic axis")
    with theme():
        figure = new_figure(height=max(height, 1.2 + 0.42 * len(values)))
        boxes, shares = figure.subplots(1, 2)
        for index, (name, sample) in enumerate(values.items()):
            look = line_look(index)
            _box(boxes, index, sample, look["color"])
            sns.ecdfplot(x=sample, ax=shares, label=name, color=look["color"], linestyle=look["linestyle"])
        boxes.set_yticks(range(len(values)), list(values))
        boxes.tick_params(axis="y", length=0)
        boxes.set_ylim(len(values) - 0.5, -0.5)
        if log:
            _log_scale(boxes, "x")
            _log_scale(shares, "x")
        boxes.set(xlabel=label, ylabel="")
        shares.set(xlabel=label, ylabel="share at or below", ylim=(0, 1.02))
        shares.grid(True)
        boxes.grid(True, axis="x")
        shares.legend(handlelength=3.2)
    return figure


def forest(
    values: Mapping[str, Any],
    *,
    label: str,
    references: Mapping[str, float] | None = None,
    format: str = ".3g",
    log: bool = False,
) -> Figure:
    """Compare values with their intervals, one row each, the number printed at its right.

    Args:
        values: by name a number, or (value, low, high).
        label: what the values are, with unit.
        references: vertical lines by name, for example the paper's value.
        format: how the numbers are printed.
        log: a logarithmic axis.

    Raises:
        ValueError: no values, NaN, or a value outside its interval.
    """
    rows = _intervals(values)
    with theme():
        figure, axes = _one_plot(0.9 + 0.36 * len(rows) + 0.25 * bool(references), label, "", grid="x")
        for index, (value, low, high) in enumerate(rows.values()):
            color, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
            if low < high:
                axes.plot([low, high], [index, index], color=color, linestyle="-", solid_capstyle="butt")
            axes.plot(value, index, color=color, marker=marker, linestyle="none", markersize=7)
        _reference_lines(axes, references or {}, vertical=True)
        if log:
            _log_scale(axes, "x")
        _row_names(axes, list(rows), [format_number(value, format) for value, _, _ in rows.values()])
    return figure


def bars(
    values: Mapping[str, Any],
    *,
    label: str,
    references: Mapping[str, float] | None = None,
    format: str = ".3g",
) -> Figure:
    """Compare amounts that start at zero, one bar each, with intervals and the number at the right.

    The arguments are those of `forest`; use that one where zero means nothing.
    """
    rows = _intervals(values)
    with theme():
        figure, axes = _one_plot(0.9 + 0.36 * len(rows) + 0.25 * bool(references), label, "", grid="x")
        for index, (value, low, high) in enumerate(rows.values()):
            axes.barh(index, value, color=PALETTE[index % len(PALETTE)], height=0.6)
            if low < high:
                axes.plot([low, high], [index, index], color=INK, linestyle="-", linewidth=1.2)
        axes.axvline(0, color=INK, linewidth=0.8, linestyle="-")
        _reference_lines(axes, references or {}, vertical=True)
        _row_names(axes, list(rows), [format_number(value, format) for value, _, _ in rows.values()])
    return figure


def heat_map(
    matrix: Any,
    *,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    label: str,
    row_title: str = "",
    column_title: str = "",
    format: str = ".2f",
    diverging: bool = False,
) -> Figure:
    """Show a matrix as colored cells with their numbers.

    Args:
        matrix: (rows, columns); NaN leaves a cell empty.
        row_labels, column_labels: one per row, one per column.
        label: what the numbers are, with unit.
        row_title, column_title: what rows and columns are.
        format: how the numbers are printed.
        diverging: colors around zero, blue below and red above, on a symmetric scale.

    Raises:
        ValueError: not a matrix, no finite number in it, or a wrong number of labels.
    """
    table = np.asarray(matrix.detach().cpu() if hasattr(matrix, "detach") else matrix, dtype=float)
    if table.ndim != 2 or table.shape != (len(row_labels), len(column_labels)):
        wanted = (len(row_labels), len(column_labels))
        raise ValueError(f"matrix: expected shape {wanted}, one per label, got {table.shape}")
    if not np.isfinite(table).any() or np.isinf(table).any():
        raise ValueError("matrix: expected finite numbers (NaN for an empty cell), got none or infinity")
    most = float(np.nanmax(np.abs(table))) or 1.0
    scale = {"cmap": DIVERGING, "vmin": -most, "vmax": most} if diverging else {"cmap": SEQUENTIAL}
    with theme():
        figure = new_figure(height=1.0 + 0.42 * len(row_labels))
        axes = figure.subplots()
        sns.heatmap(
            table, annot=True, fmt=format, ax=axes, linewidths=0, xticklabels=list(column_labels),
            yticklabels=list(row_labels), cbar_kws={"label": label}, annot_kws={"fontsize": 9.5}, **scale,
        )  # fmt: skip
        axes.set(xlabel=column_title, ylabel=row_title)
        axes.tick_params(length=0, rotation=0)
    return figure


def verdict_bars(counts: Mapping[str, Mapping[str, int]], *, titles: Mapping[str, str] | None = None) -> Figure:
    """Show how many claims of each part have each verdict, as stacked bars with their numbers.

    Args:
        counts: numbers by part and verdict, as `Scorecard.counts` returns them.
        titles: the parts' names as printed; a part without one keeps its own.

    Raises:
        ValueError: no counts, or an unknown verdict.
    """
    unknown = {verdict for row in counts.values() for verdict in row} - set(VERDICT_LOOKS)
    if not counts or unknown:
        raise ValueError(f"counts: expected verdicts of {', '.join(VERDICT_LOOKS)}; got {unknown or 'no parts'}")
    with theme():
        figure, axes = _one_plot(0.95 + 0.42 * len(counts), "claims", "", grid="")
        for row, numbers in enumerate(counts.values()):
            left = 0
            for verdict, (color, hatch) in VERDICT_LOOKS.items():
                number = numbers.get(verdict, 0)
                if number:
                    axes.barh(row, number, left=left, height=0.72, color=color)
                    _hatched_edge(axes, row, left, number, hatch)
                    axes.text(left + number / 2, row, str(number), color="white", ha="center", va="center")
                left += number
        handles = [
            axes.barh(0, 0, color=color, hatch=hatch * 2, edgecolor="white", linewidth=0, label=verdict)
            for verdict, (color, hatch) in VERDICT_LOOKS.items()
        ]
        names = [(titles or {}).get(part, part) for part in counts]
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(handles=handles, loc="outside upper center", ncols=4, handlelength=1.8)
    return figure


def format_number(value: float, spec: str) -> str:
    """Return a number as printed beside a row, with a true minus sign."""
    return format(value, spec).replace("-", "−")


def _box(axes: Axes, row: int, sample: np.ndarray, color: str) -> None:
    low, first, median, third, high = np.percentile(sample, (5, 25, 50, 75, 95))
    axes.plot([low, high], [row, row], color=INK, linestyle="-", linewidth=1.0)
    axes.barh(row, third - first, left=first, height=0.5, color=color, edgecolor=INK, linewidth=0.8)
    axes.plot([median, median], [row - 0.25, row + 0.25], color=INK, linestyle="-", linewidth=2.0)


def _hatched_edge(axes: Axes, row: int, left: float, number: float, hatch: str) -> None:
    """Hatch a strip along the segment's foot, so that the pattern does not run through the number."""
    if hatch:
        look = {"color": "none", "hatch": hatch * 2, "edgecolor": "white", "linewidth": 0}
        axes.barh(row + 0.31, number, left=left, height=0.1, **look)


def _one_plot(height: float, x_label: str, y_label: str, *, grid: str) -> tuple[Figure, Axes]:
    figure = new_figure(height=height)
    axes = figure.subplots()
    axes.set(xlabel=x_label, ylabel=y_label)
    if grid:
        axes.grid(True, axis=grid)
    return figure, axes


def _log_scale(axes: Axes, name: str) -> None:
    """Make an axis logarithmic; where it spans few powers of ten, label 2 and 5 times each of them too."""
    axes.set(**{f"{name}scale": "log"})
    axis = axes.xaxis if name == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    if np.log10(high / low) < 2.5:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _reference_lines(axes: Axes, references: Mapping[str, float], *, vertical: bool = False) -> None:
    for name, position in references.items():
        line = axes.axvline if vertical else axes.axhline
        line(position, color=SOFT, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
        where = (position, 1.0) if vertical else (1.0, position)
        move = axes.get_xaxis_transform() if vertical else axes.get_yaxis_transform()
        anchor = {"ha": "center", "va": "bottom"} if vertical else {"ha": "right", "va": "bottom"}
        axes.text(*where, name, transform=move, fontsize=9, **anchor)


def _row_names(axes: Axes, names: list[str], numbers: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(names)), numbers)
    right.tick_params(axis="y", length=0)
    right.spines["right"].set_visible(False)


def _frame(frame: Any, columns: Sequence[str], *, numeric: Sequence[str]) -> pd.DataFrame:
    data = frame if isinstance(frame, pd.DataFrame) else pd.DataFrame(frame)
    missing = [name for name in columns if name not in data.columns]
    if missing or data.empty:
        got = ", ".join(map(str, data.columns)) or "none"
        raise ValueError(f"frame: expected rows with the columns {', '.join(columns)}; got the columns {got}")
    if not np.isfinite(data[list(numeric)].to_numpy(dtype=float)).all():
        raise ValueError(f"frame: expected finite numbers in {', '.join(numeric)}, got NaN or infinity")
    return data


def _vector(values: Any, name: str, *, fewest: int) -> np.ndarray:
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=float)
    if array.ndim != 1 or len(array) < fewest or not np.isfinite(array).all():
        raise ValueError(f"{name}: expected at least {fewest} finite numbers (N,), got shape {array.shape}")
    return array


def _intervals(values: Mapping[str, Any]) -> dict[str, tuple[float, float, float]]:
    rows = {}
    for name, given in values.items():
        row = _vector(np.atleast_1d(given), str(name), fewest=1)
        value, low, high = row if len(row) == 3 else (row[0], row[0], row[0])
        if len(row) not in (1, 3) or not low <= value <= high:
            raise ValueError(f"{name}: expected a number or (value, low, high) in order, got {given!r}")
        rows[str(name)] = (float(value), float(low), float(high))
    if not rows:
        raise ValueError("values: expected at least one, got none")
    return rows
