"""The strength at which a curve reaches a level: straight lines by hand, starts, ends and bad input."""

import math

import pytest
import torch

from blindspots.attacks import crossing_strength


def test_straight_lines_are_crossed_where_geometry_says():
    curves = torch.tensor([[1.0, 0.8, 0.2], [0.9, 0.5, 0.5], [0.6, 0.6, 0.0]], dtype=torch.float64)
    found = crossing_strength([0, 2, 4], curves, 0.5)
    torch.testing.assert_close(found, torch.tensor([3.0, 2.0, 2 + 2 * 0.1 / 0.6], dtype=torch.float64))


def test_each_curve_may_have_its_own_level():
    curves = torch.tensor([[1.0, 0.0], [0.8, 0.0]])
    torch.testing.assert_close(crossing_strength([0, 1], curves, curves[:, 0] / 2), torch.tensor([0.5, 0.5]))


def test_the_first_crossing_counts_even_if_the_curve_rises_again():
    assert crossing_strength([0, 1, 2, 3], torch.tensor([1.0, 0.0, 1.0, 0.0]), 0.5).item() == 0.5


def test_a_curve_that_starts_below_or_never_comes():
    assert crossing_strength([0, 1], torch.tensor([0.3, 0.1]), 0.5).item() == 0.0
    assert math.isinf(crossing_strength([0, 1], torch.tensor([0.9, 0.8]), 0.5).item())
    assert crossing_strength([0, 1], torch.tensor([0.9, 0.5]), 0.5).item() == 1.0


def test_it_agrees_with_a_dense_search():
    strengths = [0.0, 1.0, 2.0, 5.0, 9.0]
    curves = torch.rand(50, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = crossing_strength(strengths, curves, 0.3)
    dense = torch.linspace(0, 9, 9001, dtype=torch.float64)
    for curve, where in zip(curves, found, strict=True):
        right = torch.bucketize(dense, torch.tensor(strengths, dtype=torch.float64)).clamp(1, 4)
        x0, x1 = (torch.tensor(strengths, dtype=torch.float64)[right - k] for k in (1, 0))
        drawn = curve[right - 1] + (curve[right] - curve[right - 1]) * (dense - x0) / (x1 - x0)
        hits = (drawn <= 0.3).nonzero()
        assert math.isinf(where) if not len(hits) else abs(dense[hits[0, 0]] - where) <= 1.1e-3


@pytest.mark.parametrize(
    ("strengths", "accuracies", "level", "message"),
    [
        ([0], torch.ones(1), 0.5, "strengths: expected at least two"),
        ([0, 2, 1], torch.ones(3), 0.5, "each larger than the one before"),
        ([-1, 1], torch.ones(2), 0.5, r"strengths\[0\]"),
        ([0, 1], torch.ones(3), 0.5, r"accuracies: expected shape \(..., 2\)"),
        ([0, 1], torch.ones(2, 2), torch.ones(3), "level: expected a number or shape"),
    ],
)
def test_bad_input_is_refused(strengths, accuracies, level, message):
    with pytest.raises(ValueError, match=message):
        crossing_strength(strengths, accuracies, level)


def test_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="float tensor"):
        crossing_strength([0, 1], torch.ones(2, dtype=torch.long), 0.5)
