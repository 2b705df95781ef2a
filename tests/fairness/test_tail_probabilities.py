"""P0's printed statistics give its printed probabilities, by one reading of each test."""

import math

import pytest
import torch

from blindspots.fairness.tail_probabilities import f_tail, rejection_interval, t_tail


def test_the_printed_f_gives_the_printed_probability():
    assert f"{f_tail(5.392, numerator=1, residual=39).item():.5f}" == "0.02554"
    for other in (38, 40):
        assert f"{f_tail(5.392, numerator=1, residual=other).item():.5f}" != "0.02554"


def test_the_printed_t_gives_the_printed_probability_for_pairs_only():
    assert f"{t_tail(3.852, degrees=49).item():.5f}" == "0.00017"
    assert f"{t_tail(3.852, degrees=98).item():.6f}" == "0.000105"
    assert f"{t_tail(3.852, degrees=98, alternative='two_sided').item():.5f}" == "0.00021"


def test_f_with_one_degree_is_the_square_of_t():
    t = torch.linspace(-3, 3, 13, dtype=torch.float64)
    both = t_tail(t, degrees=7, alternative="two_sided")
    torch.testing.assert_close(f_tail(t.square(), numerator=1, residual=7), both)


def test_the_tails_of_one_degree_are_those_of_the_cauchy_distribution():
    t = torch.tensor([-2.0, 0.0, 0.3, 10.0], dtype=torch.float64)
    expected = 0.5 - torch.atan(t) / math.pi
    torch.testing.assert_close(t_tail(t, degrees=1), expected)
    torch.testing.assert_close(t_tail(t, degrees=1, alternative="less"), 1 - expected)
    torch.testing.assert_close(t_tail(t, degrees=torch.ones(4)), expected)


def test_the_interval_is_where_the_binomial_tails_are_equal():
    low, high = rejection_interval(3, 20, level=0.9)

    def at_least(p, k):
        return sum(math.comb(20, j) * p**j * (1 - p) ** (20 - j) for j in range(k, 21))

    assert at_least(low, 3) == pytest.approx(0.05) and 1 - at_least(high, 4) == pytest.approx(0.05)
    assert rejection_interval(0, 10)[0] == 0 and rejection_interval(10, 10)[1] == 1
    assert rejection_interval(0, 10)[1] == pytest.approx(1 - 0.025 ** (1 / 10))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f_tail(-1.0, numerator=1, residual=3), "statistic: expected F >= 0, got -1"),
        (lambda: f_tail(float("nan"), numerator=1, residual=3), "statistic: expected numbers, got NaN"),
        (lambda: f_tail(1.0, numerator=0, residual=3), "numerator: expected a finite number >= 1"),
        (lambda: f_tail(1.0, numerator=1, residual=0), "residual: expected a finite number >= 1"),
        (lambda: t_tail(1.0, degrees=0), "degrees: expected degrees of freedom > 0, got 0"),
        (lambda: t_tail(1.0, degrees=3, alternative="both"), "alternative: expected one of greater, less, two_sided"),
        (lambda: rejection_interval(11, 10), "rejected: expected a finite number >= 0 and <= 10"),
        (lambda: rejection_interval(1, 10, level=1.0), "level: expected a number below 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
