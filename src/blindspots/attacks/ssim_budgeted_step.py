"""The one-step SSIM attack with its length set by an SSIM budget instead of an L2 length."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack, loss_gradient, unit_vectors
from blindspots.attacks.result import NewtonAttackResult, misclassified
from blindspots.perception.ssim import check_ssim_images, ssim_distance
from blindspots.perception.ssim_newton import check_solver, ssim_newton_direction
from blindspots.types import Classifier


def ssim_budgeted_step(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    bound: float | int,
    clip: bool = False,
    window_size: int = 11,
    sigma: float | int = 1.5,
    padding: str = "same",
    damping: float | int = 0.0,
    tolerance: float | int = 1e-5,
    max_iterations: int = 300,
) -> NewtonAttackResult:
    r"""Take the step that raises the linearized loss most within a second-order SSIM budget.

    maximize g'D subject to (1/2) D'H D <= bound, which gives
        D = sqrt(2 bound / (g' H^-1 g)) H^-1 g,
    in the notation of `ssim_one_step`: its direction, with the length that costs 1 - SSIM = bound to second
    order. The realized distance over the bound tends to 1 as the bound tends to 0, without clipping.

    Args:
        model: images in [0, 1] -> logits (N, K). With clip=False it is also asked about values outside [0,
            1].
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        bound: budget in units of 1 - SSIM, > 0.
        clip: clamp the result to [0, 1]. Off by default, because clamping changes the distance the budget is
            about: on black ground it removes half of the step.
        window_size: see `blindspots.perception.ssim`; data_range is 1.
        sigma: see `blindspots.perception.ssim`.
        padding: see `ssim_one_step`.
        damping: see `blindspots.perception.ssim_newton_direction`; above 0 the step spends less than the
            bound.
        tolerance: see `blindspots.perception.ssim_newton_direction`.
        max_iterations: see `blindspots.perception.ssim_newton_direction`.

    Returns:
        NewtonAttackResult; distances are the realized 1 - SSIM of the returned images. An image whose
        gradient is exactly 0 comes back unchanged, with steps 0 and stalled True.

    Raises:
        TypeError, ValueError: as `ssim_one_step`.

    Source: the inner problem of P0 Eq. 3.3 with a constraint in place of the penalty.
    Differs from the paper: it keeps only the direction and fixes the L2 length (`ssim_one_step`).
    """
    window = dict(window_size=window_size, sigma=sigma, padding=padding)
    solving = dict(damping=damping, tolerance=tolerance, max_iterations=max_iterations)
    check_attack(images, labels)
    checks.check_number(bound, "bound", above=0.0)
    check_ssim_images(images, "images", data_range=1.0, **window)
    check_solver(**solving)
    images = images.detach()

    gradients, _ = loss_gradient(model, images, labels)
    # The step does not depend on the gradient's scale, so a unit gradient is solved for: nothing can
    # underflow.
    units, stalled = unit_vectors(gradients)
    solver = ssim_newton_direction(images, units, **solving, **window)
    gains = (units * solver.direction).sum(dim=(1, 2, 3), keepdim=True)
    lengths = torch.where(gains > 0, (2.0 * bound / torch.where(gains > 0, gains, 1.0)).sqrt(), 0.0)
    attacked = images + lengths * solver.direction
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
