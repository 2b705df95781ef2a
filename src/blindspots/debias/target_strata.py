"""Part the range of a regression's target, so that what is counted by class can be counted for it too."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from blindspots.checks import check_finite, check_number


def quantile_edges(targets: Tensor, n_strata: int) -> tuple[float, ...]:
    """Return the n_strata - 1 values that part targets (N,) into strata of nearly equal size.

    Raises:
        TypeError, ValueError: targets that are no finite numbers (N,), fewer than two strata, or so many equal targets
            that two edges fall together.
    """
    values = _checked(targets)
    check_number(n_strata, "n_strata", at_least=2, integer=True)
    shares = torch.arange(1, n_strata, dtype=torch.float64) / n_strata
    edges = values.quantile(shares).tolist()
    if len(set(edges)) < len(edges) or edges[0] <= values.min():
        raise ValueError(f"n_strata: expected strata that are parted, got edges {edges}; take fewer than {n_strata}")
    return tuple(edges)


def target_strata(targets: Tensor, edges: Sequence[float]) -> Tensor:
    """Return the stratum (N,) of each target: how many of the edges it reaches.

    With edges (30, 60), 29.9 is in stratum 0, 30 in 1 and 60 in 2: ages become the groups of 30 years.

    Args:
        targets: (N,) finite numbers.
        edges: rising and finite, at least one.

    Returns:
        (N,) long on the device of the targets, in [0, len(edges)].

    Raises:
        TypeError, ValueError: targets or edges of another kind, or edges that do not rise.

    Source: P3, Sec. 5.5 ("age groups every 30 years").
    """
    values = _checked(targets)
    bounds = [float(edge) for edge in edges]
    rising = all(low < high for low, high in itertools.pairwise(bounds))
    if not bounds or not rising or not all(map(math.isfinite, bounds)):
        raise ValueError(f"edges: expected finite numbers that rise, at least one, got {bounds}")
    return torch.bucketize(values, torch.tensor(bounds, dtype=values.dtype, device=values.device), right=True)


def _checked(targets: Tensor) -> Tensor:
    if not isinstance(targets, Tensor) or targets.ndim != 1 or not len(targets):
        got = tuple(targets.shape) if isinstance(targets, Tensor) else type(targets).__name__
        raise ValueError(f"targets: expected a tensor (N,) of at least one number, got {got}")
    values = targets.double()
    check_finite(values, "targets")
    return values
