"""What a defense costs against what it brings: labeled points on a logarithmic axis of cost, and their Pareto front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from blindspots.reports.pareto import undominated
from blindspots.reports.style import INK, MARKERS, PALETTE, SOFT, new_figure, theme

Point = tuple[float, float] | tuple[float, float, float, float]
Box = tuple[float, float, float, float]

_LETTER = 5.4  # points, the mean width of a letter of a name


def pareto_front(points: Mapping[str, Point]) -> tuple[str, ...]:
    """Return the names that no other beats: none has a cost as small and a value as large, and one of them better.

    Args:
        points: by name (cost, value, ...), such as (ms per image, accuracy); at least one, no NaN.

    Returns:
        Names in the order of cost. Of two equal points both are returned.

    Raises:
        ValueError: no points, or NaN.
    """
    if not points or any(number != number for point in points.values() for number in point):
        raise ValueError(f"points: expected at least one (cost, value) without NaN, got {dict(points)!r}")
    costs, values = zip(*(point[:2] for point in points.values()), strict=True)
    kept = [name for name, best in zip(points, undominated(costs, values), strict=True) if best]
    return tuple(sorted(kept, key=lambda name: points[name]))


def trade_off(points: Mapping[str, Point], *, cost_label: str, value_label: str, height: float = 4.0) -> Figure:
    """Plot each named point with its interval, and the steps of the Pareto front.

    Args:
        points: by name (cost, value) or (cost, value, low, high); costs > 0.
        cost_label, value_label: what the axes show, with units.
        height: inches.

    Raises:
        ValueError: no points, NaN, a cost <= 0, or a value outside its interval.
    """
    front = pareto_front(points)
    for name, (cost, value, *around) in points.items():
        if cost <= 0 or (around and not around[0] <= value <= around[1]):
            raise ValueError(f"{name}: expected a cost > 0 and low <= value <= high, got {points[name]!r}")
    with theme():
        figure = new_figure(height=height)
        axes = figure.subplots()
        axes.set(xscale="log", xlabel=cost_label, ylabel=value_label)
        axes.grid(True, which="major")
        corners = [points[name][:2] for name in front]
        if len(corners) > 1:
            axes.step(*zip(*corners, strict=True), where="post", color=SOFT, linestyle="-", linewidth=1.2, zorder=1)
        for index, (name, (cost, value, *around)) in enumerate(points.items()):
            color = PALETTE[index % len(PALETTE)]
            marker = MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
            if around:
                axes.plot([cost, cost], around, color=color, linestyle="-", linewidth=0.9, alpha=0.6)
            axes.plot(cost, value, color=color, marker=marker, linestyle="none", markersize=7, label=name)
        axes.margins(x=0.12)
        left, right = (math.log10(end) for end in axes.get_xlim())
        axes.set_xlim(right=10.0 ** (right + 0.1 * (right - left)))  # room for the name of the slowest
        _name_points(axes, points, front)
    return figure


def _name_points(axes: Axes, points: Mapping[str, Point], front: Sequence[str]) -> None:
    """Write each name beside its point, where it covers no point, no other name and not the front, if there is room."""
    low, high = axes.get_ylim()
    left, right = (math.log10(end) for end in axes.get_xlim())
    width, height = (72.0 * share for share in (0.86 * axes.figure.get_figwidth(), 0.82 * axes.figure.get_figheight()))
    places = {
        name: (width * (math.log10(cost) - left) / (right - left), height * (value - low) / (high - low))
        for name, (cost, value, *_) in points.items()
    }
    taken = [(x - 5.0, y - 5.0, x + 5.0, y + 5.0) for x, y in places.values()]
    for first, second in pairwise(places[name] for name in front):  # the steps of the front
        taken.append((first[0], first[1] - 1.0, second[0], first[1] + 1.0))
        taken.append((second[0] - 1.0, first[1], second[0] + 1.0, second[1]))
    for name, (x, y) in sorted(places.items(), key=lambda item: item[1]):
        long = _LETTER * len(name)
        sides = (7.0, -7.0 - long)
        options = [(right, up) for up in (-3.5, 5.0, -13.0, 14.0, -22.0, 23.0, -31.0, 32.0) for right in sides]
        best = None
        for option in options:
            box = (x + option[0], y + option[1], x + option[0] + long, y + option[1] + 9.0)
            covered = sum(_shared(box, other) for other in taken) + _outside(box, width, height)
            if best is None or covered < best[0]:
                best = covered, option, box
            if covered == 0:
                break
        taken.append(best[2])
        axes.annotate(
            name, points[name][:2], xytext=best[1], textcoords="offset points", fontsize=9, color=INK, zorder=3
        )


def _shared(first: Box, second: Box) -> float:
    """Return the area that two boxes (left, bottom, right, top) share."""
    across = min(first[2], second[2]) - max(first[0], second[0])
    return max(across, 0.0) * max(min(first[3], second[3]) - max(first[1], second[1]), 0.0)


def _outside(box: Box, width: float, height: float) -> float:
    """Return the area of a box that lies outside the axes."""
    return (box[2] - box[0]) * (box[3] - box[1]) - _shared(box, (0.0, 0.0, width, height))
