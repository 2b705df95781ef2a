"""Rank correlations: scipy's values, exact p-values for few classifiers, intervals that cover."""

import math

import pytest
import torch
from scipy import stats

from blindspots.latent import rank_correlation
from blindspots.seeding import generator


def pair(n, *, noise=1.0, seed=0):
    draws = torch.randn(2, n, generator=generator(seed), dtype=torch.float64)
    return draws[0], draws[0] + noise * draws[1]


@pytest.mark.parametrize("n", [4, 6, 15])
def test_the_values_are_scipys(n):
    first, second = pair(n)
    second = second.round()  # ties
    assert rank_correlation(first, second).value == pytest.approx(stats.spearmanr(first, second).statistic)
    found = rank_correlation(first, second, method="kendall", resamples=100)
    assert found.value == pytest.approx(stats.kendalltau(first, second).statistic) and found.n == n


def test_the_p_value_is_exact_for_few_classifiers():
    # Of 3! pairings two have |rho| = 1; of 4! pairings two.
    assert rank_correlation(torch.tensor([1.0, 2, 3]), torch.tensor([2.0, 5, 9])).p_value == pytest.approx(1 / 3)
    assert rank_correlation(torch.tensor([1.0, 2, 3, 4]), -torch.tensor([2.0, 5, 9, 11])).p_value == pytest.approx(
        1 / 12
    )
    first, second = pair(5)
    found = rank_correlation(first, second, method="kendall", resamples=200)
    assert found.p_value == pytest.approx(stats.kendalltau(first, second, method="exact").pvalue)


def test_only_ranks_count_and_infinity_is_the_last():
    first, second = pair(9)
    found = rank_correlation(first, second)
    assert rank_correlation(first.exp(), 3 * second - 7) == found
    second[second.argmax()] = math.inf
    assert rank_correlation(first, second) == found
    assert rank_correlation(second, first).value == pytest.approx(found.value)
    assert rank_correlation(first, -second).value == pytest.approx(-found.value)


def test_the_interval_covers_a_correlation_that_is_there():
    first, second = pair(15, noise=0.3)
    found = rank_correlation(first, second)
    assert found.interval[0] < found.value <= found.interval[1] and found.interval[0] > 0 and found.p_value < 0.01
    wide = rank_correlation(first, second, level=0.99)
    assert wide.interval[0] < found.interval[0]
    null = rank_correlation(*pair(15, noise=30.0, seed=4))
    assert null.interval[0] < 0 < null.interval[1] and null.p_value > 0.05


def test_seed_and_resamples_matter():
    first, second = pair(12)
    found = rank_correlation(first, second)
    assert found == rank_correlation(first, second)
    assert found.interval != rank_correlation(first, second, seed=1).interval
    assert found.interval != rank_correlation(first, second, resamples=500).interval


def test_resamples_without_a_correlation_are_counted():
    first, second = pair(3)
    found = rank_correlation(first, second)
    # Of 27 resamples of three classifiers three hold one classifier only.
    assert found.n_undefined == pytest.approx(2000 / 9, rel=0.2) and not math.isnan(found.interval[0])
    same = rank_correlation(torch.ones(4), torch.arange(4.0))
    assert math.isnan(same.value) and math.isnan(same.p_value) and math.isnan(same.interval[0])


def test_messages():
    first, second = pair(4)
    with pytest.raises(ValueError, match="at least three"):
        rank_correlation(first[:2], second[:2])
    with pytest.raises(ValueError, match="got NaN"):
        rank_correlation(first * float("nan"), second)
    with pytest.raises(ValueError, match="method"):
        rank_correlation(first, second, method="pearson")
    with pytest.raises(ValueError, match="level"):
        rank_correlation(first, second, level=1.0)
    with pytest.raises(ValueError, match="resamples"):
        rank_correlation(first, second, resamples=10)
