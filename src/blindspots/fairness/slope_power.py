"""How often the slope test rejects when the slope is known: its size at 0, its power elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.fairness.group_slope_test import VARIANCES, check_covariate, fit_slopes, slope_weights
from blindspots.fairness.tail_probabilities import rejection_interval

NOISES = ("binomial", "gaussian")


@dataclass(frozen=True)
class RejectionRate:
    """How often a test rejected on planted data.

    Attributes:
        rate: share of the repetitions with p <= level.
        rejected: their number.
        repetitions: all.
        interval: exact 95 % interval of the probability to reject, given the repetitions.
        level: of significance.
    """

    rate: float
    rejected: int
    repetitions: int
    interval: tuple[float, float]
    level: float


def rejection_rate(p_values: Tensor, level: float | int) -> RejectionRate:
    """Return how many of p-values (R,) are at most the level."""
    rejected = int((p_values <= level).sum())
    n = len(p_values)
    return RejectionRate(rejected / n, rejected, n, rejection_interval(rejected, n), float(level))


def slope_power(
    slope: float | int,
    covariate: Tensor,
    counts: Tensor,
    *,
    mean_accuracy: float | int = 0.85,
    noise: str = "binomial",
    spread: float | int = 0.0,
    variance: str = "paper",
    level: float | int = 0.05,
    repetitions: int = 2000,
    generator: torch.Generator,
) -> RejectionRate:
    r"""Plant a slope, draw accuracies of groups around it, and count how often `group_slope_test` rejects.

        q_i = mean_accuracy + slope (g_i - m),    m the mean of g over images
    "binomial": p_i is the share of n_i images that are right with probability q_i, itself off by a Gaussian of
    standard deviation `spread` from group to group. "gaussian": p_i = q_i + spread sqrt(Sigma_ii) z_i, what the test
    assumes; its size is then the level exactly.

    Args:
        slope: true beta, accuracy per unit of the covariate; 0 gives the size of the test.
        covariate: (G,), at least three groups, not all equal.
        counts: (G,), images per group, at least 1.
        mean_accuracy: of all images, in [0, 1].
        noise: "binomial" or "gaussian".
        spread: as above, in units of accuracy, >= 0; > 0 for "gaussian".
        variance: the test's Sigma, "paper" or "binomial".
        level: of significance, in (0, 1).
        repetitions: draws, at least 1.
        generator: a CPU generator; it is advanced.

    Returns:
        RejectionRate.

    Raises:
        TypeError, ValueError: groups that no line can be fitted to, a planted line that leaves [0, 1] ("binomial"), or
            an option out of range.

    Source: P0, Section 4; the paper reports neither size nor power.
    """
    checks.check_number(slope, "slope")
    check_covariate(covariate, counts)
    checks.check_number(mean_accuracy, "mean_accuracy", at_least=0.0, at_most=1.0)
    checks.check_choice(noise, "noise", NOISES)
    checks.check_number(spread, "spread", at_least=0.0)
    checks.check_choice(variance, "variance", VARIANCES)
    check_level(level)
    checks.check_number(repetitions, "repetitions", at_least=1, integer=True)
    checks.check_generator(generator)
    g, n = covariate.double().cpu(), counts.double().cpu()
    weights = slope_weights(n, variance)
    line = mean_accuracy + slope * (g - (n * g).sum() / n.sum())
    normal = torch.randn(repetitions, len(g), generator=generator, dtype=torch.float64)
    if noise == "gaussian":
        if spread == 0:
            raise ValueError(
                "spread: expected a number > 0 with gaussian noise, got 0; a line without noise is certain"
            )
        values = line + spread * normal / weights.sqrt()
    else:
        low, high = line.min().item(), line.max().item()
        if low < 0 or high > 1:
            raise ValueError(
                f"slope: expected a line of probabilities in [0, 1], got [{low:.3g}, {high:.3g}] over the groups; "
                "lower the slope or move mean_accuracy"
            )
        chances = (line + spread * normal).clamp(0.0, 1.0)
        values = torch.binomial(n.expand_as(chances), chances, generator=generator) / n
    return rejection_rate(fit_slopes(values, g, weights).p_value, level)


def check_level(level: float | int) -> None:
    """Raise unless this is a level of significance, between 0 and 1."""
    checks.check_number(level, "level", above=0.0, at_most=1.0)
    if level == 1:
        raise ValueError("level: expected a number below 1, got 1; such a test always rejects")
