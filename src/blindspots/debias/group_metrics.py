"""How unlike two groups are treated, and how well: equalized odds and equalized accuracy, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_generator, check_labels, check_number
from blindspots.debias.group_cells import count_cells


@dataclass(frozen=True)
class GroupRates:
    """Shares of right predictions by group and label.

    Attributes:
        recalls: (2, K) float64 in [0, 1]: row g, column y is P(prediction = y | Y = y, B = g).
        counts: (2, K) integers: the examples these shares come from.
    """

    recalls: Tensor
    counts: Tensor

    @property
    def tpr(self) -> tuple[float, float]:
        """Return the true positive rates in [0, 1] of groups 0 and 1; two classes only."""
        return self._column(1)

    @property
    def tnr(self) -> tuple[float, float]:
        """Return the true negative rates in [0, 1] of groups 0 and 1; two classes only."""
        return self._column(0)

    @property
    def odds(self) -> float:
        """Return the equalized odds difference in percent."""
        return odds_of(self.recalls).item()

    @property
    def eacc(self) -> float:
        """Return the equalized accuracy in percent."""
        return eacc_of(self.recalls).item()

    @property
    def group_eacc(self) -> tuple[float, float]:
        """Return each group's own mean of recalls in percent: (TPR + TNR) / 2 with two classes."""
        first, second = (100 * self.recalls.mean(1)).tolist()
        return first, second

    def _column(self, label: int) -> tuple[float, float]:
        if self.recalls.shape[1] != 2:
            raise ValueError(f"labels: expected two classes, got {self.recalls.shape[1]}; read recalls instead")
        first, second = self.recalls[:, label].tolist()
        return first, second


@dataclass(frozen=True)
class GroupIntervals:
    """Percentile intervals (low, high) in percent, of the bootstrap.

    Attributes:
        odds: of the equalized odds difference. It is a mean of absolute values, so its interval hardly reaches 0.
        eacc: of the equalized accuracy.
        odds_if_fair: what Odds would measure on these many examples if both groups had the pooled recalls. A measured
            value inside cannot be told from a fair classifier's.
        gaps: of the signed recall of group 0 less that of group 1, one interval per class.
    """

    odds: tuple[float, float]
    eacc: tuple[float, float]
    odds_if_fair: tuple[float, float]
    gaps: tuple[tuple[float, float], ...]


def equalized_odds(predictions: Tensor, labels: Tensor, groups: Tensor, *, n_classes: int | None = None) -> float:
    """Return the equalized odds difference (Odds) in percent; 0 is best, 100 worst.

    Odds = (|TPR_0 - TPR_1| + |TNR_0 - TNR_1|) / 2 for two classes; for K, the mean over classes of the absolute
    difference of the groups' recalls, which is the same thing for K = 2.

    Args:
        predictions: (N,) integers in [0, K).
        labels: (N,) integers in [0, K), the ground truth.
        groups: (N,) integers 0 or 1, the bias variable.
        n_classes: K; None for one more than the largest label or prediction, and 2 at least.

    Raises:
        TypeError, ValueError: a wrong kind, shape or value, one group only, or an empty cell, which is named.

    Source: P3, Sec. 3, Eq. 1; equal to fairlearn's differences of true and of false positive rates, averaged.
    Differs from the paper: nothing for two classes; with more, the paper has no Odds, and the macro form is ours.
    """
    return group_rates(predictions, labels, groups, n_classes=n_classes).odds


def equalized_accuracy(predictions: Tensor, labels: Tensor, groups: Tensor, *, n_classes: int | None = None) -> float:
    """Return the equalized accuracy (EAcc) in percent: the mean of all recalls by class and group.

    EAcc = (TPR_0 + TPR_1 + TNR_0 + TNR_1) / 4 for two classes. Arguments and errors as in `equalized_odds`.

    Source: P3, Sec. 3, Eq. 2.
    Differs from the paper: the absolute value printed there is of a sum of rates and does nothing.
    """
    return group_rates(predictions, labels, groups, n_classes=n_classes).eacc


def class_balanced_accuracy(predictions: Tensor, labels: Tensor, *, n_classes: int | None = None) -> float:
    """Return the mean of the classes' recalls in percent, (TPR + TNR) / 2 with two: the EAcc of a single group.

    Args:
        predictions, labels, n_classes: as in `equalized_odds`.

    Raises:
        TypeError, ValueError: a wrong kind, shape or value, or a class without examples.

    Source: P3, Table 4. The paper does not say what EAcc of one group is; its rows of all images with one trigger
        equal the mean of their two groups' rows in 11 of 12 cells, which this definition gives and others do not.
    """
    # The same examples as both groups: the mean over groups is then that of the one there is.
    both = [torch.cat([given, given]) if isinstance(given, Tensor) else given for given in (predictions, labels)]
    n = len(labels) if isinstance(labels, Tensor) and labels.ndim else 0
    groups = torch.arange(2).repeat_interleave(n)
    return group_rates(*both, groups, n_classes=n_classes).eacc


def group_rates(predictions: Tensor, labels: Tensor, groups: Tensor, *, n_classes: int | None = None) -> GroupRates:
    """Return the shares of right predictions by group and label; arguments and errors as in `equalized_odds`."""
    if isinstance(labels, Tensor) and labels.ndim == 1 and len(labels):
        check_labels(predictions, len(labels), n_classes=n_classes, name="predictions")
        if n_classes is None:
            check_labels(labels, len(labels))
            n_classes = max(2, int(labels.max()) + 1, int(predictions.max()) + 1)
    counts = count_cells(labels, groups, n_classes=n_classes)
    hit = (predictions.to(labels.device) == labels).long()
    cells = groups.long().to(labels.device) * counts.shape[1] + labels.long()
    hits = torch.zeros(counts.numel(), dtype=torch.long, device=labels.device).index_add(0, cells, hit)
    return GroupRates(recalls=hits.reshape(counts.shape).cpu().double() / counts, counts=counts)


def odds_of(recalls: Tensor) -> Tensor:
    """Return Odds (...) in percent from recalls (..., 2, K) in [0, 1]."""
    return 100 * (recalls[..., 0, :] - recalls[..., 1, :]).abs().mean(-1)


def eacc_of(recalls: Tensor) -> Tensor:
    """Return EAcc (...) in percent from recalls (..., 2, K) in [0, 1]."""
    return 100 * recalls.mean((-2, -1))


def group_intervals(
    predictions: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    n_classes: int | None = None,
    generator: torch.Generator,
) -> GroupIntervals:
    """Bootstrap Odds and EAcc of one model on one sample of examples.

    Examples are drawn again within their cell (label and group), so no resample has an empty one. Right predictions
    among n drawn from a cell with share r of them follow Binomial(n, r), which is drawn instead of the examples.
    This is the spread of the sample, not of training: seeds have their own.

    Args:
        predictions, labels, groups, n_classes: as in `equalized_odds`.
        resamples: at least 100.
        level: coverage, in (0, 0.999].
        generator: a CPU generator, advanced.

    Returns:
        GroupIntervals.

    Raises:
        TypeError, ValueError: as `equalized_odds`, or an option out of range.

    Source: no part of P3, which prints standard deviations over runs for a few rows.
    """
    check_number(resamples, "resamples", at_least=100, integer=True)
    check_number(level, "level", above=0.0, at_most=0.999)
    check_generator(generator)
    rates = group_rates(predictions, labels, groups, n_classes=n_classes)
    counts = rates.counts.double()
    pooled = ((rates.recalls * counts).sum(0) / counts.sum(0)).expand_as(counts)

    def resampled(recalls: Tensor) -> Tensor:
        shape = (resamples, *counts.shape)
        return torch.binomial(counts.expand(shape).clone(), recalls.expand(shape).clone(), generator=generator) / counts

    def interval(values: Tensor) -> tuple[float, float]:
        tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=values.dtype)
        low, high = values.quantile(tails).tolist()
        return low, high

    drawn, fair = resampled(rates.recalls), resampled(pooled)
    gaps = 100 * (drawn[:, 0] - drawn[:, 1])
    return GroupIntervals(
        odds=interval(odds_of(drawn)),
        eacc=interval(eacc_of(drawn)),
        odds_if_fair=interval(odds_of(fair)),
        gaps=tuple(interval(gap) for gap in gaps.unbind(1)),
    )
