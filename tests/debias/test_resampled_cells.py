"""Resampled means by cell: their center and spread are those of theory, and models share their resamples."""

import pytest
import torch

from blindspots.debias.logit_effects import cell_means
from blindspots.debias.resampled_cells import common_seeds, resampled_cell_means
from blindspots.seeding import generator

LABELS = torch.arange(240) % 2
GROUPS = (torch.arange(240) % 3 == 0).long()
VALUES = torch.randn(3, 240, generator=generator(5), dtype=torch.float64)


def draws(values=VALUES, seed=0, **options):
    options = {"resamples": 4000} | options
    return resampled_cell_means(values, LABELS, GROUPS, generator=generator(seed), **options)


def test_means_and_spreads_are_those_of_the_cells():
    drawn = draws()
    assert drawn.shape == (4000, 3, 2, 2) and drawn.dtype == torch.float64
    exact = cell_means(VALUES.T, LABELS, GROUPS).permute(2, 1, 0)
    for group in (0, 1):
        for label in (0, 1):
            cell = VALUES[:, (group == GROUPS) & (label == LABELS)]
            error = cell.std(1, correction=0) / cell.shape[1] ** 0.5
            mine = drawn[:, :, group, label]
            # A mean of 4,000 draws errs by error / 63, their standard deviation by about 1.1 % of itself.
            assert torch.allclose(mine.mean(0), exact[:, group, label], atol=float(5 * error.max() / 63))
            assert torch.allclose(mine.std(0), error, rtol=0.06)


def test_rows_share_their_resamples():
    pair = torch.stack([VALUES[0], VALUES[0] + 1])
    drawn = draws(pair)
    assert torch.allclose(drawn[:, 1] - drawn[:, 0], torch.ones(()).double())


def test_the_seed_decides():
    assert torch.equal(draws(resamples=100), draws(resamples=100))
    assert not torch.equal(draws(resamples=100), draws(resamples=100, seed=1))


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (VALUES[:, :7], {}, r"values: expected shape \(M, 240\), one column per label, got \(3, 7\)"),
        (VALUES[0], {}, r"values: expected shape \(M, 240\)"),
        (VALUES * float("inf"), {}, "values: expected finite values"),
        (VALUES, {"resamples": 0}, "resamples: expected"),
    ],
)
def test_bad_arguments_are_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        draws(values, **options)


def test_names_must_have_the_same_seeds():
    assert common_seeds([("a", 3), ("a", 1), ("b", 3), ("b", 1)]) == (3, 1)
    with pytest.raises(ValueError, match="runs: expected the same seeds"):
        common_seeds([("a", 3), ("a", 1), ("b", 3)])
    with pytest.raises(ValueError, match="runs: expected at least one"):
        common_seeds([])
