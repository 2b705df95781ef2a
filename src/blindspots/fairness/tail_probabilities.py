"""The probabilities behind the printed p-values: an F statistic's and a t statistic's tail."""

from __future__ import annotations

import torch
from scipy import stats
from torch import Tensor

from blindspots import checks

ALTERNATIVES = ("greater", "less", "two_sided")


def _statistics(values: float | int | Tensor, name: str) -> Tensor:
    wide = torch.as_tensor(values, dtype=torch.float64)
    if wide.isnan().any():
        raise ValueError(f"{name}: expected numbers, got NaN; look for it with torch.isnan")
    return wide


def f_tail(statistic: float | int | Tensor, *, numerator: int, residual: int) -> Tensor:
    """Return P(F > statistic) for degrees of freedom (numerator, residual), float64, in the shape of statistic.

    Args:
        statistic: a number or a tensor (...), >= 0; infinity has probability 0.
        numerator: coefficients that are tested at once, at least 1.
        residual: observations less fitted coefficients, at least 1.

    Raises:
        TypeError, ValueError: NaN, a negative statistic, or degrees below 1.
    """
    values = _statistics(statistic, "statistic")
    if (values < 0).any():
        raise ValueError(
            f"statistic: expected F >= 0, got {values.min().item():g}; an F statistic is a ratio of squares"
        )
    checks.check_number(numerator, "numerator", at_least=1, integer=True)
    checks.check_number(residual, "residual", at_least=1, integer=True)
    return torch.as_tensor(stats.f.sf(values.cpu().numpy(), numerator, residual), dtype=torch.float64)


def t_tail(statistic: float | int | Tensor, *, degrees: float | int | Tensor, alternative: str = "greater") -> Tensor:
    """Return the p-value of a t statistic, float64, in the shape of statistic.

    Args:
        statistic: a number or a tensor (...).
        degrees: of freedom, > 0, fractions allowed (Welch); one, or one per statistic.
        alternative: "greater" for P(T > t), "less" for P(T < t), "two_sided" for P(|T| > |t|).

    Raises:
        TypeError, ValueError: NaN, degrees that are not > 0, or another alternative.
    """
    values = _statistics(statistic, "statistic")
    checks.check_choice(alternative, "alternative", ALTERNATIVES)
    freedom = _statistics(degrees, "degrees")
    if not (freedom > 0).all():
        raise ValueError(f"degrees: expected degrees of freedom > 0, got {freedom.min().item():g}; use more models")
    if alternative == "two_sided":
        values = values.abs()
    tail = stats.t.cdf if alternative == "less" else stats.t.sf
    factor = 2.0 if alternative == "two_sided" else 1.0
    return torch.as_tensor(factor * tail(values.cpu().numpy(), freedom.cpu().numpy()), dtype=torch.float64)


def rejection_interval(rejected: int, n: int, *, level: float | int = 0.95) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a probability of which `rejected` of n trials came true.

    Args:
        rejected: from 0 to n.
        n: trials, at least 1.
        level: of confidence, between 0 and 1.

    Raises:
        TypeError, ValueError: counts or a level out of range.

    Source: Clopper and Pearson (1934).
    """
    checks.check_number(n, "n", at_least=1, integer=True)
    checks.check_number(rejected, "rejected", at_least=0, at_most=n, integer=True)
    checks.check_number(level, "level", above=0.0)
    if level >= 1.0:
        raise ValueError(f"level: expected a number below 1, got {level:g}; 0.95 is usual")
    tail = (1.0 - level) / 2.0
    low = 0.0 if rejected == 0 else float(stats.beta.ppf(tail, rejected, n - rejected + 1))
    high = 1.0 if rejected == n else float(stats.beta.ppf(1.0 - tail, rejected + 1, n - rejected))
    return low, high
