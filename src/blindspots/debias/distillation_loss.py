"""What a student is held to: its outputs against a teacher's, by divergence, by squared difference, or by both."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_number

LOSSES = ("kd", "mse", "norm")


def distillation_loss(
    student: Tensor, teacher: Tensor, *, loss: str | Mapping[str, float] = "kd", temperature: float | int = 1.0
) -> Tensor:
    """Return the mean loss of a student's outputs against a teacher's.

    - "kd": T^2 KL(softmax(t / T) || softmax(s / T)), summed over classes; T^2 keeps its gradient of one size.
    - "mse": the mean over examples and outputs of (t - s)^2.
    - "norm": the mean over examples of || t - s ||_2, as the pseudo-code has it.

    Args:
        student: (N, K) logits, or (N, 1) predictions of a regression.
        teacher: (N, K) likewise; gradients do not flow into it.
        loss: one of the three, or weights by name, as {"kd": 0.9, "mse": 0.1}. "kd" needs two classes at least.
        temperature: T > 0 of "kd"; 1 where "kd" has no part.

    Returns:
        Scalar >= 0, 0 for equal outputs.

    Raises:
        TypeError, ValueError: outputs of other shapes, an unknown loss, weights that are negative or all 0, or a
            temperature without "kd".

    Source: P3, Algorithm 1, line 17 ("norm"); Sec. 5.1.3 (KD at temperature 1 by default); Table 6 (mixtures);
        Hinton et al. (2015) for "kd".
    Differs from the paper: KD is not written out there; there is no term of the labels here, which Algorithm 1 does not
        have either.
    """
    weights = check_distillation(loss, temperature)
    if not isinstance(student, Tensor) or student.ndim != 2 or student.shape != teacher.shape:
        got = [tuple(given.shape) if isinstance(given, Tensor) else given for given in (student, teacher)]
        raise ValueError(f"student: expected outputs (N, K) of the teacher's shape, got {got[0]} and {got[1]}")
    if "kd" in weights and student.shape[1] < 2:
        raise ValueError('loss: expected "mse" or "norm" for a regression, got "kd", which needs classes')
    return sum(
        weight * _TERMS[name](student, teacher.detach(), temperature) for name, weight in weights.items() if weight
    )


def check_distillation(loss: str | Mapping[str, float], temperature: float | int) -> dict[str, float]:
    """Raise unless these are options of `distillation_loss`, and return the weights by name."""
    weights = {loss: 1.0} if isinstance(loss, str) else dict(loss)
    for name, weight in weights.items():
        check_choice(name, "loss", LOSSES)
        check_number(weight, f'loss["{name}"]', at_least=0.0)
    if not any(weights.values()):
        raise ValueError(f"loss: expected one of {', '.join(LOSSES)} or weights that are not all 0, got {loss!r}")
    check_number(temperature, "temperature", above=0.0)
    if temperature != 1 and not weights.get("kd"):
        raise ValueError(f'temperature: expected 1 without "kd" in the loss, got {temperature}; it would do nothing')
    return weights


def _divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    wanted, given = ((outputs / temperature).log_softmax(1) for outputs in (teacher, student))
    return temperature**2 * (wanted.exp() * (wanted - given)).sum(1).mean()


def _squares(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    return (teacher - student).square().mean()


def _norms(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    return torch.linalg.vector_norm(teacher - student, dim=1).mean()


_TERMS = {"kd": _divergence, "mse": _squares, "norm": _norms}
