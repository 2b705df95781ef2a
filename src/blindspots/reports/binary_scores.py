"""How well a filter with two answers does: accuracy, area under the curve and F1, each with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks

_CHUNK = 1 << 22  # pairs compared at once


@dataclass(frozen=True)
class Estimate:
    """A number and its two-sided 95 % interval, which holds it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class BinaryScores:
    """What a two-class filter reaches on N images.

    Attributes:
        auc: chance that a positive image has the larger margin of a pair with a negative one, ties as half; in
            [0, 1], 0.5 for a coin.
        f1: harmonic mean of precision and recall of the positive class, in [0, 1]; 0 where nothing is found.
        n: images.
        n_positive: of those, images of the positive class.
    """

    auc: Estimate
    f1: Estimate
    n: int
    n_positive: int


def binary_scores(
    margins: Tensor, labels: Tensor, *, resamples: int = 1000, generator: torch.Generator
) -> BinaryScores:
    r"""Score a two-class filter by its margins.

        AUC = mean over pairs (i positive, j negative) of [m_i > m_j] + [m_i = m_j] / 2,
        F1 = 2 TP / (2 TP + FP + FN),     an image is called positive where m > 0.

    The intervals are percentiles of the bootstrap. Images are resampled within their class, so that every resample
    has the balance of the whole, and both numbers exist in all of them.

    Args:
        margins: (N,), logit of class 1 minus logit of class 0, for instance.
        labels: (N,), 0 or 1; 1 is the positive class. Both must occur.
        resamples: of the bootstrap, at least 1.
        generator: CPU generator of the bootstrap.

    Returns:
        BinaryScores.

    Raises:
        TypeError, ValueError: margins that are no finite numbers (N,), labels that do not fit, one class only.

    Source: P1, section on social media, prints both without an interval. The area is the statistic of Mann and
    Whitney (1947); stratified percentiles as in Efron and Tibshirani (1993), chapters 8 and 13.
    """
    if not isinstance(margins, Tensor) or not margins.is_floating_point():
        kind = margins.dtype if isinstance(margins, Tensor) else type(margins).__name__
        raise TypeError(f"margins: expected a float tensor, got {kind}")
    if margins.ndim != 1 or not len(margins):
        raise ValueError(f"margins: expected one for each image (N,), got {tuple(margins.shape)}")
    checks.check_finite(margins, "margins")
    checks.check_labels(labels, len(margins), n_classes=2)
    checks.check_number(resamples, "resamples", at_least=1, integer=True)
    checks.check_generator(generator)
    margins, positive = margins.detach().cpu().double(), labels.detach().cpu() == 1
    sides = margins[positive], margins[~positive]
    if not all(len(side) for side in sides):
        raise ValueError(f"labels: expected both classes, got {int(positive.sum())} of {len(labels)} positive")
    weights = [torch.cat([torch.ones(1, len(side)), _draws(len(side), resamples, generator)]) for side in sides]
    weights = [part.double() for part in weights]
    found = weights[0] @ (sides[0] > 0).double()
    false = weights[1] @ (sides[1] > 0).double()
    f1 = 2.0 * found / (found + false + len(sides[0]))  # TP + FN is the number of positive images
    return BinaryScores(_estimate(_areas(sides, weights)), _estimate(f1), len(labels), len(sides[0]))


def _draws(n: int, resamples: int, generator: torch.Generator) -> Tensor:
    """Return how often each of n images is drawn (resamples, n)."""
    picks = torch.randint(n, (resamples, n), generator=generator)
    return torch.zeros(resamples, n).scatter_add_(1, picks, torch.ones(resamples, n))


def _areas(sides: tuple[Tensor, Tensor], weights: list[Tensor]) -> Tensor:
    up, down = sides
    totals = torch.zeros(len(weights[0]), dtype=torch.float64)
    size = max(1, _CHUNK // len(down))
    for rows, own in zip(up.split(size), weights[0].split(size, dim=1), strict=True):
        above = (rows[:, None] > down).double() + 0.5 * (rows[:, None] == down).double()
        totals += ((own @ above) * weights[1]).sum(dim=1)
    return totals / (len(up) * len(down))


def _estimate(values: Tensor) -> Estimate:
    """Return the first value with the percentiles of the others, widened where they leave it out."""
    value = values[0].item()
    low, high = (values[1:].quantile(share).item() for share in (0.025, 0.975))
    return Estimate(value, min(low, value), max(high, value))
