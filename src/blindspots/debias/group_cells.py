"""Cells: the examples of one label in one group. What they hold, and an error that names the one that is empty."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots.checks import check_labels, check_number


def check_group_inputs(inputs: Tensor) -> None:
    """Raise unless inputs is a float tensor (N, ...) of at least one example."""
    if not isinstance(inputs, Tensor) or not inputs.is_floating_point() or inputs.ndim < 2 or not len(inputs):
        got = f"{inputs.dtype} {tuple(inputs.shape)}" if isinstance(inputs, Tensor) else type(inputs).__name__
        raise ValueError(f"inputs: expected a float tensor (N, ...) of at least one example, got {got}")


def check_groups(groups: Tensor, n: int, *, name: str = "groups") -> None:
    """Raise unless groups is an integer tensor (N,) of 0 and 1; one of them alone is let through."""
    if not isinstance(groups, Tensor):
        raise TypeError(f"{name}: expected an integer tensor (N,), got {type(groups).__name__}; use torch.as_tensor")
    if groups.is_floating_point() or groups.is_complex() or groups.dtype == torch.bool:
        raise TypeError(f"{name}: expected an integer tensor of 0 and 1, got {groups.dtype}; convert with .long()")
    if groups.shape != (n,):
        raise ValueError(f"{name}: expected shape ({n},), one per example, got {tuple(groups.shape)}")
    low, high = (bound.item() for bound in torch.aminmax(groups))
    if low < 0 or high > 1:
        raise ValueError(
            f"{name}: expected two values, 0 and 1, got values from {low} to {high}; map a bias variable of several "
            "values onto two first"
        )


def check_both_groups(groups: Tensor, n: int) -> None:
    """Raise unless groups is an integer tensor (N,) that holds 0 and 1 and nothing else."""
    check_groups(groups, n)
    low, high = (bound.item() for bound in torch.aminmax(groups))
    if low == high:
        raise ValueError(
            f"groups: expected examples of both groups, got group {high} only; a comparison of groups needs two"
        )


def count_cells(labels: Tensor, groups: Tensor, *, n_classes: int | None = None) -> Tensor:
    """Count the examples of each label in each group.

    Args:
        labels: (N,) integers in [0, K).
        groups: (N,) integers, 0 or 1.
        n_classes: K, at least 2; None for one more than the largest label, and 2 at least.

    Returns:
        (2, K) integers on the CPU: row g, column y is the number of examples of label y in group g. None is 0.

    Raises:
        TypeError, ValueError: labels or groups of a wrong kind, shape or value; one group only; a class without
            examples; a group without examples of a class.
    """
    if not isinstance(labels, Tensor) or labels.ndim != 1 or not len(labels):
        got = tuple(labels.shape) if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"labels: expected an integer tensor (N,) of at least one example, got {got}")
    if n_classes is not None:
        check_number(n_classes, "n_classes", at_least=2, integer=True)
    check_labels(labels, len(labels), n_classes=n_classes)
    check_both_groups(groups, len(labels))
    n_classes = max(2, int(labels.max()) + 1) if n_classes is None else n_classes
    cells = groups.long().to(labels.device) * n_classes + labels.long()
    counts = torch.bincount(cells, minlength=2 * n_classes).reshape(2, n_classes).cpu()
    absent = torch.nonzero(counts.sum(0) == 0).flatten().tolist()
    if absent:
        raise ValueError(
            f"labels: expected every class from 0 to {n_classes - 1}, got none of class "
            f"{', '.join(map(str, absent))}; leave such a class out and count from 0 again"
        )
    empty = [f"label {label} in group {group}" for group, label in torch.nonzero(counts == 0).tolist()]
    if empty:
        raise ValueError(
            f"labels: expected examples of every class in both groups, got none with {' and none with '.join(empty)}; "
            "rates of an empty cell are not defined, add examples or merge classes"
        )
    return counts
