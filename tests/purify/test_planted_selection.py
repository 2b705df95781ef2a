"""Where new points of planted clusters go under each rule."""

import pytest
import torch

from blindspots.purify import planted_selection


def selected(sizes, dimension, covariance, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return planted_selection(sizes, dimension, covariance=covariance, generator=generator, **options)


def test_every_row_is_a_set_of_shares():
    shares = selected([5, 9, 30], 6, "ledoit_wolf", n_new=40)
    assert shares.shape == (3, 3) and shares.dtype == torch.float64
    assert torch.allclose(shares.sum(1), torch.ones(3, dtype=torch.float64))
    assert torch.equal((shares * 40).round(), shares * 40)


def test_the_pseudo_inverse_gives_every_point_to_the_smallest_of_few_sample_clusters():
    shares = selected([80, 20, 40, 400], 64, "paper_pinv")
    assert (shares[:, 1] > 0.95).all()


@pytest.mark.parametrize("covariance", ["ledoit_wolf", "euclidean"])
def test_the_other_rules_find_the_source(covariance):
    assert (selected([80, 20, 40, 400], 64, covariance).diagonal() > 0.97).all()


def test_the_pseudo_inverse_finds_the_source_where_samples_abound():
    assert (selected([2000, 2000, 2000], 8, "paper_pinv").diagonal() > 0.97).all()


def test_two_euclidean_clusters_err_as_often_as_theory_says():
    # Means known almost exactly: the error is Phi(-separation / 2), 0.1587 at 2; five standard errors are 0.041.
    shares = selected([20000, 20000], 2, "euclidean", separation=2.0, n_new=2000)
    assert shares[0, 1].item() == pytest.approx(0.1587, abs=0.041)
    assert shares[1, 0].item() == pytest.approx(0.1587, abs=0.041)


def test_the_same_seed_gives_the_same_shares_and_another_does_not():
    first, again, other = (selected([9, 9], 4, "euclidean", seed, separation=1.0) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(
    ("sizes", "dimension", "options", "message"),
    [
        ([5], 4, {}, "number of sizes"),
        ([5, 0], 4, {}, "sizes"),
        ([5, 5, 5], 2, {}, "dimension: expected at least one for each of 3 clusters, got 2"),
        ([5, 5], 4, {"separation": 0.0}, "separation"),
        ([5, 5], 4, {"n_new": 0}, "n_new"),
        ([5, 5], 4, {"covariance": "full"}, "covariance"),
    ],
)
def test_bad_options_are_refused(sizes, dimension, options, message):
    with pytest.raises(ValueError, match=message):
        selected(sizes, dimension, options.pop("covariance", "euclidean"), **options)
