"""Accuracy by country, of one model or of fifty: what the slope is fitted to."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from blindspots import checks
from blindspots.fairness.group_balanced import group_sizes


@dataclass(frozen=True)
class GroupAccuracies:
    """Shares of images classified correctly.

    Attributes:
        by_group: (G,) or (S, G) float64 in [0, 1].
        counts: (G,) long, images per group.
        overall: () or (S,), of all images.
        worst: () or (S,), the smallest of by_group.
    """

    by_group: Tensor
    counts: Tensor
    overall: Tensor
    worst: Tensor


def group_accuracies(
    predictions: Tensor, labels: Tensor, groups: Tensor, *, n_groups: int | None = None
) -> GroupAccuracies:
    """Return the accuracy of each group, overall and of the worst.

    Args:
        predictions: (N,) integer classes, or (S, N), a row per model.
        labels: (N,), the true classes.
        groups: (N,) integers 0 to G - 1, for instance countries.
        n_groups: G; None for one more than the largest.

    Returns:
        GroupAccuracies on the device of the predictions. The worst of many small groups is low by chance alone: look at
        `counts`.

    Raises:
        TypeError, ValueError: shapes that do not fit, fewer than two groups, or a group without images, which is named.

    Source: P0, Section 4: "compute accuracies by groups". Worst-group accuracy: Sagawa et al. (2020).
    """
    if predictions.ndim not in (1, 2) or not predictions.numel():
        raise ValueError(f"predictions: expected (N,) or (S, N), got {tuple(predictions.shape)}")
    n = predictions.shape[-1]
    rows = predictions[None] if predictions.ndim == 1 else predictions
    checks.check_labels(rows[0], n, name="predictions")
    checks.check_labels(labels, n)
    counts = group_sizes(groups, n, n_groups=n_groups).to(rows.device)
    right = (rows == labels.to(rows.device)).double()
    hits = right.new_zeros(len(rows), len(counts)).index_add(1, groups.long().to(rows.device), right)
    shares, overall = hits / counts, right.mean(1)
    worst = shares.amin(1)
    if predictions.ndim == 1:
        shares, overall, worst = shares[0], overall[0], worst[0]
    return GroupAccuracies(by_group=shares, counts=counts, overall=overall, worst=worst)
