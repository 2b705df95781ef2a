"""How often the comparison of slopes rejects when the difference is known: its size at 0, its power elsewhere."""

from __future__ import annotations

import math

import torch

from blindspots import checks
from blindspots.fairness.compare_slopes import compare_slopes
from blindspots.fairness.slope_power import RejectionRate, check_level, rejection_rate


def comparison_power(
    difference: float | int,
    *,
    n_models: int = 50,
    spread: tuple[float | int, float | int],
    correlation: float | int = 0.0,
    test: str = "paired",
    level: float | int = 0.05,
    repetitions: int = 2000,
    generator: torch.Generator,
) -> RejectionRate:
    r"""Draw Gaussian slopes of two methods' models and count how often `compare_slopes` rejects, one-sided.

        a_i ~ N(0, spread[0]^2),     b_i ~ N(difference, spread[1]^2),     corr(a_i, b_i) = correlation

    Args:
        difference: mean(b) - mean(a); 0 gives the size of the test.
        n_models: of each method, at least 2.
        spread: standard deviations over models of a and of b, > 0.
        correlation: of a pair, in (-1, 1); models of one seed and one data set are alike.
        test: "paired", "welch" or "pooled".
        level: of significance, in (0, 1).
        repetitions: draws, at least 1.
        generator: a CPU generator; it is advanced.

    Returns:
        RejectionRate.

    Raises:
        TypeError, ValueError: an option out of range.

    Source: P0, Section 4, second test; the paper reports neither size nor power.
    """
    checks.check_number(difference, "difference")
    checks.check_number(n_models, "n_models", at_least=2, integer=True)
    for value in spread:
        checks.check_number(value, "spread", above=0.0)
    checks.check_number(correlation, "correlation", above=-1.0, at_most=1.0)
    if correlation == 1:
        raise ValueError("correlation: expected a number below 1, got 1; such pairs differ by a constant")
    check_level(level)
    checks.check_number(repetitions, "repetitions", at_least=1, integer=True)
    checks.check_generator(generator)
    own, other = torch.randn(2, repetitions, n_models, generator=generator, dtype=torch.float64)
    partner = correlation * own + math.sqrt(1.0 - correlation**2) * other
    found = compare_slopes(spread[0] * own, difference + spread[1] * partner, test=test)
    return rejection_rate(found.p_value, level)
