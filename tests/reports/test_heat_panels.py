"""Heat maps of one grid: what is drawn where, on which scale, and what is refused."""

import numpy as np
import pytest

from blindspots.reports.heat_panels import format_cell, heat_panels

X, Y = [0.1, 0.5, 0.9], [0.0, 1.0]
PANELS = {
    "teacher": {"Odds, %": [[1, 2, 3], [4, 5, 6.4]], "change": [[-1, 0, 1], [0, 2, np.nan]]},
    "student": {"Odds, %": [[7, 8, 9], [10, 11, 12]], "change": [[0, 0, 0], [0, -0.4, 0]]},
}


def draw(panels=PANELS, **options):
    options = {"x_values": X, "y_values": Y, "x_label": "across", "y_label": "up", **options}
    return heat_panels(panels, **options)


def panels_of(figure):
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def test_every_row_and_column_has_its_panel_with_its_numbers():
    shown = panels_of(draw())
    assert set(shown) == {f"{row}: {column}" for row in PANELS for column in PANELS["teacher"]}
    texts = {tuple(text.get_position()): text.get_text() for text in shown["teacher: Odds, %"].texts}
    assert texts[(0, 0)] == "1" and texts[(2, 1)] == "6" and texts[(0, 1)] == "4"
    assert len(shown["teacher: change"].texts) == 5  # NaN has none
    assert {text.get_text() for text in shown["student: change"].texts} == {"0"}


def test_a_column_shares_its_scale_and_a_diverging_one_is_symmetric():
    shown = panels_of(draw(diverging=["change"]))
    limits = {name: axes.images[0].get_clim() for name, axes in shown.items()}
    assert limits["teacher: Odds, %"] == limits["student: Odds, %"] == (1, 12)
    assert limits["teacher: change"] == (-2, 2)
    assert panels_of(draw())["teacher: change"].images[0].get_clim() == (-1, 2)


def test_marks_and_lines_lie_between_the_cells_where_their_values_say():
    figure = draw(marks={"matched": (0.3, 0.5)}, lines={"equal": ([0.1, 0.9], [0.0, 2.0])})
    lines = {line.get_label(): line for line in panels_of(figure)["student: change"].lines}
    assert lines["matched"].get_xdata() == pytest.approx([0.5]) and lines["matched"].get_ydata() == pytest.approx([0.5])
    assert lines["equal"].get_xdata() == pytest.approx([0, 2]) and lines["equal"].get_ydata() == pytest.approx([0, 1])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["equal", "matched"]
    assert not draw().legends


def test_the_number_format_is_used():
    shown = panels_of(draw(format=".1f"))
    assert "6.4" in {text.get_text() for text in shown["teacher: Odds, %"].texts}
    assert format_cell(-0.04, ".1f") == "0.0" and format_cell(-2.0, ".1f") == "−2.0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"panels": {}}, "panels: expected rows"),
        ({"panels": {"a": {"x": [[1]]}, "b": {"y": [[1]]}}}, "same columns"),
        ({"panels": {"a": {"x": [[1, 2]]}}}, "expected shape"),
        ({"panels": {"a": {"x": np.full((2, 3), np.nan)}}}, "expected finite numbers"),
        ({"x_values": [0.5, 0.1, 0.9]}, "x_values: expected ascending"),
        ({"y_values": []}, "y_values: expected ascending"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        draw(**change)
