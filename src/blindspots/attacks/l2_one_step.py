"""The one-step L2 attack that P0 sets beside its SSIM attack."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack, loss_gradient, unit_vectors
from blindspots.attacks.result import AttackResult, l2_distances, misclassified
from blindspots.types import Classifier


def l2_one_step(
    model: Classifier, images: Tensor, labels: Tensor, *, epsilon: float | int, clip: bool = True
) -> AttackResult:
    r"""Step a given length along the gradient of the loss.

        x_pgd = x0 + epsilon g / ||g||_2                                       (P0 Section 3.1, below Eq. 3.4)
    There is no stop test: every image steps, those the model already gets wrong too.

    Args:
        model: images in [0, 1] -> logits (N, K). With clip=False it is also asked about values outside [0,
            1].
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        epsilon: L2 length of the step before clipping, in units of the [0, 1] range, > 0. The paper takes 10
            on 28x28 digits.
        clip: clamp the result to [0, 1].

    Returns:
        AttackResult; distances are L2 of the returned images. An image whose gradient is exactly 0 comes back
        unchanged, with steps 0 and stalled True.

    Raises:
        TypeError, ValueError: bad images, labels, epsilon or logits.

    Source: P0 Section 3.1, one-step PGD.
    Differs from the paper: it does not say whether the result is clipped; clip=False is the equation as
    printed.
    """
    check_attack(images, labels)
    checks.check_number(epsilon, "epsilon", above=0.0)
    images = images.detach()

    gradients, _ = loss_gradient(model, images, labels)
    units, stalled = unit_vectors(gradients)
    attacked = images + epsilon * units
    if clip:
        attacked = attacked.clamp(0.0, 1.0)

    return AttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=(~stalled).long(),
        gradient_evaluations=torch.ones_like(stalled, dtype=torch.long),
        distances=l2_distances(attacked, images),
        stalled=stalled,
    )
