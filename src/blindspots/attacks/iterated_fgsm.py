"""P4's attack: the fast gradient step, again and again, until the class flips."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack, loss_gradient, unit_vectors
from blindspots.attacks.result import AttackResult, l2_distances, linf_distances, misclassified
from blindspots.types import Classifier

NORMS = ("linf", "l2")


def iterated_fgsm(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    step_size: float | int,
    steps: int,
    norm: str = "linf",
    stop_when_flipped: bool = True,
) -> AttackResult:
    r"""Follow the sign, or the unit vector, of the loss's gradient, image by image, clamping to [0, 1].

        x^0 = x0,     x^n = clamp(x^{n-1} + step_size sign g(x^{n-1}))                  (P4 Eq. 2 for p = infinity)
        x^n = clamp(x^{n-1} + step_size g(x^{n-1}) / ||g(x^{n-1})||_2)                  (p = 2)
    with g the gradient of the cross-entropy. An image that is misclassified before a step stops and leaves the batch.
    No ball bounds the sum of the steps: after n of them it is at most n step_size in the norm.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        step_size: length of a step in the norm, in units of the [0, 1] range, > 0. P4: 0.001.
        steps: most steps an image may take, at least 1. P4: 10.
        norm: "linf", the fast gradient sign method, or "l2".
        stop_when_flipped: False takes all steps whether or not the class flips on the way.

    Returns:
        AttackResult; distances are in the norm. With stop_when_flipped, steps says where an image flipped, 0 for one
        that was misclassified at the start, and success whether it did, the last step included. stalled marks images
        whose gradient became exactly 0 before they flipped; they stop there.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: P4 Section 2, Eqs. 1 and 2, and Section 3.2 (step size 0.001, 10 iterations); Kurakin et al. (2017).
    Differs from the paper: it says neither which norm nor on what scale the step is measured. Images here are in
    [0, 1]; a step of 0.001 for pixels that a network sees divided by their standard deviation s is one of 0.001 s
    here. It prints no clamp and no stop; that examples are counted by the steps to their flip asks for the latter.
    """
    check_attack(images, labels)
    checks.check_number(step_size, "step_size", above=0.0)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_choice(norm, "norm", NORMS)

    attacked = images.detach().clone()
    taken = torch.zeros(images.shape[0], dtype=torch.long, device=images.device)
    evaluations = taken.clone()
    stalled = torch.zeros_like(taken, dtype=torch.bool)
    active = torch.arange(images.shape[0], device=images.device)
    stop_above = 0.0 if stop_when_flipped else None
    for _ in range(steps):
        gradients, flipped = loss_gradient(model, attacked[active], labels[active], stop_above=stop_above)
        units, zero = unit_vectors(gradients)
        directions = gradients.sign() if norm == "linf" else units
        evaluations[active] += (~flipped).long()
        stalled[active] = zero & ~flipped
        active, directions = active[~zero], directions[~zero]
        if active.numel() == 0:
            break
        attacked[active] = (attacked[active] + step_size * directions).clamp(0.0, 1.0)
        taken[active] += 1

    distances = linf_distances if norm == "linf" else l2_distances
    return AttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=taken,
        gradient_evaluations=evaluations,
        distances=distances(attacked, images.detach()),
        stalled=stalled,
    )
