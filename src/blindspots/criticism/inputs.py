"""What the kernels here ask of features and of indices."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks


def check_features(features: Tensor, name: str = "features") -> None:
    """Raise unless features is a finite float tensor (N, D) with at least one row and one column."""
    if not isinstance(features, Tensor):
        raise TypeError(f"{name}: expected a torch tensor (N, D), got {type(features).__name__}; use torch.as_tensor")
    if features.ndim != 2 or features.numel() == 0:
        raise ValueError(f"{name}: expected shape (N, D) with N, D >= 1, got {tuple(features.shape)}; flatten them")
    if not features.is_floating_point():
        raise TypeError(f"{name}: expected a float tensor, got {features.dtype}; convert with .float()")
    checks.check_finite(features, name)


def check_indices(indices: Tensor, n_examples: int, name: str) -> None:
    """Raise unless indices is an integer tensor (M,), M >= 1, of different rows from 0 to n_examples - 1."""
    if not isinstance(indices, Tensor) or indices.ndim != 1 or len(indices) == 0:
        got = tuple(indices.shape) if isinstance(indices, Tensor) else type(indices).__name__
        raise ValueError(f"{name}: expected a tensor of indices (M,) with M >= 1, got {got}")
    if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
        raise TypeError(f"{name}: expected integer indices, got {indices.dtype}; turn a mask into .nonzero().flatten()")
    low, high = (bound.item() for bound in torch.aminmax(indices))
    if low < 0 or high >= n_examples:
        raise ValueError(
            f"{name}: expected indices from 0 to {n_examples - 1}, got values from {low} to {high}; "
            "they are rows of the features given"
        )
    if len(indices.unique()) < len(indices):
        raise ValueError(f"{name}: expected each example once, got an index twice; take the unique values")
