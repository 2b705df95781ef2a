"""Reliability of a ranking: what new pictures would give, on data whose answer is known."""

import math

import pytest
import torch
from scipy import stats

from blindspots.latent import RankReliability, rank_reliability
from blindspots.seeding import generator


def measured(*, n_classifiers, n, spread, seed=0):
    """Values whose means over pictures differ by `spread` between classifiers, under noise of 1."""
    draws = generator(seed)
    options = dict(generator=draws, dtype=torch.float64)
    own, picture = torch.randn(n_classifiers, 1, **options), torch.randn(1, n, **options)
    return spread * own + picture, lambda: spread * own + picture + torch.randn(n_classifiers, n, **options)


@pytest.mark.parametrize(("n", "spread"), [(40, 0.1), (100, 0.1), (100, 0.3)])
def test_it_is_the_correlation_with_other_pictures(n, spread):
    # Many classifiers make both numbers sharp; what all pictures have in common does not count.
    _, draw = measured(n_classifiers=4000, n=n, spread=spread)
    found = rank_reliability(draw(), splits=20)
    again = stats.spearmanr(draw().mean(1), draw().mean(1)).statistic
    assert found.value == pytest.approx(again, abs=0.04) and found.n == n
    assert found.half < found.value < 1


def test_the_number_of_pictures_gives_the_reliability_it_promises():
    _, draw = measured(n_classifiers=4000, n=60, spread=0.1)
    wanted = rank_reliability(draw(), splits=20).pictures_for(0.8)
    _, longer = measured(n_classifiers=4000, n=int(wanted), spread=0.1)
    assert rank_reliability(longer(), splits=20).value == pytest.approx(0.8, abs=0.05)
    assert RankReliability(0.0, 60).pictures_for(0.9) == math.inf
    assert RankReliability(1.0, 60).pictures_for(0.9) == 1
    half = RankReliability(0.5, 60)
    assert half.value == pytest.approx(2 / 3) and half.pictures_for(2 / 3) in (60, 61)


def test_chance_alone_has_no_reliability_and_equal_classifiers_have_none():
    _, draw = measured(n_classifiers=400, n=50, spread=0.0)
    assert abs(rank_reliability(draw(), splits=50).value) < 0.15
    found = rank_reliability(torch.ones(5, 20))
    assert math.isnan(found.half) and math.isnan(found.value) and found.pictures_for(0.9) == math.inf


def test_the_same_seed_gives_the_same():
    _, draw = measured(n_classifiers=8, n=21, spread=0.2)
    values = draw()
    assert rank_reliability(values, seed=3) == rank_reliability(values, seed=3)
    assert rank_reliability(values, seed=3) != rank_reliability(values, seed=4)


@pytest.mark.parametrize("values", [torch.zeros(2, 9), torch.zeros(4, 3), torch.zeros(9)])
def test_too_little_is_refused(values):
    with pytest.raises(ValueError, match="values: expected at least three classifiers by at least four pictures"):
        rank_reliability(values)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="values"):
        rank_reliability(torch.full((4, 9), torch.inf))
    with pytest.raises(ValueError, match="splits"):
        rank_reliability(torch.arange(36.0).reshape(4, 9), splits=0)
    for reliability in (0.0, 1.0):
        with pytest.raises(ValueError, match="reliability"):
            RankReliability(0.5, 10).pictures_for(reliability)
