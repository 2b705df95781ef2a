"""Where points of the plane go: arrows from each point to its place, for several budgets side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from blindspots.reports.style import MARKERS, PALETTE, SOFT, new_figure, theme


def moved_points(
    points: Any,
    labels: Sequence[int],
    moved: Mapping[str, Any],
    *,
    line: tuple[float, float, float] | None = None,
    height: float = 2.9,
) -> Figure:
    """Show points of two or more classes and, in one panel for each name, where each goes.

    Args:
        points: (N, 2).
        labels: (N,), classes from 0; each has a color and a marker.
        moved: by panel title, (N, 2).
        line: (a, b, c) of a line a x + b y + c = 0 drawn in each panel, such as a decision boundary.
        height: inches.

    Raises:
        ValueError: no panels, or shapes that do not fit.
    """
    places = np.asarray(points, dtype=float)
    ends = {name: np.asarray(given, dtype=float) for name, given in moved.items()}
    if places.ndim != 2 or places.shape[1] != 2 or len(labels) != len(places) or not len(places):
        raise ValueError(f"points: expected (N, 2) with N labels, got {places.shape} and {len(labels)} labels")
    if not ends or any(given.shape != places.shape for given in ends.values()):
        got = [given.shape for given in ends.values()]
        raise ValueError(f"moved: expected at least one panel of shape {places.shape}, got {got}")
    every = np.concatenate([places, *ends.values()])
    margin = 0.08 * (every.max(0) - every.min(0)) + 1e-9
    (left, low), (right, high) = every.min(0) - margin, every.max(0) + margin
    with theme():
        figure = new_figure(height=height)
        panels = figure.subplots(1, len(ends), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (name, given) in zip(panels, ends.items(), strict=True):
            axes.set(title=name, xlim=(left, right), ylim=(low, high), aspect="equal")
            if line is not None:
                a, b, c = line
                foot = -c * np.array([a, b]) / (a * a + b * b)
                axes.axline(foot, foot + np.array([-b, a]), color=SOFT, linestyle=(0, (4, 3)), linewidth=1.2)
            for label in sorted(set(labels)):
                mine = np.asarray(labels) == label
                color, marker = PALETTE[label % len(PALETTE)], MARKERS[label % len(MARKERS)]
                axes.plot(*places[mine].T, color=color, marker=marker, linestyle="none", markersize=5)
                for start, end in zip(places[mine], given[mine], strict=True):
                    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": color, "shrinkA": 0,
                                                              "shrinkB": 0, "linewidth": 1.1})  # fmt: skip
    return figure
