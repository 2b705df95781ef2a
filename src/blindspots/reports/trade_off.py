"""What a defense costs against what it brings: labeled points on a logarithmic axis of cost, and their Pareto front."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from blindspots.reports.style import INK, MARKERS, PALETTE, SOFT, new_figure, theme

Point = tuple[float, float] | tuple[float, float, float, float]


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
    kept = []
    for name, (cost, value, *_) in points.items():
        others = ((c, v) for other, (c, v, *_) in points.items() if other != name)
        if not any(c <= cost and v >= value and (c, v) != (cost, value) for c, v in others):
            kept.append(name)
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
        _name_points(axes, points)
        axes.margins(x=0.12)
    return figure


def _name_points(axes: object, points: Mapping[str, Point]) -> None:
    """Write each name beside its point, moved up or down where two points of like cost would share the place."""
    low, high = axes.get_ylim()
    figure_height = axes.figure.get_figheight() * 72 * 0.8  # points, less the labels
    to_points = figure_height / (high - low)
    taken: list[tuple[float, float]] = []
    for name, (cost, value, *_) in sorted(points.items(), key=lambda item: (item[1][1], item[1][0])):
        place = value * to_points
        for _ in range(len(points)):
            near = [y for c, y in taken if 1 / 6 < c / cost < 6 and abs(y - place) < 11]
            if not near:
                break
            place = max(near) + 11.5
        taken.append((cost, place))
        axes.annotate(
            name, (cost, value), xytext=(7, place - value * to_points - 3), textcoords="offset points", fontsize=9,
            color=INK,
        )  # fmt: skip
