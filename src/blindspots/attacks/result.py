"""What an attack returns, and how its success is judged."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import logit_margin
from blindspots.attacks.model import judged
from blindspots.perception.ssim_newton import NewtonDirection
from blindspots.types import Classifier, Counts, Flags, Images, Scores


@dataclass(frozen=True)
class AttackResult:
    """Attacked images and what it took.

    Attributes:
        images: (N, C, H, W), the attacked images.
        success: (N,), whether the model, asked again about these very images, prefers another class to the
            label. True too for an image that was misclassified before the attack: leave those out of a
            success rate.
        steps: (N,), updates made to the image; 0 = returned unchanged.
        gradient_evaluations: (N,), gradients of the model taken for the image.
        distances: (N,), to the original image, under the attack's own distance; L2 where it has none.
        stalled: (N,), whether the attack gave up on the image because its gradient was exactly 0; None
            if the attack does not look.
    """

    images: Images
    success: Flags
    steps: Counts
    gradient_evaluations: Counts
    distances: Scores
    stalled: Flags | None = None


@dataclass(frozen=True)
class NewtonAttackResult(AttackResult):
    """An AttackResult together with the linear solve behind it.

    Attributes:
        solver: the Newton direction, before it was scaled, with residual, iterations and `converged`.
    """

    solver: NewtonDirection | None = None


def misclassified(model: Classifier, images: Tensor, labels: Tensor) -> Flags:
    """Return whether the model prefers another class to the label (N,); a tie does not count."""
    with judged(model), torch.no_grad():
        logits = model(images)
    checks.check_logits(logits, images.shape[0])
    checks.check_labels(labels, images.shape[0], n_classes=logits.shape[1])
    return logit_margin(logits, labels.long()) > 0


def l2_distances(images: Images, references: Images) -> Scores:
    """Return the Euclidean distances (N,), in the units of the pixels."""
    return torch.linalg.vector_norm((images - references).flatten(1), dim=1)


def linf_distances(images: Images, references: Images) -> Scores:
    """Return the largest changes of a pixel (N,), in its units."""
    return (images - references).abs().amax(dim=(1, 2, 3))
