"""Groups as points and the line fitted to them."""

import math

import pytest

from blindspots.reports.group_line import group_line

INCOME, ACCURACY, COUNTS = [300.0, 3000.0, 60000.0], [0.7, 0.8, 0.95], [10, 100, 1000]
LABELS = {"x_label": "income", "y_label": "accuracy"}


def test_every_group_is_a_point_whose_area_grows_with_its_images():
    figure = group_line(INCOME, ACCURACY, COUNTS, lines={}, **LABELS)
    axes, bar = figure.axes
    found = sorted((tuple(place), c.get_sizes()[0], value) for c in axes.collections
                   for place, value in zip(c.get_offsets(), c.get_array(), strict=True))  # fmt: skip
    assert [place for place, _, _ in found] == list(zip(INCOME, ACCURACY, strict=True))
    assert [value for _, _, value in found] == COUNTS
    assert found[0][1] <= found[1][1] < found[2][1]
    assert axes.get_xscale() == "log" and bar.get_ylabel() == "images"


def test_lines_are_straight_in_the_logarithm():
    lines = {"a": (0.1, 0.08), "b": (0.8, 0.0)}
    axes = group_line(INCOME, ACCURACY, COUNTS, lines=lines, **LABELS).axes[0]
    for line, (name, (intercept, slope)) in zip(axes.lines, lines.items(), strict=True):
        assert line.get_label() == name
        ends = [intercept + slope * math.log(x) for x in (300.0, 60000.0)]
        assert line.get_ydata() == pytest.approx(ends)


def test_groups_can_be_named_and_equal_counts_are_fine():
    axes = group_line(INCOME, ACCURACY, [5, 5, 5], lines={}, names={2: "rich"}, **LABELS).axes[0]
    assert [text.get_text() for text in axes.texts] == ["rich"]
    assert len(axes.collections) == 1


@pytest.mark.parametrize(
    ("x", "y", "n"),
    [
        (INCOME, ACCURACY[:2], COUNTS), (INCOME, ACCURACY, [0, 1, 2]), ([0.0, 1.0, 2.0], ACCURACY, COUNTS),
        (INCOME, [0.1, math.nan, 0.2], COUNTS), ([], [], []),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(x, y, n):
    with pytest.raises(ValueError, match="expected"):
        group_line(x, y, n, lines={}, **LABELS)
