"""P0's first test: does accuracy by country rise with income?"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from blindspots import checks
from blindspots.fairness.tail_probabilities import f_tail

VARIANCES = ("paper", "binomial")


@dataclass(frozen=True)
class SlopeTest:
    """A fitted line and the test of its slope; one for accuracies (G,), or one per row of (M, G).

    Attributes:
        slope: () or (M,), beta: accuracy per unit of the covariate.
        intercept: likewise; None for a line through the origin.
        standard_error: of the slope.
        statistic: F of slope = 0, the square of slope / standard_error.
        p_value: P(F > statistic) under slope = 0.
        scale: estimated s^2 in Cov = s^2 Sigma. With "binomial" it is p (1 - p) where nothing but the number of images
            makes countries differ, and more where something else does.
        residual_degrees: groups less coefficients; the numerator has one.
        n_groups: G.
    """

    slope: Tensor
    intercept: Tensor | None
    standard_error: Tensor
    statistic: Tensor
    p_value: Tensor
    scale: Tensor
    residual_degrees: int
    n_groups: int


def group_slope_test(
    accuracy: Tensor, covariate: Tensor, counts: Tensor, *, variance: str = "paper", intercept: bool = True
) -> SlopeTest:
    r"""Regress accuracy by group on a covariate by generalized least squares and test whether the slope is 0.

        p_i = intercept + beta g_i + e_i,     Cov(e) = s^2 Sigma, Sigma diagonal,
        F = beta^2 / (s^2 sum_i (g_i - m)^2 / Sigma_ii),   m the weighted mean of g,
    with s^2 estimated from the residuals. Under beta = 0 and Gaussian errors F has (1, G - 2) degrees of freedom, or
    (1, G - 1) for a line through the origin, where m is 0.

    Args:
        accuracy: (G,) or (M, G), shares in [0, 1] of images classified correctly, a row per model.
        covariate: (G,), for instance the logarithm of income per person; not all equal.
        counts: (G,), images per group, at least 1.
        variance: Sigma_ii: "paper" for 1 / sqrt(n_i); "binomial" for 1 / n_i, as a share of n_i images has.
        intercept: fit one; False is the line through the origin, as the paper prints its model.

    Returns:
        SlopeTest in float64 on the device of accuracy. Where all accuracies of a row are equal, the fitted slope is
        exactly 0, F is 0 and p is 1 (with an intercept).

    Raises:
        TypeError, ValueError: fewer than three groups (two without intercept), equal covariates, a group without
            images, NaN, accuracies outside [0, 1], or shapes that do not fit.

    Source: P0, Section 4: Sigma_ii = 1 / sqrt(n_i), F_0 = 5.392 with 1 and 39 degrees of freedom, p = 0.02554.
    Differs from the paper: it prints p = beta g + e, without an intercept. F = 5.392 goes with a fit that has one: 39
    residual degrees are 41 countries, and a line through the origin has an F in the thousands, since accuracies lie
    near 0.9 and not near 0. "binomial" is not in the paper.
    """
    values, g, n = _check_groups(accuracy, covariate, counts, intercept=intercept)
    checks.check_choice(variance, "variance", VARIANCES)
    fitted = fit_slopes(values, g, slope_weights(n, variance), intercept=intercept)
    if accuracy.ndim == 2:
        return fitted
    alone = {
        part.name: held[0] if isinstance(held := getattr(fitted, part.name), Tensor) else held
        for part in fields(fitted)
    }
    return SlopeTest(**alone)


def slope_weights(counts: Tensor, variance: str) -> Tensor:
    """Return 1 / Sigma_ii (G,) for counts (G,) of images: their root for "paper", themselves for "binomial"."""
    return counts.double().sqrt() if variance == "paper" else counts.double()


def fit_slopes(values: Tensor, covariate: Tensor, weights: Tensor, *, intercept: bool = True) -> SlopeTest:
    """Fit and test the lines of `group_slope_test`, unchecked: values may be any numbers.

    Args:
        values: (M, G) float64, a row per model.
        covariate: (G,) float64.
        weights: (G,) float64, 1 / Sigma_ii.
        intercept: fit one.
    """
    total = weights.sum()
    center = (weights * covariate).sum() / total if intercept else torch.zeros_like(total)
    spread = covariate - center
    remaining = values
    if intercept:
        # Less their first entry first, so that equal ones leave no rounding behind.
        shifted = values - values[:, :1]
        remaining = shifted - (shifted * weights).sum(1, keepdim=True) / total
    information = (weights * spread.square()).sum()
    slope = (remaining * weights * spread).sum(1) / information
    residuals = remaining - slope[:, None] * spread
    degrees = len(covariate) - (2 if intercept else 1)
    scale = (weights * residuals.square()).sum(1) / degrees
    error = (scale / information).sqrt()
    statistic = torch.where(slope == 0, 0.0, slope.square() / error.square())
    return SlopeTest(
        slope=slope,
        intercept=(values * weights).sum(1) / total - slope * center if intercept else None,
        standard_error=error,
        statistic=statistic,
        p_value=f_tail(statistic, numerator=1, residual=degrees).to(values.device),
        scale=scale,
        residual_degrees=degrees,
        n_groups=len(covariate),
    )


def _check_groups(
    accuracy: Tensor, covariate: Tensor, counts: Tensor, *, intercept: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return accuracies (M, G), covariate (G,) and counts (G,) in float64 on one device, or raise."""
    for name, given in (("accuracy", accuracy), ("covariate", covariate), ("counts", counts)):
        if not isinstance(given, Tensor):
            raise TypeError(f"{name}: expected a torch tensor, one number per group, got {type(given).__name__}")
        if given.is_complex() or given.dtype == torch.bool:
            raise TypeError(f"{name}: expected real numbers, got {given.dtype}")
    if accuracy.ndim not in (1, 2) or not accuracy.numel():
        raise ValueError(f"accuracy: expected (G,) or (M, G), got {tuple(accuracy.shape)}; one number per group")
    check_covariate(covariate, counts, intercept=intercept)
    if accuracy.shape[-1] != len(covariate):
        raise ValueError(
            f"accuracy: expected {len(covariate)} groups, as many as the covariate has, got {accuracy.shape[-1]}"
        )
    checks.check_finite(accuracy, "accuracy (NaN is what a group without images has: leave such groups out)")
    low, high = (bound.item() for bound in torch.aminmax(accuracy))
    if low < 0 or high > 1:
        raise ValueError(f"accuracy: expected shares in [0, 1], got [{low:g}, {high:g}]; divide percentages by 100")
    values = accuracy.double()
    rows = values[None] if accuracy.ndim == 1 else values
    return rows, covariate.to(rows), counts.to(rows)


def check_covariate(covariate: Tensor, counts: Tensor, *, intercept: bool = True) -> None:
    """Raise unless a line can be fitted to these groups: enough of them, not all alike, each with images.

    Args:
        covariate: (G,), finite.
        counts: (G,), images per group.
        intercept: of the line; with one it takes three groups, else two.
    """
    if not isinstance(intercept, bool):
        raise TypeError(f"intercept: expected True or False, got {type(intercept).__name__} {intercept!r}")
    if covariate.ndim != 1:
        raise ValueError(f"covariate: expected (G,), one number per group, got {tuple(covariate.shape)}")
    least = 3 if intercept else 2
    if len(covariate) < least:
        raise ValueError(
            f"covariate: expected at least {least} groups, so that the line leaves residuals, got {len(covariate)}; "
            "a slope between countries cannot be tested with so few"
        )
    if counts.shape != covariate.shape:
        raise ValueError(f"counts: expected shape {tuple(covariate.shape)}, one per group, got {tuple(counts.shape)}")
    checks.check_finite(covariate, "covariate")
    checks.check_finite(counts, "counts")
    if (counts < 1).any():
        empty = (counts < 1).nonzero().squeeze(1).tolist()
        raise ValueError(
            f"counts: expected at least one image in every group, got none in group {', '.join(map(str, empty))}; "
            "leave these groups out of all three arguments"
        )
    if (covariate == covariate[0]).all() and (intercept or covariate[0] == 0):
        raise ValueError(
            f"covariate: expected groups that differ, got {covariate[0].item():g} in all {len(covariate)}; "
            "equal incomes have no slope"
        )
