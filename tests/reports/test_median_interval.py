"""The interval of a median: its coverage, what infinity does to it, and its messages."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from blindspots.reports.median_interval import median_interval


def test_the_published_ranks_for_twenty_values():
    # Tables of the sign test: the 6th and the 15th of 20 hold the median with 95.9 %.
    assert median_interval(range(1, 21)) == (10.5, 6.0, 15.0)


@pytest.mark.parametrize("n", [6, 9, 20, 57])
def test_it_is_the_narrowest_pair_of_ranks_that_reaches_the_level(n):
    _, low, high = median_interval(range(1, n + 1))
    assert low + high == n + 1
    assert 1 - 2 * binom.cdf(low - 1, n, 0.5) >= 0.95 > 1 - 2 * binom.cdf(low, n, 0.5)


def test_it_holds_the_median_as_often_as_it_says():
    draws = np.random.default_rng(0).exponential(size=(2000, 20))
    held = [low <= math.log(2) <= high for _, low, high in map(median_interval, draws)]
    assert 0.945 < np.mean(held) < 0.975  # 95.9 % up to chance


def test_infinite_values_stay_so_and_few_values_have_all_of_their_range():
    assert median_interval([0.1, 0.2, math.inf]) == (0.2, 0.1, math.inf)
    assert median_interval([0.1, math.inf])[0] == math.inf
    assert median_interval([3.0]) == (3.0, 3.0, 3.0)


def test_the_level_counts():
    assert median_interval(range(20), level=0.5)[1] > median_interval(range(20), level=0.95)[1]


@pytest.mark.parametrize("values, level", [([], 0.95), ([math.nan], 0.95), ([1.0], 1.0)])
def test_what_has_no_median_is_refused(values, level):
    with pytest.raises(ValueError, match="values: expected numbers without NaN and a level below 1"):
        median_interval(values, level=level)
