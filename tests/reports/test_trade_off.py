"""The Pareto front by hand and by definition; the points, their names and the front in the drawing."""

from itertools import combinations

import pytest
import torch

from blindspots.reports import style
from blindspots.reports.trade_off import pareto_front, trade_off
from blindspots.seeding import generator

POINTS = {"none": (0.1, 0.2), "fast": (1.0, 0.6), "slow": (50.0, 0.8), "beaten": (60.0, 0.7), "tie": (50.0, 0.5)}
LABELS = dict(cost_label="time per image, ms", value_label="accuracy")


def test_the_front_by_hand():
    assert pareto_front(POINTS) == ("none", "fast", "slow")
    assert pareto_front({"a": (1.0, 0.5), "b": (1.0, 0.5)}) == ("a", "b")
    assert pareto_front({"a": (1.0, 0.5), "b": (2.0, 0.5)}) == ("a",)


def test_no_point_of_the_front_is_beaten_and_every_other_one_is():
    numbers = torch.rand(40, 2, generator=generator(0)).tolist()
    points = {str(index): tuple(pair) for index, pair in enumerate(numbers)}
    front = pareto_front(points)

    def beaten(name):
        cost, value = points[name]
        return any(c < cost and v > value for c, v in points.values())

    assert [name for name in points if not beaten(name)] == sorted(front, key=int)


def test_every_point_has_its_name_its_interval_and_the_front_its_steps():
    figure = trade_off(POINTS | {"sure": (3.0, 0.5, 0.4, 0.7)}, **LABELS)
    axes = figure.axes[0]
    assert {text.get_text() for text in axes.texts} == {*POINTS, "sure"}
    assert axes.get_xscale() == "log"
    drawn = [line.get_xydata().tolist() for line in axes.lines]
    assert [[3.0, 0.4], [3.0, 0.7]] in drawn
    assert [list(POINTS[name]) for name in ("none", "fast", "slow")] in drawn


def test_names_cover_neither_points_nor_each_other():
    points = {name: (1.0 + 0.2 * index, 0.5) for index, name in enumerate(("JPEG", "STL", "ACSR", "low-pass"))}
    figure = trade_off(points | {"none": (0.1, 0.1), "TVM": (90.0, 0.9)}, **LABELS)
    figure.draw_without_rendering()
    axes, renderer = figure.axes[0], figure._get_renderer()
    boxes = [text.get_window_extent(renderer).shrunk(0.9, 0.7) for text in axes.texts]
    centers = [axes.transData.transform(point) for point in points.values()]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.contains(*center) for box in boxes for center in centers)


def test_the_same_points_give_the_same_bytes():
    first, second = (style.svg_pair(trade_off(POINTS, **LABELS)) for _ in range(2))
    assert first == second and len(first[0]) < 100_000


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="points: expected at least one"):
        trade_off({}, **LABELS)
    with pytest.raises(ValueError, match="without NaN"):
        pareto_front({"a": (1.0, float("nan"))})
    with pytest.raises(ValueError, match="a: expected a cost > 0"):
        trade_off({"a": (0.0, 0.5)}, **LABELS)
    with pytest.raises(ValueError, match="low <= value <= high"):
        trade_off({"a": (1.0, 0.5, 0.6, 0.7)}, **LABELS)
