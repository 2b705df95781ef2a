"""Every point, its arrow and the line are in the drawing, on one scale."""

import numpy as np
import pytest

from blindspots.reports.moved_points import moved_points
from blindspots.reports.style import svg_pair

POINTS = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, -1.0]])
MOVED = {"near": POINTS + 0.1, "far": POINTS + [1.0, 0.0]}


def test_each_panel_has_the_points_an_arrow_each_and_the_line():
    figure = moved_points(POINTS, [0, 1, 0], MOVED, line=(1.0, 0.0, -1.0))
    assert [axes.get_title() for axes in figure.axes] == ["near", "far"]
    for axes, ends in zip(figure.axes, MOVED.values(), strict=True):
        drawn = np.concatenate([line.get_xydata() for line in axes.lines if line.get_linestyle() == "None"])
        assert sorted(drawn.tolist()) == sorted(POINTS.tolist())
        arrows = {tuple(text.xyann): tuple(text.xy) for text in axes.texts}
        assert arrows == {tuple(a): tuple(b) for a, b in zip(POINTS, ends, strict=True)}
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    plain = moved_points(POINTS, [0, 1, 0], MOVED)
    assert len(plain.axes[0].lines) == len(figure.axes[0].lines) - 1


def test_the_same_points_give_the_same_bytes():
    first, second = (svg_pair(moved_points(POINTS, [0, 1, 0], MOVED)) for _ in range(2))
    assert first == second and len(first[0]) < 60_000


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((POINTS[:, :1], [0, 1, 0], MOVED), r"points: expected \(N, 2\)"),
        ((POINTS, [0, 1], MOVED), "2 labels"),
        ((POINTS, [0, 1, 0], {}), "moved: expected at least one panel"),
        ((POINTS, [0, 1, 0], {"a": POINTS[:2]}), "moved: expected at least one panel"),
    ],
)
def test_what_cannot_be_drawn_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        moved_points(*given)
