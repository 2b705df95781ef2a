"""Marks of several series in each row: where they are, how they look, what is refused."""

import pytest

from blindspots.reports.grouped_forest import grouped_forest

PANELS = {
    "first": {"clean": {"a": (2.0, 1.0, 4.0), "b": 3.0}, "red": {"a": (5.0, 5.0, 6.0), "b": 1.0}},
    "second": {"red": {"b": 8.0, "a": 7.0}, "clean": {"b": 6.0, "a": 5.0}},
}


def marks(axes):
    return [line for line in axes.lines if line.get_marker() not in ("", "None", None)]


def test_each_value_is_a_mark_in_its_row_and_series_keep_their_order_and_look():
    figure = grouped_forest(PANELS, label="EAcc, %")
    assert [axes.get_title() for axes in figure.axes] == ["first", "second"]
    found = [[line.get_xdata()[0] for line in marks(axes)] for axes in figure.axes]
    assert found == [[2.0, 5.0, 3.0, 1.0], [5.0, 7.0, 6.0, 8.0]]
    for axes in figure.axes:
        heights = [round(line.get_ydata()[0]) for line in marks(axes)]
        assert heights == [0, 1, 0, 1]
        looks = [(line.get_color(), line.get_marker()) for line in marks(axes)]
        assert looks[0] == looks[1] != looks[2] == looks[3]
    a, _, b, _ = marks(figure.axes[0])
    assert a.get_ydata()[0] < b.get_ydata()[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["clean", "red"]


def test_an_interval_is_a_line_and_a_number_alone_has_none():
    axes = grouped_forest({"one": PANELS["first"]}, label="x").axes[0]
    spans = [tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert (1.0, 4.0) in spans and (5.0, 6.0) in spans and (3.0, 3.0) not in spans


def test_one_series_sits_in_the_middle_of_its_row():
    axes = grouped_forest({"one": {"r": {"a": 1.0}}}, label="x").axes[0]
    assert marks(axes)[0].get_ydata()[0] == 0


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "panels: expected at least one row"),
        ({"t": {}}, "panels: expected at least one row"),
        ({"t": {"r": {}}}, "panels: expected at least one row"),
        ({"t": {"r": {"a": 1.0}}, "u": {"r": {"b": 1.0}}}, "expected the rows and series of the first in 'u'"),
        ({"t": {"r": {"a": float("nan")}}}, "t, r, a: expected a number"),
        ({"t": {"r": {"a": (1.0, 2.0, 3.0)}}}, "t, r, a: expected a number"),
    ],
)
def test_what_cannot_be_shown_is_refused(panels, message):
    with pytest.raises(ValueError, match=message):
        grouped_forest(panels, label="x")
