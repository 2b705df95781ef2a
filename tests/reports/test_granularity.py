import pytest

from blindspots.reports import style
from blindspots.reports.granularity import size_scan, values_on_grid

PANELS = {
    4: {"own": [(75.0, True), (80.0, False), (20.0, True)], "rival": [(90.0, False)]},
    10: {"own": [(80.0, True)]},
}


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def test_marks_stand_at_the_values_and_are_filled_on_the_grid_only():
    first, second = values_on_grid(PANELS).axes
    marks = lines(first)
    assert list(marks["own: on"].get_xdata()) == [75.0] and list(marks["own: off"].get_xdata()) == [80.0]
    assert marks["own: off"].get_markerfacecolor() == "none" != marks["own: on"].get_markerfacecolor()
    assert list(marks["rival: off"].get_ydata()) == [1]
    assert second.get_title(loc="left") == "grid k / 10"


def test_grid_lines_are_the_fractions_in_the_range():
    _, axes = values_on_grid(PANELS, low=70.0, high=95.0).axes
    (grid,) = axes.collections
    assert [segment[0][0] for segment in grid.get_segments()] == pytest.approx([70, 80, 90])


def test_row_names_count_all_cells_of_the_row():
    axes = values_on_grid(PANELS).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["own  2/3", "rival  0/1"]


def test_the_scan_starts_at_one_image_and_marks_sizes():
    first, second = size_scan({"a": [0.5, 0.25, 1.0], "b": [1.0, 1.0, 2.0]}, label="share", marked=[2]).axes
    (stems,) = first.collections
    assert [segment[1].tolist() for segment in stems.get_segments()] == [[1, 0.5], [2, 0.25], [3, 1.0]]
    assert [text.get_text() for text in first.texts] == ["a", "2"] and [t.get_text() for t in second.texts] == ["b"]
    assert first.get_ylim() == second.get_ylim()


def test_marked_sizes_close_to_each_other_are_written_apart():
    axes = size_scan({"a": [1.0] * 200}, label="x", marked=[32, 52, 56]).axes[0]
    assert {text.get_text(): text.get_ha() for text in axes.texts[1:]} == {"32": "center", "52": "right", "56": "left"}


def test_figures_are_page_wide_and_the_same_bytes_again():
    for make in (lambda: values_on_grid(PANELS), lambda: size_scan({"a": [1.0, 2.0]}, label="x")):
        assert make().get_size_inches()[0] == style.PAGE_WIDTH
        light, dark = style.svg_pair(make())
        assert (light, dark) == style.svg_pair(make()) and b"#000000" not in dark.lower()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: values_on_grid({}), "panels: expected at least one n"),
        (lambda: values_on_grid({3: {}}), "panels: expected at least one n"),
        (lambda: values_on_grid(PANELS, low=9.0, high=8.0), "high: expected more than low"),
        (lambda: size_scan({}, label="x"), "series: expected at least one list"),
        (lambda: size_scan({"a": [float("nan")]}, label="x"), "series: expected at least one list"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
