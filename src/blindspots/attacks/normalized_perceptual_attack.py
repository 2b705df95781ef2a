"""P0's attack with both gradients scaled to length 1, so that a small gradient does not make a small step."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots.attacks.gradients import unit_vectors
from blindspots.attacks.perceptual_attack import PerceptualAttackResult, climb
from blindspots.types import Classifier, Distance, Images

_SMALLEST_PULL = 1e-6  # at the original the gradient of SSIM is rounding error, up to 1e-7


def normalized_perceptual_attack(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    distance: Distance,
    *,
    step_size: float | int = 0.1,
    weight: float | int = 0.5,
    confidence: float | int = 0.0,
    steps: int = 100,
    clip: bool = True,
) -> PerceptualAttackResult:
    r"""Ascend the loss less the perceptual distance along unit gradients, until the class flips.

        x <- x + step_size (g / ||g||_2 - weight d / ||d||_2),    g = grad_x l(x, y),    d = grad_x c0(x, x0)
    with everything else as in `perceptual_attack`. A loss gradient of exactly 0 stays 0, and so does a distance
    gradient shorter than 1e-6, which is rounding error at the original. With weight < 1 a step raises the loss
    to first order, whatever the sizes of the two gradients, so the attack cannot come to rest where they cancel.

    Args:
        model, images, labels, distance, confidence, steps, clip: see `perceptual_attack`.
        step_size: L2 length of a step along the loss alone, in units of the [0, 1] range, > 0.
        weight: length of the pull back to the original in units of that step, >= 0; a pure number, not P0's
            lambda.

    Returns:
        PerceptualAttackResult; gradient_norms are those before normalization.

    Raises:
        TypeError, ValueError: as `perceptual_attack`.

    Source: ours, after P0 Section 3.2: Algorithm 3.1 with the normalization of its Eq. 3.5 in both terms.
    Differs from the paper: it takes raw gradients; where the network is sure of itself they are so small that a
    hundred steps lead nowhere.
    """

    def direction(ascent: Images, pull: Images) -> Images:
        seen = torch.linalg.vector_norm(pull, dim=(1, 2, 3), keepdim=True) > _SMALLEST_PULL
        return unit_vectors(ascent)[0] - weight * unit_vectors(pull)[0] * seen

    return climb(
        model, images, labels, distance, direction,
        step_size=step_size, weight=weight, confidence=confidence, steps=steps, clip=clip,
    )  # fmt: skip
