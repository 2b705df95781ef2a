"""Bootstrap means by label and group, the same resampled examples for all models, so that differences are paired."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from blindspots.checks import check_finite, check_generator, check_number
from blindspots.debias.group_cells import count_cells

Interval = tuple[float, float]


def resampled_cell_means(
    values: Tensor, labels: Tensor, groups: Tensor, *, resamples: int, generator: torch.Generator
) -> Tensor:
    """Draw examples again within their cell (label and group) and return each cell's means.

    Args:
        values: (M, N) finite numbers, M things known of each of N examples: whether a model has it right, for instance.
        labels: (N,) integers in [0, K).
        groups: (N,) integers 0 or 1.
        resamples: at least 1.
        generator: a CPU generator, advanced.

    Returns:
        (resamples, M, 2, K) float64 on the CPU, by group and label. No cell of a resample is empty.

    Raises:
        TypeError, ValueError: a wrong kind or shape, values that are not finite, an empty cell.
    """
    check_number(resamples, "resamples", at_least=1, integer=True)
    check_generator(generator)
    counts = count_cells(labels, groups)
    if not isinstance(values, Tensor) or values.ndim != 2 or values.shape[1] != len(labels) or not len(values):
        got = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"values: expected shape (M, {len(labels)}), one column per label, got {got}")
    values, labels, groups = values.detach().cpu().double(), labels.cpu(), groups.cpu()
    check_finite(values, "values")
    means = torch.zeros(resamples, len(values), *counts.shape, dtype=torch.float64)
    for group, label in torch.cartesian_prod(*(torch.arange(size) for size in counts.shape)).tolist():
        mine = ((groups == group) & (labels == label)).nonzero().squeeze(1)
        drawn = torch.randint(len(mine), (resamples, len(mine)), generator=generator)
        times = torch.zeros(resamples, len(mine), dtype=torch.float64).scatter_add_(
            1, drawn, torch.ones((), dtype=torch.float64).expand(drawn.shape)
        )
        means[:, :, group, label] = times @ values[:, mine].T / len(mine)
    return means


def middle_95(draws: Tensor) -> Interval:
    """Return the 2.5 % and 97.5 % quantiles of draws (R,)."""
    low, high = draws.quantile(torch.tensor([0.025, 0.975], dtype=draws.dtype)).tolist()
    return low, high


def common_seeds(keys: Iterable[tuple[str, int]]) -> tuple[int, ...]:
    """Return the seeds, in order, that every name of (name, seed) keys comes with.

    Raises:
        ValueError: no keys, or names with different seeds.
    """
    found: dict[str, list[int]] = {}
    for name, seed in keys:
        found.setdefault(name, []).append(seed)
    if not found:
        raise ValueError("runs: expected at least one, got none")
    first, *others = found.values()
    if any(other != first for other in others):
        raise ValueError(f"runs: expected the same seeds for each method, got {found}")
    return tuple(first)
