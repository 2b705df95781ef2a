"""Recalls of many models on the same examples: as measured, and on examples drawn again, the same for all models."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots.debias.group_cells import count_cells
from blindspots.debias.resampled_cells import resampled_cell_means


def cell_recalls(hits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """Return the shares of right predictions of M models by group and label, as `odds_of` and `eacc_of` take them.

    Args:
        hits: (M, N) of 0 and 1: whether each model is right.
        labels: (N,) integers in [0, K).
        groups: (N,) integers 0 or 1.

    Returns:
        (M, 2, K) float64 in [0, 1], on the CPU.

    Raises:
        TypeError, ValueError: a wrong kind or shape, one group only, or an empty cell, which is named.
    """
    counts = _checked_counts(hits, labels, groups)
    member = torch.nn.functional.one_hot(groups.long() * counts.shape[1] + labels.long(), counts.numel())
    return (hits.cpu().double() @ member.cpu().double()).reshape(-1, *counts.shape) / counts


def resampled_recalls(
    hits: Tensor, labels: Tensor, groups: Tensor, *, resamples: int, generator: torch.Generator
) -> Tensor:
    """Return recalls of M models on examples drawn again within their cell (label and group), with replacement.

    A resample is the same for all models, so differences between models are paired.

    Args:
        hits, labels, groups: as in `cell_recalls`.
        resamples: at least 1.
        generator: a CPU generator, advanced.

    Returns:
        (resamples, M, 2, K) float64 in [0, 1], on the CPU.

    Raises:
        TypeError, ValueError: as `cell_recalls`, or an option out of range.
    """
    _checked_counts(hits, labels, groups)
    return resampled_cell_means(hits, labels, groups, resamples=resamples, generator=generator)


def _checked_counts(hits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    counts = count_cells(labels, groups)
    if not isinstance(hits, Tensor) or hits.ndim != 2 or hits.shape[1] != len(labels):
        got = tuple(hits.shape) if isinstance(hits, Tensor) else type(hits).__name__
        raise ValueError(f"hits: expected shape (M, {len(labels)}), one row per model, got {got}")
    return counts
