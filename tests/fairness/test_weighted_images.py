"""What weights do to drawing and to steps."""

import pytest
import torch

from blindspots.fairness.weighted_images import (
    WeightedImages,
    check_weighted,
    draw_rows,
    step_factors,
    why_diverged,
)
from blindspots.seeding import generator

WEIGHTS = torch.tensor([1.0, 1.0, 2.0, 6.0], dtype=torch.float64)


def test_rows_come_in_proportion_to_their_weights():
    rows = draw_rows(WEIGHTS, 20000, generator(0))
    shares = torch.bincount(rows, minlength=4) / 20000
    expected = WEIGHTS / 10
    assert ((shares - expected).abs() < 4 * (expected * (1 - expected) / 20000).sqrt()).all()
    assert torch.equal(rows, draw_rows(WEIGHTS.float() * 3, 20000, generator(0)))
    assert not torch.equal(rows, draw_rows(WEIGHTS, 20000, generator(1)))


def test_factors_by_hand():
    assert step_factors(WEIGHTS, "sampling_only").tolist() == [1, 1, 1, 1]
    assert step_factors(WEIGHTS, "literal").tolist() == [1, 1, 2, 6]
    assert step_factors(WEIGHTS, "normalized").tolist() == pytest.approx([0.4, 0.4, 0.8, 2.4])
    with pytest.raises(ValueError, match="weighting: expected one of sampling_only, literal, normalized"):
        step_factors(WEIGHTS, "normalised")


def test_the_mean_literal_step_is_two_thirds_of_the_largest_weight():
    weights = torch.arange(1.0, 3001.0, dtype=torch.float64)
    drawn = step_factors(weights, "literal")[draw_rows(weights, 200000, generator(0))]
    assert drawn.mean().item() == pytest.approx(2 / 3 * 3000, rel=0.01)


def test_the_reason_names_the_weights():
    text = why_diverged(WEIGHTS, "literal", 0.1, 7)
    assert "step 7" in text and "times 6:" in text and "sampling_only" in text
    assert "lower it" in why_diverged(WEIGHTS, "normalized", 0.1, 7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(weights=torch.tensor([1.0, 0.0, 1.0, 1.0])), "robust_data.weights: expected weights > 0, got 0"),
        (dict(weights=torch.tensor([1.0, float("inf"), 1.0, 1.0])), "robust_data.weights: expected finite"),
        (dict(weights=torch.ones(3)), r"robust_data.weights: expected floats \(4,\)"),
        (dict(weights=torch.ones(4, dtype=torch.long)), "got torch.int64"),
        (dict(labels=torch.zeros(3, dtype=torch.long)), r"robust_data.labels: expected shape \(4,\)"),
        (dict(images=torch.full((4, 1, 2, 2), 2.0)), r"robust_data.images: expected values in \[0, 1\]"),
    ],
)
def test_bad_sets_are_named(changes, message):
    parts = dict(images=torch.zeros(4, 1, 2, 2), labels=torch.zeros(4, dtype=torch.long), weights=WEIGHTS) | changes
    with pytest.raises(ValueError, match=message):
        check_weighted(WeightedImages(**parts))
