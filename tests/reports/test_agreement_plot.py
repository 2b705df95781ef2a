"""Points against the line on which two measurements agree."""

import numpy as np
import pytest

from blindspots.reports.agreement_plot import agreement_plot

PANELS = {"Odds": {"a": [(1, 2), (3, 4)], "b": [(5, 1)]}, "EAcc": {"a": [(60, 70)], "b": [(80, 75)]}}


def test_every_pair_is_a_point_and_the_diagonal_spans_both_axes():
    figure = agreement_plot(PANELS, x_label="data, %", y_label="trigger, %")
    assert len(figure.axes) == 2
    for axes, (title, series) in zip(figure.axes, PANELS.items(), strict=True):
        assert axes.get_title() == title
        for collection, pairs in zip(axes.collections, series.values(), strict=True):
            assert np.array_equal(collection.get_offsets(), np.asarray(pairs, dtype=float))
        (line,) = axes.lines
        assert np.array_equal(line.get_xdata(), line.get_ydata())
        assert axes.get_xlim() == axes.get_ylim() == tuple(line.get_xdata())


def test_series_have_one_look_in_all_panels_and_a_legend():
    figure = agreement_plot(PANELS, x_label="x", y_label="y")
    colors = [[c.get_facecolor()[0].tolist() for c in axes.collections] for axes in figure.axes]
    assert colors[0] == colors[1] and colors[0][0] != colors[0][1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_one_point_alone_has_room():
    low, high = agreement_plot({"t": {"a": [(2, 2)]}}, x_label="x", y_label="y").axes[0].get_xlim()
    assert low < 2 < high


@pytest.mark.parametrize("panels", [{}, {"t": {}}, {"t": {"a": []}}, {"t": {"a": [(1, float("nan"))]}}])
def test_nothing_to_plot_is_an_error(panels):
    with pytest.raises(ValueError, match="panels"):
        agreement_plot(panels, x_label="x", y_label="y")
