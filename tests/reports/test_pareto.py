"""The front of two measures, and the plot of all runs with it."""

import pytest

from blindspots.reports.pareto import pareto_panels, pareto_scatter, undominated


def test_a_point_stays_unless_another_costs_no_more_and_gains_no_less():
    costs, gains = [1.0, 2.0, 3.0, 2.0, 1.0], [1.0, 3.0, 2.0, 3.0, 0.5]
    assert undominated(costs, gains) == [True, True, False, True, False]
    with pytest.raises(ValueError, match="gains: expected 2 numbers"):
        undominated([1.0, 2.0], [1.0])


def test_every_run_and_every_mean_is_drawn_and_the_front_joins_means():
    runs = {"a": [(1.0, 1.0), (3.0, 1.0)], "b": [(4.0, 3.0)], "c": [(5.0, 2.0)]}
    axes = pareto_scatter(runs, x_label="cost", y_label="gain").axes[0]
    (line,) = axes.get_lines()
    assert line.get_xydata().tolist() == [[2.0, 1.0], [4.0, 3.0]]
    assert [len(marks.get_offsets()) for marks in axes.collections] == [2, 1, 1, 1, 1, 1]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("cost", "gain")


def test_seven_methods_differ_in_color_and_marker_together():
    axes = pareto_scatter({str(k): [(k, k)] for k in range(7)}, x_label="x", y_label="y").axes[0]
    looks = {
        (marks.get_paths()[0].vertices.tobytes(), marks.get_facecolor()[:, :3].tobytes())
        for marks in axes.collections[1::2]
    }
    assert len(looks) == 7


@pytest.mark.parametrize("runs", [{}, {"a": []}, {"a": [(1.0, float("nan"))]}, {"a": [(1.0, 2.0, 3.0)]}])
def test_no_runs_or_broken_ones_are_refused(runs):
    with pytest.raises(ValueError, match="runs: expected"):
        pareto_scatter(runs, x_label="x", y_label="y")


def test_panels_are_the_scatters_side_by_side_with_one_legend():
    tasks = {
        name: {"a": [(1.0, shift), (3.0, shift)], "b": [(4.0, 3.0)]} for name, shift in (("x", 1), ("y", 2), ("z", 5))
    }
    figure = pareto_panels(tasks, x_label="cost", y_label="gain")
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in shown] == ["x", "y", "z"] and len(figure.axes) == 4
    for axes, runs in zip(shown, tasks.values(), strict=True):
        (alone,) = pareto_scatter(runs, x_label="cost", y_label="gain").axes
        assert axes.get_lines()[0].get_xydata().tolist() == alone.get_lines()[0].get_xydata().tolist()
        assert [marks.get_offsets().tolist() for marks in axes.collections] == [
            marks.get_offsets().tolist() for marks in alone.collections
        ]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]
    one = pareto_panels({"x": tasks["x"]}, x_label="cost", y_label="gain")
    assert len(one.axes) == 1


def test_panels_have_the_same_methods():
    with pytest.raises(ValueError, match="panels: expected the methods a for 'y'; got b"):
        pareto_panels({"x": {"a": [(1.0, 1.0)]}, "y": {"b": [(1.0, 1.0)]}}, x_label="x", y_label="y")
    with pytest.raises(ValueError, match="panels: expected points"):
        pareto_panels({}, x_label="x", y_label="y")
