import pytest
import torch

from blindspots.reports.boxes_with_line import boxes_with_line

PANELS = {
    "seen": {"ours": torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), "PGD": [2.0, 2.0]},
    "unseen": {"ours": [0.0], "PGD": [1.0, 3.0]},
}
LINES = {"seen": 2.5, "unseen": 0.5}


def drawn(panels=PANELS, lines=LINES):
    return boxes_with_line(panels, label="slope", lines=lines, line_label="pretrained")


def test_boxes_hold_the_middle_half_and_points_are_the_values():
    first, second = drawn().axes
    box = first.patches[0]
    assert (box.get_x(), box.get_x() + box.get_width()) == (2.0, 4.0)
    points = [line for line in first.lines if line.get_linestyle() == "None"]
    assert [list(line.get_xdata()) for line in points] == [[1, 2, 3, 4, 5], [2, 2]]
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["seen", "unseen"]


def test_each_panel_has_its_line_and_the_rows_their_names():
    first, second = drawn().axes
    for axes, place in ((first, 2.5), (second, 0.5)):
        assert any(list(line.get_xdata()) == [place, place] and line.get_linestyle() == "--" for line in axes.lines)
    assert [text.get_text() for text in first.get_yticklabels()] == ["ours", "PGD"]


@pytest.mark.parametrize(
    ("panels", "lines"),
    [
        ({}, {}),
        (PANELS, {"seen": 1.0}),
        ({"seen": {"ours": [1.0]}, "unseen": {"PGD": [1.0]}}, LINES),
        ({"seen": {"ours": []}}, {"seen": 1.0}),
        ({"seen": {"ours": [float("nan")]}}, {"seen": 1.0}),
    ],
)
def test_bad_panels_are_refused(panels, lines):
    with pytest.raises(ValueError, match="expected"):
        drawn(panels, lines)
