"""The elbow of curves whose corner is known."""

import pytest

from blindspots.purify.elbow import elbow


@pytest.mark.parametrize("corner", [1, 2, 5])
def test_the_corner_of_two_straight_pieces_is_the_elbow(corner):
    curve = [100.0 - 90.0 * x / corner if x <= corner else 10.0 - (x - corner) for x in range(9)]
    assert elbow(curve) == corner


def test_it_is_the_point_farthest_from_the_chord():
    curve = [9.0, 4.0, 2.5, 1.0, 0.7, 0.5]
    ends = (0.0, 1.0), (1.0, 0.0)
    points = [(x / 5, (y - 0.5) / 8.5) for x, y in enumerate(curve)]
    (x0, y0), (x1, y1) = ends
    distances = [abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) for x, y in points]
    assert elbow(curve) == distances.index(max(distances)) == 1


def test_neither_scale_nor_offset_matters():
    curve = [9.0, 4.0, 2.5, 1.0, 0.7, 0.5]
    assert elbow([1e-6 * value for value in curve]) == elbow([value + 100 for value in curve]) == elbow(curve)


@pytest.mark.parametrize(
    "curve", [[3.0], [3.0, 1.0], [2.0] * 5, [4.0, 3.0, 2.0, 1.0], [4.0, 3.9, 3.5, 0.0], [0.3, 0.2, 0.1]]
)
def test_without_an_elbow_the_first_place_is_returned(curve):
    assert elbow(curve) == 0


@pytest.mark.parametrize("curve", [[], [1.0, float("nan"), 0.0]])
def test_bad_curves_are_refused(curve):
    with pytest.raises(ValueError, match="curve: expected"):
        elbow(curve)
