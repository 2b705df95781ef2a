"""P0's baseline: normalized gradient steps until the class flips."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack, loss_gradient, unit_vectors
from blindspots.attacks.result import AttackResult, l2_distances, misclassified
from blindspots.types import Classifier


def pgd_l2_until_flipped(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    step_size: float | int = 0.1,
    steps: int = 100,
    confidence: float | int = 0.0,
    clip: bool = True,
) -> AttackResult:
    r"""Follow the normalized gradient of the loss, image by image, until the model prefers another class.

        x^0 = x0,     x^n = x^{n-1} + step_size g(x^{n-1}) / ||g(x^{n-1})||_2                   (P0 Eq. 3.5)
    Before each step an image whose margin max_{i != y} logit_i - logit_y is > confidence stops and leaves the
    batch. So an image that is misclassified by that margin at the start returns unchanged, with steps 0.

    Args:
        model: images in [0, 1] -> logits (N, K). With clip=False it is also asked about values outside [0,
            1].
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        step_size: L2 length of one step, in units of the [0, 1] range, > 0.
        steps: most steps an image may take, at least 1.
        confidence: margin in logits that has to be exceeded, >= 0.
        clip: clamp to [0, 1] after each step.

    Returns:
        AttackResult; distances are L2. success says that the class flipped, at any margin: the images are
        asked about once more at the end, after the last step too. stalled marks images whose gradient became
        exactly 0 before they flipped; they stop there.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: P0 Section 3.2, Eq. 3.5, 100 iterations with early stop; the stop test is that of its Algorithm
    3.1.
    Differs from the paper: the equation prints no clamp to [0, 1]; clip=False is the equation as printed. The
    step size and the test's place in the loop are taken from Algorithm 3.1, since the equation names neither.
    """
    check_attack(images, labels)
    checks.check_number(step_size, "step_size", above=0.0)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_number(confidence, "confidence", at_least=0.0)

    attacked = images.detach().clone()
    taken = torch.zeros(images.shape[0], dtype=torch.long, device=images.device)
    evaluations = taken.clone()
    stalled = torch.zeros_like(taken, dtype=torch.bool)
    active = torch.arange(images.shape[0], device=images.device)
    for _ in range(steps):
        gradients, flipped = loss_gradient(model, attacked[active], labels[active], stop_above=confidence)
        units, zero = unit_vectors(gradients)
        evaluations[active] += (~flipped).long()
        stalled[active] = zero & ~flipped
        moving = ~zero
        active, units = active[moving], units[moving]
        if active.numel() == 0:
            break
        moved = attacked[active] + step_size * units
        attacked[active] = moved.clamp(0.0, 1.0) if clip else moved
        taken[active] += 1

    return AttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=taken,
        gradient_evaluations=evaluations,
        distances=l2_distances(attacked, images.detach()),
        stalled=stalled,
    )
