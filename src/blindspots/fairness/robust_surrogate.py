"""P0's robust surrogate loss: how bad an image can be made, less what the change costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.types import Classifier, Distance

SCHEDULES = ("constant", "root")

Losses = Callable[[Tensor, Tensor], Tensor]
"""(what the model returns for n images, labels (n,)) -> (n,), differentiable."""


@dataclass(frozen=True)
class RobustSurrogate:
    """The best point of the ascent for each image, and what it is worth.

    Attributes:
        values: (N,), loss - weight distance there: phi, or a lower bound of it where the ascent has not arrived.
        images: (N, C, H, W), that point.
        losses: (N,), of the point.
        distances: (N,), of the point to its image.
        gradients: (N, C, H, W), of loss - weight distance at the point; 0 at an interior maximum.
        weight: lambda.
        clipped: whether the points were held in [0, 1].
    """

    values: Tensor
    images: Tensor
    losses: Tensor
    distances: Tensor
    gradients: Tensor
    weight: float
    clipped: bool


def squared_distance(images: Tensor, references: Tensor) -> Tensor:
    """Return ||x - x0||_2^2 (N,), the cost of Sinha et al. (2018), in squared units of the pixels."""
    return (images - references).square().flatten(1).sum(1)


def cross_entropies(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy (N,) of each image."""
    return F.cross_entropy(logits, labels.long(), reduction="none")


def robust_surrogate(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    distance: Distance = squared_distance,
    *,
    weight: float | int,
    steps: int = 15,
    step_size: float | int | None = None,
    schedule: str = "root",
    clip: bool = True,
    losses: Losses = cross_entropies,
) -> RobustSurrogate:
    r"""Maximize loss minus weighted distance by gradient ascent from each image.

        phi_lambda(theta; x_0, y_0) = sup_x l(theta; x, y_0) - lambda c_0(x, x_0)                       (P0 Eq. 3.3)
        x <- x + eta_t grad (l - lambda c_0),     eta_t = step_size ("constant") or step_size / sqrt(t + 1) ("root")
    Among the points visited, the image itself included, the best is returned, so phi is never below the loss.

    Args:
        model: images -> outputs; borrowed, and asked in evaluation mode.
        images: (N, C, H, W); in [0, 1] if clip.
        labels: (N,), 0 to K - 1.
        distance: c_0, any Distance with c_0(x, x) = 0.
        weight: lambda, > 0.
        steps: at least 1.
        step_size: > 0; None for 1 / (2 weight), which for the squared distance and a constant gradient arrives at once.
        schedule: "root", as in the code of Sinha et al., or "constant".
        clip: clamp to [0, 1] after each step.
        losses: what is maximized, one value per image.

    Returns:
        RobustSurrogate.

    Raises:
        TypeError, ValueError: bad images, labels or options, or values that are not finite.

    Source: P0, Section 3, Eq. 3.3; Sinha, Namkoong and Duchi (2018), whose first step is step_size grad l and whose
    later ones are divided by sqrt(t + 2), t = 0 .. 14: 16 steps here.
    Differs from the paper: P0 gives no ascent for the training problem and fixes lambda at 1; its attack
    (`attacks.perceptual_attack`) is this ascent with a stop at the class's flip.
    """
    checks.check_images(images, unit_range=clip)
    checks.check_labels(labels, len(images))
    checks.check_number(weight, "weight", above=0.0)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    if step_size is not None:
        checks.check_number(step_size, "step_size", above=0.0)
    checks.check_choice(schedule, "schedule", SCHEDULES)
    length = 1.0 / (2.0 * weight) if step_size is None else float(step_size)
    originals = images.detach()
    best: dict[str, Tensor] = {}
    point = originals
    for step in range(steps + 1):
        leaf = point.clone().requires_grad_(True)
        with judged(model), torch.enable_grad():
            each, far = losses(model(leaf), labels), distance(leaf, originals)
            values = each - weight * far
            (gradient,) = torch.autograd.grad(values.sum(), leaf)
        if not (torch.isfinite(values).all() and torch.isfinite(gradient).all()):
            raise ValueError(
                "step_size: expected finite losses, distances and gradients, got NaN or infinity after "
                f"{step} steps of {length:g}; lower it, or raise the weight: where the loss grows faster than the "
                "distance there is no maximum"
            )
        found = dict(values=values, images=leaf, losses=each, distances=far, gradients=gradient)
        found = {name: value.detach() for name, value in found.items()}
        better = found["values"] >= best["values"] if best else torch.ones_like(values, dtype=torch.bool)
        best = {
            name: torch.where(better.view(-1, *[1] * (value.ndim - 1)), value, best.get(name, value))
            for name, value in found.items()
        }
        eta = length / (step + 1) ** 0.5 if schedule == "root" else length
        point = leaf.detach() + eta * gradient
        point = point.clamp(0.0, 1.0) if clip else point
    return RobustSurrogate(**best, weight=float(weight), clipped=clip)


def surrogate_gap(surrogate: RobustSurrogate, smoothness: float | int) -> Tensor:
    r"""Return how far phi can lie above the value found, (N,), for the squared distance and a smooth loss.

    If the loss's gradient in x is Lipschitz with constant L, l - lambda ||x - x_0||^2 is concave with curvature at
    least m = 2 lambda - L, so from the point x with gradient g no z is better by more than
        max_z g . (z - x) - (m / 2) ||z - x||^2,     over [0, 1] if points are held there, else ||g||^2 / (2 m).

    Args:
        surrogate: found with `squared_distance`.
        smoothness: L, >= 0 and < 2 lambda.

    Raises:
        TypeError, ValueError: a smoothness that lambda does not exceed.

    Source: Sinha, Namkoong and Duchi (2018), the condition gamma > L under which their inner problem is concave.
    """
    checks.check_number(smoothness, "smoothness", at_least=0.0)
    curvature = 2.0 * surrogate.weight - smoothness
    if curvature <= 0:
        raise ValueError(
            f"smoothness: expected less than 2 weight = {2 * surrogate.weight:g}, got {smoothness:g}; the inner "
            "problem is not concave there and gradient ascent proves nothing: raise the weight"
        )
    move = surrogate.gradients / curvature
    if surrogate.clipped:
        move = (surrogate.images + move).clamp(0.0, 1.0) - surrogate.images
    gain = surrogate.gradients * move - 0.5 * curvature * move.square()
    return gain.flatten(1).sum(1)
