"""Overlap: identical, opposite and partly shared explanations with known weights."""

import dataclasses
import math

import pytest
import torch

from blindspots.criticism import Explanation, explanation_overlap

SEGMENTS = torch.tensor([[0, 0, 1, 1], [2, 3, 4, 5]])


def explained(*weights, segments=SEGMENTS):
    """Return an explanation of classes 0, 1, ... with the given weights."""
    rows = torch.tensor(weights)
    n = len(rows)
    return Explanation(
        classes=torch.arange(n),
        weights=rows,
        intercepts=torch.zeros(n),
        scores=torch.ones(n),
        outputs=torch.zeros(n),
        kept=rows != 0,
        segments=segments,
        masks=torch.ones(2, rows.shape[1], dtype=torch.bool),
        sample_weights=torch.ones(2),
        effective_samples=2.0,
        determined=True,
    )


CLEAN = explained([3.0, 2.0, 1.0, -1.0, -2.0, -3.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
MOVED = explained([3.0, -2.0, 1.0, 2.0, -1.0, 0.5], [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])


def test_an_explanation_shares_everything_with_itself():
    found = explanation_overlap(CLEAN, CLEAN, 0, 0, n_superpixels=3)
    assert (found.pixels, found.superpixels, found.shared) == (1, 1, 3)
    assert found.rank_correlation == pytest.approx(1) and found.shared_by_chance == 1.5


def test_opposite_weights_share_nothing():
    found = explanation_overlap(CLEAN, MOVED, 0, 1, n_superpixels=3)
    assert (found.pixels, found.superpixels, found.shared) == (0, 0, 0)
    assert found.rank_correlation == pytest.approx(-1)
    assert explanation_overlap(CLEAN, MOVED, 0, 1, n_superpixels=6, positive_only=False).superpixels == 1


def test_partly_shared_by_hand_and_symmetric():
    # tops of two: superpixels 0 and 1 (four pixels) against 0 and 3 (three pixels)
    found = explanation_overlap(CLEAN, MOVED, 0, 0, n_superpixels=2)
    assert (found.shared, found.superpixels, found.pixels) == (1, 1 / 3, 2 / 5)
    assert found.shared_by_chance == pytest.approx(2 * 2 / 6)
    assert explanation_overlap(MOVED, CLEAN, 0, 0, n_superpixels=2) == found


def test_chance_is_the_mean_over_random_tops():
    draws = torch.Generator().manual_seed(0)
    shared = [
        explanation_overlap(
            *(explained((1 + torch.randperm(6, generator=draws)).float().tolist()) for _ in range(2)),
            0,
            0,
            n_superpixels=2,
        )
        for _ in range(600)
    ]
    # a standard deviation near 0.6 in each draw gives a standard error of 0.025
    assert sum(one.shared for one in shared) / 600 == pytest.approx(shared[0].shared_by_chance, abs=0.08)


def test_other_superpixels_are_compared_by_pixels_alone():
    other = explained([3.0, -1.0], segments=torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]]))
    found = explanation_overlap(CLEAN, other, 0, 0, n_superpixels=1)
    assert found.pixels == 0.5
    assert (found.shared, found.shared_by_chance, found.superpixels, found.rank_correlation) == (None,) * 4


def test_an_empty_explanation_is_not_a_number():
    found = explanation_overlap(CLEAN, CLEAN, 1, 1)
    assert math.isnan(found.pixels) and math.isnan(found.superpixels) and math.isnan(found.rank_correlation)
    assert found.shared == 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="n_superpixels"):
        explanation_overlap(CLEAN, MOVED, 0, 0, n_superpixels=0)
    with pytest.raises(ValueError, match="explained classes"):
        explanation_overlap(CLEAN, MOVED, 0, 5)
    small = dataclasses.replace(CLEAN, segments=SEGMENTS[:1])
    with pytest.raises(ValueError, match="explain both at one size"):
        explanation_overlap(CLEAN, small, 0, 0)
