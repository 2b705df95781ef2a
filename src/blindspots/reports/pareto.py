"""Two measures against each other, a mark per run: which methods no other beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
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
    if not runs:
        raise ValueError("runs: expected points by method, got none")
    points = {}
    for name, given in runs.items():
        array = np.asarray(given, dtype=float)
        if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
            raise ValueError(f"runs: expected finite (cost, gain) for {name!r}, got an array of shape {array.shape}")
        points[name] = array
    means = np.array([array.mean(0) for array in points.values()])
    front = means[np.array(undominated(means[:, 0].tolist(), means[:, 1].tolist()))]
    front = front[front[:, 0].argsort()]
    with theme():
        figure = new_figure(height=height)
        axes = figure.subplots()
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.grid(True)
        axes.plot(front[:, 0], front[:, 1], color=SOFT, linestyle=(0, (4, 3)), linewidth=1.2, zorder=1)
        for index, (name, array) in enumerate(points.items()):
            color = PALETTE[index % len(PALETTE)]
            marker = MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
            axes.scatter(array[:, 0], array[:, 1], s=22, color=color, marker=marker, alpha=0.55, linewidths=0, zorder=2)
            axes.scatter(
                *means[index], s=110, color=color, marker=marker, edgecolors=INK, linewidths=0.9, label=name, zorder=3
            )
        figure.legend(loc="outside upper center", ncols=4)
    return figure
