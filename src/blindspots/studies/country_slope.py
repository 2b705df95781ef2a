"""From predictions on images with countries to P0's first test: accuracy by country against log income."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.data.sets import ImageSet
from blindspots.fairness import GroupAccuracies, SlopeTest, group_accuracies, group_slope_test


@dataclass(frozen=True)
class CountrySlope:
    """What Figure 4.1 shows.

    Attributes:
        countries: names of the G countries that are in the fit, poor to rich.
        log_income: (G,) float64.
        accuracies: of these countries, see `group_accuracies`; `overall` and `worst` are over them too.
        test: the fitted line and its test, see `group_slope_test`.
    """

    countries: tuple[str, ...]
    log_income: Tensor
    accuracies: GroupAccuracies
    test: SlopeTest


def country_slope(
    predictions: Tensor,
    judged: ImageSet,
    *,
    variance: str = "paper",
    intercept: bool = True,
    fewest: int = 1,
) -> CountrySlope:
    """Regress the accuracy of each country on the logarithm of its income and test the slope.

    Args:
        predictions: (N,) integer classes, or (S, N), a row per model.
        judged: the N images, with groups["country"] and the extra income.
        variance, intercept: of `group_slope_test`.
        fewest: images a country must have to be in the fit, at least 1. Countries without images are never in it.

    Returns:
        CountrySlope.

    Raises:
        TypeError, ValueError: images without countries or incomes, too few countries left, or what the kernels refuse.

    Source: P0, Section 4, first test and Figure 4.1.
    """
    checks.check_number(fewest, "fewest", at_least=1, integer=True)
    for name, held in (("groups", judged.groups), ("extras", judged.extras)):
        wanted = "country" if name == "groups" else "income"
        if wanted not in held:
            raise ValueError(f"judged: expected {name}[{wanted!r}], got {', '.join(held) or 'nothing'}; see data.load")
    country, income = judged.groups["country"], judged.extras["income"]
    counts = torch.bincount(country, minlength=len(judged.group_names["country"]))
    kept = (counts >= fewest).nonzero().squeeze(1)
    if len(kept) < 2:
        raise ValueError(
            f"fewest: expected at least two countries with {fewest} images or more, got {len(kept)}; lower it"
        )
    number = torch.full_like(counts, -1)
    number[kept] = torch.arange(len(kept))
    rows = (number[country] >= 0).nonzero().squeeze(1)
    own = number[country[rows]]
    log_income = torch.zeros(len(kept), dtype=torch.float64)
    log_income[own] = torch.as_tensor(income)[rows].double().log()
    found = group_accuracies(predictions[..., rows], judged.labels[rows], own, n_groups=len(kept))
    return CountrySlope(
        countries=tuple(judged.group_names["country"][index] for index in kept.tolist()),
        log_income=log_income,
        accuracies=found,
        test=group_slope_test(found.by_group, log_income, found.counts, variance=variance, intercept=intercept),
    )
