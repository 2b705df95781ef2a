"""The Lagrangian perceptual attack (LPA) of the neural perceptual threat model, and its fast form."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.feature_ball import FeatureBall, LayerFeatures, flat_features, noisy_start
from blindspots.attacks.gradients import check_attack, margin_gradient, unit_vectors
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, misclassified
from blindspots.types import Classifier

_FIRST_WEIGHT = 0.01
_WEIGHT_GROWTH = 10.0
_LAST_FAST_WEIGHT = 10.0
_STEP_DECAY = 0.1
_PROBE = 0.1


def lagrangian_perceptual_attack(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    features: LayerFeatures,
    bound: float | int = 0.5,
    fast: bool = False,
    steps: int | None = None,
    rounds: int = 5,
    confidence: float | int | None = None,
    project: bool | None = None,
    overshoot: float | int = 0.1,
    projection_iterations: int = 10,
    start_noise: float | int = 0.01,
    generator: torch.Generator | None = None,
) -> AttackResult:
    r"""Ascend the margin less a penalty for leaving the ball, with steps of a set length in feature space.

    In step t of T, with d the distance to the original in the features,
        a = grad [min(margin, confidence) - weight max(0, d - bound)],     u = a / ||a||_2,
        x <- clamp(x + s u),    s = bound 0.1^(t/T) / (||phi(x - h u) - phi(x)||_2 / h),    h = 0.1,
    phi the flat features and margin = max_{i != y} logit_i - logit_y. So s converts a distance in the features
    to a length in pixels. The weight starts at 0.01; after each round of T steps it is multiplied by 10 for
    images outside the ball. An image that is misclassified and inside stops. At the end images outside are
    projected (`FeatureBall.project`).

    The fast form makes one round, raises the weight from 1 to 10 as 10 * 0.1^(1 - t/T), puts no ceiling on the
    margin, never stops and does not project; the bound is then a soft one.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        features: images -> activations of layers, each (N, c, h, w); see `flat_features`.
        bound: largest distance, > 0; activations of L layers are at most 2 sqrt(L) apart.
        fast: take the fast form.
        steps: T, at least 1. None: 40, or 20 in the fast form.
        rounds: at least 1; the fast form makes one, whatever is asked.
        confidence: margin in logits above which the loss no longer rises, >= 0. None: 1, or no ceiling in the
            fast form.
        project: bring the result into the ball. None: yes, or no in the fast form.
        overshoot: see `FeatureBall.project`, >= 0.
        projection_iterations: see `FeatureBall.project`.
        start_noise: standard deviation of the Gaussian noise that is added at the start, >= 0.
        generator: CPU generator of that noise; needed where start_noise > 0.

    Returns:
        AttackResult; distances are those in the features, at most bound where the result is projected. stalled
        marks images whose gradient became exactly 0 inside the ball before they flipped; they stop there.

    Raises:
        TypeError, ValueError: bad images, labels, options, logits or features.

    Source: Laidlaw, Singla and Feizi (2021), LPA and Fast-LPA; P0 Section 3.2 compares with LPA.
    Differs from the paper: nothing. From the released code: it tests before a step and stops after it, so that
    the image it keeps is not the one it tested; here the test comes first and the image stays. The noisy start
    is clamped. Where the probe sees no change in the features the image stays, instead of a step over 1e-8.
    """
    steps = (20 if fast else 40) if steps is None else steps
    project = not fast if project is None else project
    confidence = 1.0 if confidence is None and not fast else confidence
    check_attack(images, labels)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_number(rounds, "rounds", at_least=1, integer=True)
    if confidence is not None:
        checks.check_number(confidence, "confidence", at_least=0.0)
    checks.check_number(overshoot, "overshoot", at_least=0.0)
    checks.check_number(projection_iterations, "projection_iterations", at_least=0, integer=True)

    attacked = noisy_start(images.detach(), start_noise, generator)
    taken = torch.zeros(images.shape[0], dtype=torch.long, device=images.device)
    evaluations = taken.clone()
    stalled = torch.zeros_like(taken, dtype=torch.bool)
    weights = torch.full_like(attacked[:, 0, 0, 0], _FIRST_WEIGHT)
    active = torch.arange(images.shape[0], device=images.device)
    with judged(model), judged(features):
        everything = ball = FeatureBall.around(images.detach(), features, bound)
        for count in range(steps if fast else rounds * steps):
            share = (count % steps) / steps
            current = attacked[active]
            flat, distances, outward = ball.measure(current)
            inside = distances <= bound
            ceilings = torch.full_like(distances, float("inf") if confidence is None else confidence)
            if not fast:
                ceilings = torch.where(inside, 0.0, ceilings)
            gradients, margins = margin_gradient(model, current, labels[active], ceiling=ceilings)
            evaluations[active] += (margins <= ceilings).long()
            if fast:
                weights.fill_(_LAST_FAST_WEIGHT * _STEP_DECAY ** (1.0 - share))
            elif count > 0 and count % steps == 0:
                weights[active] *= torch.where(inside, 1.0, _WEIGHT_GROWTH)
            ascent = gradients - weights[active, None, None, None] * outward
            units, zero = unit_vectors(ascent)
            finished = inside & (zero if fast else zero | (margins > 0))
            if finished.any():
                stalled[active] = finished & zero & (margins <= 0)
                going = (~finished).nonzero().squeeze(1)
                if going.numel() == 0:
                    break
                active, ball = active[going], ball.select(going)
                current, units, flat, zero = current[going], units[going], flat[going], zero[going]
            with torch.no_grad():
                change = flat_features(features, current - _PROBE * units) - flat
            slopes = torch.linalg.vector_norm(change, dim=1) / _PROBE
            still = zero | (slopes == 0)
            lengths = torch.where(still, 0.0, bound * _STEP_DECAY**share / torch.where(still, 1.0, slopes))
            attacked[active] = (current + lengths[:, None, None, None] * units).clamp(0.0, 1.0)
            taken[active] += (~still).long()
        if project:
            attacked = everything.project(attacked, overshoot=overshoot, max_iterations=projection_iterations)
        distances = everything.distances(attacked).to(images.dtype)

    return AttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=taken,
        gradient_evaluations=evaluations,
        distances=distances,
        stalled=stalled,
    )
