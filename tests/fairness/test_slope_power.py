"""Size and power of the slope test: exact where the theory is, and honest where the variance is wrong."""

import pytest
import torch

from blindspots.fairness.group_slope_test import group_slope_test
from blindspots.fairness.slope_power import rejection_rate, slope_power
from blindspots.seeding import generator

G = torch.linspace(6.0, 11.5, 41, dtype=torch.float64)
COUNTS = torch.logspace(0.8, 3.3, 41).round().long()[torch.randperm(41, generator=generator(5))]


def within(rate, probability):
    """Return whether a rate of so many repetitions is within 3.3 standard errors (1 in 1000) of a probability."""
    return abs(rate.rate - probability) < 3.3 * (probability * (1 - probability) / rate.repetitions) ** 0.5


@pytest.mark.parametrize("variance", ["paper", "binomial"])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_the_size_is_the_level_under_the_model_the_test_assumes(variance, level):
    options = dict(noise="gaussian", spread=0.3, variance=variance, level=level, repetitions=20000)
    size = slope_power(0.0, G, COUNTS, generator=generator(0), **options)
    assert within(size, level) and size.level == level
    assert size.interval[0] < size.rate < size.interval[1] and size.interval[1] - size.interval[0] < 0.02


@pytest.mark.parametrize("variance", ["paper", "binomial"])
def test_the_power_is_that_of_the_noncentral_f_distribution(variance):
    stats = pytest.importorskip("scipy.stats")
    weights = COUNTS.double().sqrt() if variance == "paper" else COUNTS.double()
    spread = 0.05 * weights.mean().sqrt().item()
    center = (weights * G).sum() / weights.sum()
    shift = (0.012 / spread) ** 2 * (weights * (G - center).square()).sum().item()
    expected = stats.ncf.sf(stats.f.isf(0.05, 1, 39), 1, 39, shift)
    assert 0.2 < expected < 0.95
    options = dict(noise="gaussian", spread=spread, variance=variance, repetitions=20000)
    assert within(slope_power(0.012, G, COUNTS, generator=generator(1), **options), expected)
    assert within(slope_power(-0.012, G, COUNTS, generator=generator(2), **options), expected)


def test_counted_images_keep_the_size_with_the_binomial_variance():
    size = slope_power(0.0, G, COUNTS * 10, variance="binomial", repetitions=20000, generator=generator(3))
    assert within(size, 0.05)


def test_counted_images_of_unequal_groups_break_the_size_of_the_papers_variance():
    # Small groups scatter as 1 / n, the test weighs them by sqrt(n) only. Here they lie at one end of the covariate.
    order = COUNTS.sort().values
    size = slope_power(0.0, G, order, variance="paper", repetitions=20000, generator=generator(4))
    assert size.interval[0] > 0.055
    spread = slope_power(0.0, G, order, variance="binomial", spread=0.05, repetitions=20000, generator=generator(4))
    assert spread.interval[0] > 0.055, "nor does the binomial one know that countries differ by themselves"


def test_power_grows_with_slope_and_images_and_falls_with_spread():
    def power(slope=0.01, counts=COUNTS, **options):
        return slope_power(slope, G, counts, generator=generator(6), **options).rate

    assert 0.1 < power() < 0.9
    assert power(0.005) < power() < power(0.02)
    assert power() < power(counts=4 * COUNTS)
    assert power(spread=0.05) < power()
    assert power(level=0.01) < power() < power(level=0.2)
    assert power(mean_accuracy=0.5) < power()


def test_the_drawn_shares_are_judged_as_the_test_itself_would():
    found = slope_power(0.01, G, COUNTS, repetitions=50, generator=generator(7))
    draws = generator(7)
    torch.randn(50, 41, generator=draws, dtype=torch.float64)  # the spread, drawn whatever it is
    n = COUNTS.double()
    line = 0.85 + 0.01 * (G - (n * G).sum() / n.sum())
    shares = torch.binomial(n.expand(50, 41), line.expand(50, 41), generator=draws) / n
    assert found.rejected == int((group_slope_test(shares, G, COUNTS).p_value <= 0.05).sum()) > 0
    assert found == slope_power(0.01, G, COUNTS, repetitions=50, generator=generator(7))
    assert found != slope_power(0.01, G, COUNTS, repetitions=50, generator=generator(8))


def test_a_rate_counts_the_level_itself():
    rate = rejection_rate(torch.tensor([0.04, 0.05, 0.06, 1.0], dtype=torch.float64), 0.05)
    assert rate.rejected == 2 and rate.rate == 0.5 and rate.repetitions == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(slope=0.1), r"slope: expected a line of probabilities in \[0, 1\], got"),
        (dict(noise="gaussian"), "spread: expected a number > 0 with gaussian noise"),
        (dict(counts=COUNTS * 0), "counts: expected at least one image"),
        (dict(covariate=G * 0), "covariate: expected groups that differ"),
        (dict(covariate=G[:1], counts=COUNTS[:1]), "covariate: expected at least 3 groups"),
        (dict(level=1), "level: expected a number below 1"),
        (dict(repetitions=0), "repetitions: expected a finite number >= 1"),
        (dict(spread=-0.1), "spread: expected a finite number >= 0"),
        (dict(variance="none"), "variance: expected one of paper, binomial"),
        (dict(noise="none"), "noise: expected one of binomial, gaussian"),
        (dict(mean_accuracy=1.2), "mean_accuracy: expected a finite number >= 0 and <= 1"),
    ],
)
def test_bad_input_is_named(changes, message):
    arguments = dict(slope=0.0, covariate=G, counts=COUNTS, generator=generator(0)) | changes
    with pytest.raises(ValueError, match=message):
        slope_power(**arguments)
