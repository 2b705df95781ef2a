"""How fast the loss's gradient can turn: a bound on paper for one hidden layer."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks


def perceptron_smoothness(first: Tensor, second: Tensor, *, slope: float | int = 1.0, bend: float | int = 1.0) -> float:
    r"""Bound the Lipschitz constant in x of the cross-entropy's gradient, for logits V s(W x + b) + c.

    With p the probabilities, g = p - e_y and V' the rows of V less their mean, the Hessian in x is
        W^T ( S V^T (diag(p) - p p^T) V S + diag(s''(.) (V^T g)) ) W,     S = diag(s'(.)).
    The middle of the first term is at most 1/2 in norm, and |(V^T g)_m| at most the range of V's column m, so
        L <= ||W||^2 ( slope^2 ||V'||^2 / 2 + bend max_m (max_k V_km - min_k V_km) ).

    Args:
        first: W (M, D), in float64 for a bound that rounding does not touch.
        second: V (K, M).
        slope: largest |s'|; 1 for ELU.
        bend: largest |s''|, where it exists; 1 for ELU.

    Returns:
        The bound, over all x, labels, b and c.

    Raises:
        TypeError, ValueError: matrices that do not fit, or negative options.

    Source: our calculation, for the condition gamma > L of Sinha, Namkoong and Duchi (2018). In the units of
    `robust_surrogate`, whose cost is the squared distance without a half, the condition is 2 gamma > L.
    """
    if first.ndim != 2 or second.ndim != 2 or second.shape[1] != first.shape[0]:
        raise ValueError(
            f"second: expected (K, M) beside first (M, D), got {tuple(second.shape)} beside {tuple(first.shape)}"
        )
    checks.check_finite(first, "first")
    checks.check_finite(second, "second")
    checks.check_number(slope, "slope", at_least=0.0)
    checks.check_number(bend, "bend", at_least=0.0)
    outer, inner = first.detach().double(), second.detach().double()
    stretch = torch.linalg.matrix_norm(outer, 2).item() ** 2
    spread = torch.linalg.matrix_norm(inner - inner.mean(0), 2).item() ** 2
    reach = (inner.amax(0) - inner.amin(0)).max().item()
    return stretch * (0.5 * slope**2 * spread + bend * reach)
