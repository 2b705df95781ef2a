"""P0's one-step attack under the SSIM distance."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack, loss_gradient, unit_vectors
from blindspots.attacks.result import NewtonAttackResult, misclassified
from blindspots.perception.ssim import check_ssim_images, ssim_distance
from blindspots.perception.ssim_newton import check_solver, ssim_newton_direction
from blindspots.types import Classifier


def ssim_one_step(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    clip: bool = True,
    window_size: int = 11,
    sigma: float | int = 1.5,
    padding: str = "same",
    damping: float | int = 0.0,
    tolerance: float | int = 1e-5,
    max_iterations: int = 300,
) -> NewtonAttackResult:
    r"""Step a given length along the Newton direction of the SSIM distance.

        x_adv = x0 + epsilon D / ||D||_2,     D = H^-1 g                                          (P0 Eq. 3.4)
    with g the gradient of the cross-entropy at the true label and H the Hessian of 1 - SSIM(x0, .) at x0.
    There is no stop test: every image steps, those the model already gets wrong too.

    Args:
        model: images in [0, 1] -> logits (N, K). With clip=False it is also asked about values outside [0,
            1].
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        epsilon: L2 length of the step before clipping, in units of the [0, 1] range, > 0. The paper takes 10
            on 28x28 digits, more than most digits' own norm.
        clip: clamp the result to [0, 1].
        window_size: see `blindspots.perception.ssim`; data_range is 1.
        sigma: see `blindspots.perception.ssim`.
        padding: "same" puts the step on textured parts, such as a digit's strokes; "valid" puts nearly all of
            it on the border of the image, to which SSIM then is almost blind.
        damping: see `blindspots.perception.ssim_newton_direction`.
        tolerance: see `blindspots.perception.ssim_newton_direction`.
        max_iterations: see `blindspots.perception.ssim_newton_direction`.

    Returns:
        NewtonAttackResult; distances are 1 - SSIM of the returned images, with the same window. An image
        whose gradient is exactly 0 comes back unchanged, with steps 0 and stalled True.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits; images smaller than a "valid" window.

    Source: P0 Section 3.1, Eq. 3.4.
    Differs from the paper: H is applied, not formed, so images need not be 28x28; color is allowed, channel
    by channel. The paper names neither the padding nor whether the result is clipped; both are options.
    """
    window = dict(window_size=window_size, sigma=sigma, padding=padding)
    solving = dict(damping=damping, tolerance=tolerance, max_iterations=max_iterations)
    check_attack(images, labels)
    checks.check_number(epsilon, "epsilon", above=0.0)
    check_ssim_images(images, "images", data_range=1.0, **window)
    check_solver(**solving)
    images = images.detach()

    gradients, _ = loss_gradient(model, images, labels)
    solver = ssim_newton_direction(images, gradients, **solving, **window)
    units, stalled = unit_vectors(solver.direction)
    attacked = images + epsilon * units
    if clip:
        attacked = attacked.clamp(0.0, 1.0)

    return NewtonAttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=(~stalled).long(),
        gradient_evaluations=torch.ones_like(stalled, dtype=torch.long),
        distances=ssim_distance(attacked, images, **window),
        stalled=stalled,
        solver=solver,
    )
