"""Two measures against each other, a mark per run: which methods no other beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blindspots.reports.style import INK, MARKERS, PALETTE, SOFT, new_figure, theme

Point = tuple[float, float]


def undominated(costs: Sequence[float], gains: Sequence[float]) -> list[bool]:
    """Return for each point whether none has a cost as low and a gain as high, and one of them better.

    Args:
        costs: less is better.
        gains: more is better, as many.
    """
    if len(costs) != len(gains):
        raise ValueError(f"gains: expected {len(costs)} numbers, one per cost, got {len(gains)}")
    points = list(zip(costs, gains, strict=True))
    return [not any(a <= cost and b >= gain and (a, b) != (cost, gain) for a, b in points) for cost, gain in points]


def pareto_scatter(runs: Mapping[str, Sequence[Point]], *, x_label: str, y_label: str, height: float = 4.0) -> Figure:
    """Plot every run as a small mark and each method's mean as a large one, with the front of the means as a line.

    Args:
        runs: points (cost, gain) by method: less of the first and more of the second is better.
        x_label, y_label: what the axes show, with units.
        height: inches.

    Raises:
        ValueError: no method, a method without runs, or numbers that are not finite.
    """
    with theme():
        figure = new_figure(height=height)
        axes = figure.subplots()
        _scatter(axes, _points(runs))
        axes.set(xlabel=x_label, ylabel=y_label)
        figure.legend(loc="outside upper center", ncols=4)
    return figure


def pareto_panels(
    panels: Mapping[str, Mapping[str, Sequence[Point]]], *, x_label: str, y_label: str, columns: int = 2
) -> Figure:
    """Plot several tasks side by side, each as `pareto_scatter` does, with one legend and scales of their own.

    Args:
        panels: by title, points by method; the same methods in each.
        x_label, y_label: what the axes show, with units.
        columns: panels in a line, at most.

    Raises:
        ValueError: no panel, panels with unlike methods, or what `pareto_scatter` refuses.
    """
    if not panels:
        raise ValueError("panels: expected points by method for at least one task, got none")
    found = {title: _points(runs) for title, runs in panels.items()}
    methods = list(next(iter(found.values())))
    for title, points in found.items():
        if list(points) != methods:
            raise ValueError(
                f"panels: expected the methods {', '.join(methods)} for {title!r}; got {', '.join(points)}"
            )
    lines = -(-len(found) // columns)
    with theme():
        figure = new_figure(height=0.7 + 3.2 * lines)
        grid = figure.subplots(lines, min(columns, len(found)), squeeze=False)
        for axes, (title, points) in zip(grid.flat, found.items(), strict=False):
            _scatter(axes, points)
            axes.set_title(title, loc="left")
            axes.set(xlabel=x_label, ylabel=y_label)
        for axes in list(grid.flat)[len(found) :]:
            axes.set_axis_off()
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


def _points(runs: Mapping[str, Sequence[Point]]) -> dict[str, np.ndarray]:
    if not runs:
        raise ValueError("runs: expected points by method, got none")
    points = {}
    for name, given in runs.items():
        array = np.asarray(given, dtype=float)
        if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
            raise ValueError(f"runs: expected finite (cost, gain) for {name!r}, got an array of shape {array.shape}")
        points[name] = array
    return points


def _scatter(axes: Axes, points: Mapping[str, np.ndarray]) -> None:
    means = np.array([array.mean(0) for array in points.values()])
    front = means[np.array(undominated(means[:, 0].tolist(), means[:, 1].tolist()))]
    front = front[front[:, 0].argsort()]
    axes.grid(True)
    axes.plot(front[:, 0], front[:, 1], color=SOFT, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
    for index, (name, array) in enumerate(points.items()):
        color = PALETTE[index % len(PALETTE)]
        marker = MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
        axes.scatter(array[:, 0], array[:, 1], s=22, color=color, marker=marker, alpha=0.55, linewidths=0, zorder=2)
        axes.scatter(
            *means[index], s=110, color=color, marker=marker, edgecolors=INK, linewidths=0.9, label=name, zorder=3
        )
