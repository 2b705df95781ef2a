"""The value of one function with the gradient of another: how an attacker passes what has no gradient."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from blindspots import checks


class _Replaced(torch.autograd.Function):
    @staticmethod
    def forward(ctx, surrogate: Tensor, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def straight_through(values: Tensor, surrogate: Tensor) -> Tensor:
    """Return exactly `values`, with the gradient of `surrogate`.

    Args:
        values: any shape; taken as constants.
        surrogate: shape, dtype and device of values, differentiable in what the gradient is wanted for.

    Returns:
        A copy of values that a backward pass goes through as if it were the surrogate. No second derivative.

    Raises:
        TypeError, ValueError: not tensors of one shape, dtype and device.

    Source: Bengio et al. (2013), the straight-through estimator; Athalye et al. (2018), Section 4.1, backward
    pass differentiable approximation (BPDA).
    """
    checks.check_same_shape(values, surrogate, "values", "surrogate")
    return _Replaced.apply(surrogate, values.detach())
