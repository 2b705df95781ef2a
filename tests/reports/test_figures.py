import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.collections import PolyCollection

from blindspots.reports import figures, style
from blindspots.reports.figures import (
    VERDICT_LOOKS,
    bars,
    box_and_cdf,
    curves_with_bands,
    forest,
    heat_map,
    verdict_bars,
)

ROWS = [
    {"epsilon": epsilon, "method": method, "seed": seed, "success": epsilon / 10 * scale + 0.01 * seed}
    for epsilon in (1, 5, 10)
    for method, scale in (("SSIM", 1.0), ("L2", 0.5))
    for seed in (0, 1, 2)
]
CURVES = {"x": "epsilon", "y": "success", "x_label": "epsilon, in units of the [0, 1] range", "y_label": "share"}


def every_figure():
    yield curves_with_bands(ROWS, hue="method", references={"clean": 0.1}, **CURVES)
    yield box_and_cdf({"SSIM": np.arange(1.0, 30), "L2": np.arange(2.0, 40)}, label="distance", log=True)
    yield forest({"SSIM": (0.9, 0.8, 1.0), "L2": 0.5}, label="share", references={"paper": 0.95})
    yield bars({"SSIM": (0.9, 0.8, 1.0), "L2": -0.5}, label="share", references={"paper": 0.95})
    yield heat_map([[0.1, 0.2]], row_labels=["a"], column_labels=["b", "c"], label="share")
    yield verdict_bars({"attacks": {"reproduced": 3, "partly": 1, "not reproduced": 2, "not attempted": 1}})


def test_every_builder_gives_the_same_bytes_again_at_page_width_and_small():
    for first, second in zip(every_figure(), every_figure(), strict=True):
        light, dark = style.svg_pair(first)
        assert (light, dark) == style.svg_pair(second)
        assert len(light) < 100_000
        assert first.get_size_inches()[0] == style.PAGE_WIDTH


def test_no_builder_uses_text_in_another_color_than_the_ink():
    for figure in every_figure():
        dark = style.svg_pair(figure)[1].lower()
        assert b"#000000" not in dark and b"fill:black" not in dark


def test_no_builder_changes_matplotlibs_settings():
    import matplotlib

    before = dict(matplotlib.rcParams)
    list(every_figure())
    assert dict(matplotlib.rcParams) == before


def test_a_curve_is_the_mean_over_repetitions_in_a_band_from_least_to_most():
    axes = curves_with_bands(ROWS, hue="method", **CURVES).axes[0]
    first, second = axes.lines
    assert first.get_label() == "SSIM" and second.get_label() == "L2"
    assert np.allclose(first.get_ydata(), [0.11, 0.51, 1.01])
    band = next(one for one in axes.collections if isinstance(one, PolyCollection)).get_paths()[0].vertices
    at_five = band[band[:, 0] == 5, 1]
    assert np.isclose(at_five.min(), 0.50) and np.isclose(at_five.max(), 0.52)
    assert first.get_marker() != second.get_marker() and first.get_color() != second.get_color()


def test_a_curve_without_repetitions_has_no_band():
    axes = curves_with_bands([row for row in ROWS if row["seed"] == 0], hue="method", **CURVES).axes[0]
    assert len(axes.lines) == 2 and not axes.collections


def test_a_single_series_needs_no_legend():
    axes = curves_with_bands(pd.DataFrame(ROWS), **CURVES).axes[0]
    assert len(axes.lines) == 1 and axes.get_legend() is None


def test_many_names_stand_above_the_axes():
    rows = [{"x": x, "y": index + x, "name": name} for index, name in enumerate("abcd") for x in (0, 1)]
    figure = curves_with_bands(rows, x="x", y="y", hue="name", x_label="x", y_label="y")
    figure.canvas.draw()
    box, axes = figure.legends[0].get_window_extent(), figure.axes[0].get_window_extent()
    assert box.y0 >= axes.y1 and [text.get_text() for text in figure.legends[0].get_texts()] == list("abcd")


def test_axes_carry_their_labels_and_scales():
    axes = curves_with_bands(ROWS, x_scale="log", y_scale="symlog", references={"clean": 0.1}, **CURVES).axes[0]
    assert axes.get_xlabel() == CURVES["x_label"] and axes.get_ylabel() == "share"
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "symlog")
    assert [text.get_text() for text in axes.texts] == ["clean"]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "expected rows with the columns epsilon, success; got the columns none"),
        ([{"epsilon": 1}], {}, "got the columns epsilon"),
        ([{"epsilon": 1, "success": float("nan")}], {}, "expected finite numbers in epsilon, success"),
        ([{"epsilon": 0, "success": 1}], {"x_scale": "log"}, "epsilon: expected values > 0 on a logarithmic scale"),
    ],
)
def test_curves_of_nothing_are_refused(rows, options, message):
    with pytest.raises(ValueError, match=message):
        curves_with_bands(rows, **CURVES, **options)


def test_boxes_hold_the_middle_half_and_whiskers_reach_the_outer_twentieths():
    sample = np.arange(101.0)
    boxes, shares = box_and_cdf({"a": torch.from_numpy(sample), "b": sample + 1}, label="distance").axes
    box = boxes.patches[0]
    assert (box.get_x(), box.get_x() + box.get_width()) == (25, 75)
    assert list(boxes.lines[0].get_xdata()) == [5, 95]
    assert list(boxes.lines[1].get_xdata()) == [50, 50]
    curve = shares.lines[0]
    assert np.isclose(np.interp(50, curve.get_xdata(), curve.get_ydata()), 51 / 101)
    assert boxes.get_xlabel() == shares.get_xlabel() == "distance"
    assert [text.get_text() for text in boxes.get_yticklabels()] == ["a", "b"]


def test_the_logarithmic_axis_is_on_both_plots():
    axes = box_and_cdf({"a": [1.0, 10.0]}, label="distance", log=True).axes
    assert [one.get_xscale() for one in axes] == ["log", "log"]


@pytest.mark.parametrize(
    ("samples", "log", "message"),
    [
        ({}, False, "expected at least one sample"),
        ({"a": [1.0]}, False, "a: expected at least 2 finite numbers"),
        ({"a": [[1.0, 2.0]]}, False, "a: expected at least 2 finite numbers"),
        ({"a": [1.0, float("nan")]}, False, "a: expected at least 2 finite numbers"),
        ({"a": [0.0, 1.0]}, True, "expected values > 0 on a logarithmic axis"),
    ],
)
def test_samples_that_cannot_be_shown_are_refused(samples, log, message):
    with pytest.raises(ValueError, match=message):
        box_and_cdf(samples, label="distance", log=log)


@pytest.mark.parametrize("builder", [forest, bars])
def test_compared_values_keep_their_order_and_print_their_numbers(builder):
    figure = builder({"SSIM": (0.9, 0.8, 1.0), "L2": -0.5}, label="share", format=".2f", references={"paper": 0.95})
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["SSIM", "L2"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    right = axes.child_axes[0]
    assert [text.get_text() for text in right.get_yticklabels()] == ["0.90", "−0.50"]
    assert "paper" in [text.get_text() for text in axes.texts]
    assert axes.get_xlabel() == "share"


def test_intervals_are_drawn_where_they_are_given():
    lines = forest({"a": (0.9, 0.8, 1.0), "b": 0.5}, label="share").axes[0].lines
    assert [list(line.get_xdata()) for line in lines] == [[0.8, 1.0], [0.9], [0.5]]


def test_a_forest_can_be_logarithmic():
    assert forest({"a": 1.0, "b": 100.0}, label="seconds", log=True).axes[0].get_xscale() == "log"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "expected at least one"),
        ({"a": (0.5, 0.6, 0.7)}, r"a: expected a number or \(value, low, high\) in order"),
        ({"a": (0.5, 0.6)}, r"a: expected a number or \(value, low, high\) in order"),
        ({"a": float("nan")}, "a: expected at least 1 finite numbers"),
    ],
)
def test_values_outside_their_intervals_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        bars(values, label="share")


def test_a_heat_map_prints_its_numbers_and_leaves_gaps():
    figure = heat_map(
        torch.tensor([[0.5, float("nan")], [-1.0, 0.25]]), row_labels=["a", "b"], column_labels=["c", "d"],
        label="score", row_title="model", column_title="attack", format=".1f", diverging=True,
    )  # fmt: skip
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.5", "-1.0", "0.2"]
    assert axes.collections[0].get_clim() == (-1.0, 1.0)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("attack", "model")
    assert figure.axes[1].get_ylabel() == "score"


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1.0]], r"expected shape \(1, 2\), one per label, got \(1, 1\)"),
        ([1.0, 2.0], r"expected shape \(1, 2\), one per label, got \(2,\)"),
        ([[np.nan, np.nan]], "expected finite numbers"),
        ([[np.inf, 1.0]], "expected finite numbers"),
    ],
)
def test_a_matrix_without_numbers_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        heat_map(matrix, row_labels=["a"], column_labels=["b", "c"], label="score")


def test_verdict_bars_stack_the_numbers_of_each_part():
    counts = {"attacks": {"reproduced": 3, "partly": 0, "not attempted": 2}, "latent": {"not reproduced": 4}}
    figure = verdict_bars(counts, titles={"attacks": "I Attacks"})
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["3", "2", "4"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["I Attacks", "latent"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(VERDICT_LOOKS)
    widths = [patch.get_width() for patch in axes.patches if patch.get_height() == 0.72]
    assert widths == [3, 2, 4]


def test_verdicts_are_told_apart_without_color_and_their_numbers_are_legible():
    assert len({hatch for _, hatch in VERDICT_LOOKS.values()}) == len(VERDICT_LOOKS)
    for color, _ in VERDICT_LOOKS.values():
        assert style.contrast(color, "#ffffff") >= 4.5  # white numbers on it, and the bar on a white page
        assert style.contrast(color, style.DARK_PAGE) >= 3


def test_unknown_verdicts_and_empty_counts_are_refused():
    with pytest.raises(ValueError, match=r"expected verdicts of reproduced, .*; got .*perhaps"):
        verdict_bars({"attacks": {"perhaps": 1}})
    with pytest.raises(ValueError, match="got no parts"):
        verdict_bars({})


def test_numbers_beside_rows_have_a_true_minus_sign():
    assert figures.format_number(-0.5, ".1f") == "−0.5"
