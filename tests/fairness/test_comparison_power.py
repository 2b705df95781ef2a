"""Size and power of the comparison of slopes against the noncentral t distribution."""

import pytest

from blindspots.fairness.comparison_power import comparison_power
from blindspots.seeding import generator

SPREAD = (0.003, 0.006)


def within(rate, probability):
    return abs(rate.rate - probability) < 3.3 * (probability * (1 - probability) / rate.repetitions) ** 0.5


def rates(difference=0.0, seed=0, **options):
    chosen = dict(spread=SPREAD, repetitions=20000) | options
    return comparison_power(difference, generator=generator(seed), **chosen)


def test_the_size_is_the_level_of_each_test():
    assert within(rates(test="paired", correlation=0.6), 0.05)
    assert within(rates(test="pooled", spread=(0.003, 0.003)), 0.05)
    assert within(rates(test="welch", level=0.1), 0.1)


def test_pooling_pairs_that_are_alike_is_too_shy():
    assert rates(test="pooled", correlation=0.6).interval[1] < 0.04


def test_the_power_of_pairs_is_that_of_the_noncentral_t_distribution():
    stats = pytest.importorskip("scipy.stats")
    deviation = (SPREAD[0] ** 2 + SPREAD[1] ** 2 - 2 * 0.5 * SPREAD[0] * SPREAD[1]) ** 0.5
    expected = stats.nct.sf(stats.t.isf(0.05, 49), 49, 0.0015 / deviation * 50**0.5)
    assert 0.3 < expected < 0.9
    assert within(rates(0.0015, correlation=0.5), expected)


def test_power_grows_with_what_it_should():
    base = rates(0.001).rate
    assert rates(0.0005).rate < base < rates(0.002).rate
    assert rates(0.001, n_models=10).rate < base < rates(0.001, correlation=0.8).rate
    assert rates(-0.002).rate < 0.01, "the test looks to one side only"
    assert rates(0.001, repetitions=100) == rates(0.001, repetitions=100)
    assert rates(0.001, repetitions=100) != rates(0.001, repetitions=100, seed=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(n_models=1), "n_models: expected a finite number >= 2"),
        (dict(spread=(0.0, 1.0)), "spread: expected a finite number > 0"),
        (dict(correlation=1), "correlation: expected a number below 1"),
        (dict(correlation=-1.0), "correlation: expected a finite number > -1"),
        (dict(level=0.0), "level: expected a finite number > 0"),
        (dict(repetitions=0), "repetitions: expected"),
        (dict(test="z"), "test: expected one of paired, welch, pooled"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        rates(**options)
