"""Perceptual projected gradient descent (PPGD), the first attack of the neural perceptual threat model."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.feature_ball import FeatureBall, LayerFeatures, noisy_start
from blindspots.attacks.feature_newton import JACOBIANS, feature_newton_direction
from blindspots.attacks.gradients import check_attack, margin_gradient, unit_vectors
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, misclassified
from blindspots.types import Classifier


def perceptual_pgd(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    features: LayerFeatures,
    bound: float | int = 0.5,
    steps: int = 40,
    cg_iterations: int = 5,
    jacobian: str = "exact",
    confidence: float | int = 1.0,
    overshoot: float | int = 0.1,
    projection_iterations: int = 10,
    start_noise: float | int = 0.0,
    generator: torch.Generator | None = None,
) -> AttackResult:
    r"""Raise the margin by steps of equal feature distance, each followed by a projection into the ball.

    With g the gradient of min(margin, confidence), margin = max_{i != y} logit_i - logit_y, and J the Jacobian
    of the flat features at x,
        v = (J'J)^-1 g (a few conjugate-gradient steps),    x <- P(x + (2 bound / steps) v / ||J v||_2),
    P the projection of `FeatureBall.project`. The idea is that of P0's one-step SSIM attack, repeated, with
    J'J in the place of the Hessian of SSIM.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        features: images -> activations of layers, each (N, c, h, w); the distance is the Euclidean one
            between their normalized forms, see `flat_features`.
        bound: largest distance, > 0; activations of L layers are at most 2 sqrt(L) apart.
        steps: at least 1. An image whose margin exceeds the confidence has a gradient of 0 and stops.
        cg_iterations: see `feature_newton_direction`.
        jacobian: see `feature_newton_direction`.
        confidence: margin in logits above which the loss no longer rises, >= 0.
        overshoot: see `FeatureBall.project`, >= 0.
        projection_iterations: see `FeatureBall.project`.
        start_noise: standard deviation of Gaussian noise on the start, >= 0; the released code has 0.01.
        generator: CPU generator of that noise; needed where start_noise > 0.

    Returns:
        AttackResult; distances are those in the features, at most bound. stalled marks images whose gradient,
        or whose features' view of it, became exactly 0 before the margin was met; they stop there.

    Raises:
        TypeError, ValueError: bad images, labels, options, logits or features.

    Source: Laidlaw, Singla and Feizi (2021), Perceptual PGD; P0 Section 3.2 compares with it.
    Differs from the paper: nothing. From the released code: J v is exact by default; gradients are scaled to
    length 1 before the solve, which changes nothing in exact arithmetic, where the code leaves alone images
    with a gradient below 1e-4; the noisy start is clamped and projected; see also `FeatureBall.project`.
    """
    check_attack(images, labels)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_number(cg_iterations, "cg_iterations", at_least=1, integer=True)
    checks.check_choice(jacobian, "jacobian", JACOBIANS)
    checks.check_number(confidence, "confidence", at_least=0.0)
    checks.check_number(overshoot, "overshoot", at_least=0.0)
    checks.check_number(projection_iterations, "projection_iterations", at_least=0, integer=True)

    projecting = dict(overshoot=overshoot, max_iterations=projection_iterations)
    attacked = noisy_start(images.detach(), start_noise, generator)
    taken = torch.zeros(images.shape[0], dtype=torch.long, device=images.device)
    evaluations = taken.clone()
    stalled = torch.zeros_like(taken, dtype=torch.bool)
    active = torch.arange(images.shape[0], device=images.device)
    with judged(model), judged(features):
        everything = ball = FeatureBall.around(images.detach(), features, bound)
        if start_noise > 0:
            attacked = ball.project(attacked, **projecting)
        for _ in range(steps):
            gradients, margins = margin_gradient(model, attacked[active], labels[active], ceiling=confidence)
            units, zero = unit_vectors(gradients)
            done = margins > confidence
            evaluations[active] += (~done).long()
            stalled[active] = zero & ~done
            going = (~zero & ~done).nonzero().squeeze(1)
            if going.numel() == 0:
                break
            if going.numel() < active.numel():
                active, units, ball = active[going], units[going], ball.select(going)
            current = attacked[active]
            directions, lengths = feature_newton_direction(
                features, current, units, iterations=cg_iterations, jacobian=jacobian
            )
            blind = lengths == 0
            shares = (2.0 * bound / steps) / torch.where(blind, 1.0, lengths)
            moved = (current + shares[:, None, None, None] * directions).clamp(0.0, 1.0)
            attacked[active] = ball.project(moved, **projecting)
            taken[active] += (~blind).long()
            if blind.any():
                stalled[active] = blind
                going = (~blind).nonzero().squeeze(1)
                active, ball = active[going], ball.select(going)
                if active.numel() == 0:
                    break
        distances = everything.distances(attacked).to(images.dtype)

    return AttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=taken,
        gradient_evaluations=evaluations,
        distances=distances,
        stalled=stalled,
    )
