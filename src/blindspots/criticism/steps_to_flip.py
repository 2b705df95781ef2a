"""How many steps of the attack an example withstands: P4's measure of how well it fits its class."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack
from blindspots.attacks.iterated_fgsm import iterated_fgsm
from blindspots.types import Classifier, Counts


def steps_to_flip(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    step_size: float | int,
    steps: int = 10,
    norm: str = "linf",
    batch_size: int = 256,
) -> Counts:
    """Count the steps of iterated FGSM until the model prefers another class.

    Images that flipped leave their batch, so examples that are easy to flip cost little.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes.
        step_size: of `iterated_fgsm`, in the norm, in units of the [0, 1] range, > 0. P4: 0.001.
        steps: M, most steps tried, at least 1. P4: 10.
        norm: "linf" or "l2".
        batch_size: images attacked together, which bounds the memory; no image depends on the others.

    Returns:
        (N,), from 0 to M + 1: 0 = misclassified without an attack, m = flipped by the m-th step, M + 1 = still
        correctly classified after M steps, or where the gradient is 0.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: P4 Section 3.3.
    Differs from the paper: it names no count for examples that were wrong from the start; 0 keeps them apart.
    """
    check_attack(images, labels)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    counts = []
    for some, their_labels in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        result = iterated_fgsm(model, some, their_labels, step_size=step_size, steps=steps, norm=norm)
        counts.append(torch.where(result.success, result.steps, steps + 1))
    return torch.cat(counts)
