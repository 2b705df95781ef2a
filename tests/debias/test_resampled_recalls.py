"""Recalls of many models: the metrics' own numbers, resamples within cells that models share."""

import pytest
import torch

from blindspots.debias import cell_recalls, group_rates, resampled_recalls
from blindspots.debias.group_metrics import odds_of
from blindspots.seeding import generator

LABELS = torch.arange(240) % 2
GROUPS = torch.arange(240) // 2 % 3 // 2  # group 1 is smaller
HITS = torch.rand(3, 240, generator=generator(0)) < torch.tensor([0.9, 0.6, 1.0])[:, None]


def test_recalls_are_those_of_each_model_alone():
    found = cell_recalls(HITS, LABELS, GROUPS)
    for hits, recalls in zip(HITS, found, strict=True):
        predictions = torch.where(hits, LABELS, 1 - LABELS)
        torch.testing.assert_close(recalls, group_rates(predictions, LABELS, GROUPS).recalls)


def test_resamples_spread_around_the_recalls_as_a_binomial_does():
    drawn = resampled_recalls(HITS, LABELS, GROUPS, resamples=4000, generator=generator(1))
    assert drawn.shape == (4000, 3, 2, 2)
    share = cell_recalls(HITS, LABELS, GROUPS)
    counts = group_rates(LABELS, LABELS, GROUPS).counts
    expected = (share * (1 - share) / counts).sqrt()
    # Of 4,000 draws the mean errs by std / 63, the standard deviation by about 1 %; five times that.
    assert ((drawn.mean(0) - share).abs() <= 5 * expected / 63 + 1e-12).all()
    torch.testing.assert_close(drawn.std(0), expected, rtol=0.06, atol=1e-12)


def test_all_models_see_the_same_resamples():
    twice = resampled_recalls(HITS[[0, 0, 1]], LABELS, GROUPS, resamples=50, generator=generator(2))
    assert torch.equal(twice[:, 0], twice[:, 1]) and not torch.equal(twice[:, 0], twice[:, 2])
    assert odds_of(twice).shape == (50, 3)


def test_a_seed_decides_the_resamples():
    first, again, other = (
        resampled_recalls(HITS, LABELS, GROUPS, resamples=5, generator=generator(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"hits: expected shape \(M, 240\)"):
        cell_recalls(HITS[:, :7], LABELS, GROUPS)
    with pytest.raises(ValueError, match="group 0 only"):
        cell_recalls(HITS, LABELS, torch.zeros_like(GROUPS))
    with pytest.raises(ValueError, match="resamples"):
        resampled_recalls(HITS, LABELS, GROUPS, resamples=0, generator=generator(0))
