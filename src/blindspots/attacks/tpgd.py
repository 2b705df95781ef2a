"""TPGD: projected gradient ascent on the divergence from the clean prediction, as TRADES trains against."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.feature_ball import noisy_start
from blindspots.attacks.gradients import check_attack, input_gradient
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, linf_distances, misclassified
from blindspots.types import Classifier


def tpgd(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    generator: torch.Generator | None,
    steps: int = 10,
    step_size: float | int | None = None,
    start_noise: float | int = 0.001,
) -> AttackResult:
    r"""Move the prediction away from the clean one inside an l-infinity ball, without using the labels.

        x <- P(x + step_size sign grad_x KL(p(x0) || p(x))),     p = softmax of the logits,
    with P the clamp to [x0 - epsilon, x0 + epsilon] and then to [0, 1]. At x0 the divergence has its minimum
    and no gradient, so the start is moved by Gaussian noise.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; they only judge the success.
        epsilon: radius of the ball, in units of the [0, 1] range, > 0.
        generator: CPU generator of the noise; needed where start_noise > 0.
        steps: at least 1.
        step_size: change per pixel and step, > 0. None: epsilon / 4.
        start_noise: standard deviation of the noise, in units of the [0, 1] range, >= 0.

    Returns:
        AttackResult; distances are l-infinity. stalled marks images whose gradient was exactly 0 in every
        step.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits, or no generator.

    Source: Zhang et al. (2019), TRADES, Algorithm 1, its inner maximization.
    Differs from the paper: nothing; the size of the noise, 0.001, and 10 steps are those of its code.
    """
    check_attack(images, labels)
    checks.check_number(epsilon, "epsilon", above=0.0)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    if step_size is not None:
        checks.check_number(step_size, "step_size", above=0.0)
    length = epsilon / 4.0 if step_size is None else step_size
    originals = images.detach()
    attacked = noisy_start(originals, start_noise, generator)
    with judged(model), torch.no_grad():
        logits = model(originals)
    checks.check_logits(logits, images.shape[0])
    clean = torch.log_softmax(logits.double(), dim=1)

    def divergences(logits: Tensor) -> Tensor:
        now = torch.log_softmax(logits.double(), dim=1)
        return (clean.exp() * (clean - now)).sum(dim=1)

    stalled = torch.ones_like(labels, dtype=torch.bool)
    for _ in range(steps):
        gradients, _ = input_gradient(model, attacked, labels, divergences)
        stalled &= (gradients == 0).flatten(1).all(dim=1)
        moved = attacked + length * gradients.sign()
        attacked = originals + (moved - originals).clamp(-epsilon, epsilon)
        attacked = attacked.clamp(0.0, 1.0)
    taken = torch.full_like(labels, steps, dtype=torch.long)

    return AttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=torch.where(stalled, 0, taken),
        gradient_evaluations=taken,
        distances=linf_distances(attacked, originals),
        stalled=stalled,
    )
