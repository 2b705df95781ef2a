"""What many models on one data set cannot tell: how much of a difference is the data set's own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor

from blindspots import checks
from blindspots.fairness.slope_power import check_level
from blindspots.fairness.tail_probabilities import f_tail, t_tail


@dataclass(frozen=True)
class DataVariance:
    """A mean difference over data sets and models, and what it varies with.

    Attributes:
        mean: of all differences.
        by_set: (R,) float64, the mean of each data set.
        seed_variance: sigma_s^2, of models of one data set.
        data_variance: sigma_d^2, of data sets' expectations; 0 where the estimate is negative.
        f_p_value: of sigma_d^2 = 0, by F = m var(by_set) / seed_variance.
        statistic: t of mean = 0 with data sets as the unit, R - 1 degrees of freedom.
        p_value: one-sided, P(T > statistic).
        model_statistic, model_p_value: the same with all R m models as if they were independent.
        n_sets, n_models: R, and m per set.
    """

    mean: float
    by_set: Tensor
    seed_variance: float
    data_variance: float
    f_p_value: float
    statistic: float
    p_value: float
    model_statistic: float
    model_p_value: float
    n_sets: int
    n_models: int

    @property
    def data_share(self) -> float:
        """Return the data set's share in [0, 1] of the variance of one model's difference."""
        return self.data_variance / (self.data_variance + self.seed_variance)


def data_variance(differences: Tensor) -> DataVariance:
    r"""Split the variance of a difference into what the seed and what the data set makes, and test its mean.

        d_ri = mu + a_r + e_ri,     var(a) = sigma_d^2,  var(e) = sigma_s^2
        sigma_s^2 = mean_r var_i(d_ri),     sigma_d^2 = var_r(mean_i d_ri) - sigma_s^2 / m
        t = mu / sqrt(var_r(mean_i d_ri) / R),     R - 1 degrees of freedom
    The unit of t is the data set, so that it says something of a new one.

    Args:
        differences: (R, m), such as slopes of one method's models less those of another's; a row per data set.

    Returns:
        DataVariance in float64.

    Raises:
        TypeError, ValueError: fewer than two data sets or models, NaN, or differences that do not vary.

    Source: P0, Section 5, leaves "randomness in datasets" and "the complete test" to future work. The estimates are
    those of the balanced one-way layout with random effects (Searle, Casella and McCulloch, 1992).
    """
    if not differences.is_floating_point():
        raise TypeError(f"differences: expected a float tensor (R, m), got {differences.dtype}; convert with .double()")
    if differences.ndim != 2 or min(differences.shape) < 2:
        raise ValueError(f"differences: expected (R, m), both at least 2, got {tuple(differences.shape)}")
    checks.check_finite(differences, "differences")
    wide = differences.double().cpu()
    n_sets, n_models = wide.shape
    by_set, seed = wide.mean(1), wide.var(1).mean().item()
    between, mean = by_set.var().item(), wide.mean().item()
    if seed == 0 or between == 0:
        raise ValueError("differences: expected numbers that vary within and between data sets, got equal ones")
    statistic = mean / math.sqrt(between / n_sets)
    naive = mean / math.sqrt(wide.var().item() / wide.numel())
    return DataVariance(
        mean=mean,
        by_set=by_set,
        seed_variance=seed,
        data_variance=max(0.0, between - seed / n_models),
        f_p_value=f_tail(n_models * between / seed, numerator=n_sets - 1, residual=n_sets * (n_models - 1)).item(),
        statistic=statistic,
        p_value=t_tail(statistic, degrees=n_sets - 1).item(),
        model_statistic=naive,
        model_p_value=t_tail(naive, degrees=wide.numel() - 1).item(),
        n_sets=n_sets,
        n_models=n_models,
    )


def one_set_rejections(
    seed_variance: float | int, data_variance: float | int, *, n_models: int, level: float | int = 0.05
) -> float:
    r"""Return how often a t test on the models of one data set finds a difference that is 0 over data sets.

        a ~ N(0, sigma_d^2) is drawn once, e_i ~ N(0, sigma_s^2) per model;  t sqrt(1 / (1 + S sigma_d^2 / sigma_s^2))
        has Student's distribution with S - 1 degrees of freedom, so that
        P(t > q) = P(T_{S-1} > q / sqrt(1 + S sigma_d^2 / sigma_s^2))
    One-sided. It tends to 1/2 as S grows, unless sigma_d^2 = 0, where it is the level.

    Args:
        seed_variance: sigma_s^2 > 0, of models of one data set.
        data_variance: sigma_d^2 >= 0, of data sets' expectations.
        n_models: S, at least 2; 50 in the paper.
        level: of significance, in (0, 1).

    Raises:
        TypeError, ValueError: an option out of range.

    Source: P0, Section 4, second test, whose models share one data set.
    """
    checks.check_number(seed_variance, "seed_variance", above=0.0)
    checks.check_number(data_variance, "data_variance", at_least=0.0)
    checks.check_number(n_models, "n_models", at_least=2, integer=True)
    check_level(level)
    bound = float(stats.t.isf(level, n_models - 1)) / math.sqrt(1.0 + n_models * data_variance / seed_variance)
    return t_tail(torch.tensor(bound), degrees=n_models - 1).item()
