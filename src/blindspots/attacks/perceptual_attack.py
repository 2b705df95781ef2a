"""P0's attack: gradient ascent on the loss less a perceptual distance, until the class flips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.attacks.eight_bit import round_to_eight_bits
from blindspots.attacks.gradients import check_attack, loss_gradient
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, misclassified
from blindspots.types import Classifier, Distance, Flags, Images, PreparedDistance, Scores


@dataclass(frozen=True)
class PerceptualAttackResult(AttackResult):
    """An AttackResult with the sizes of the two gradients that the attack adds, and what rounding leaves of it.

    Attributes:
        gradient_norms: (steps, N, 2), L2 norms of the gradient of the loss and of the distance (without its
            weight) before each step; NaN where the image took none.
        rounded_success: (N,), whether the images rounded to 8 bits are misclassified.
    """

    gradient_norms: Float[Tensor, "steps N 2"] | None = None
    rounded_success: Flags | None = None


@dataclass(frozen=True)
class _FixedReferences:
    """A distance that offers no prepared form, tied to its references."""

    distance: Distance
    references: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        return self.distance(images, self.references)

    def select(self, indices: Tensor) -> _FixedReferences:
        return _FixedReferences(self.distance, self.references[indices])


def _distance_to(distance: Distance, references: Images) -> PreparedDistance:
    if not hasattr(distance, "prepare"):
        return _FixedReferences(distance, references)
    with torch.no_grad():
        return distance.prepare(references)


def _check_scores(scores: Tensor, n_images: int) -> None:
    if not isinstance(scores, Tensor) or scores.shape != (n_images,):
        got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f"distance: expected one distance per image ({n_images},), got {got}; do not reduce it")
    checks.check_finite(scores.detach(), "the distance")


def _distance_gradient(cost: PreparedDistance, images: Images) -> Images:
    """Return the gradient of each image's distance to its reference, in the dtype of images."""
    with torch.enable_grad():
        leaf = images.clone().requires_grad_(True)
        scores = cost(leaf)
        _check_scores(scores, images.shape[0])
        if not scores.requires_grad:
            raise ValueError(
                "distance: expected distances that depend on the images differentiably, got distances without "
                "a gradient; remove torch.no_grad or detach from it"
            )
        (gradient,) = torch.autograd.grad(scores.sum(), leaf)
    if not torch.isfinite(gradient).all():
        raise ValueError(
            "distance: expected a finite gradient, got NaN or infinity; a square root has none where the images "
            "equal their references, so square it or give it slope 0 there"
        )
    return gradient


def _norms(vectors: Images) -> Scores:
    return torch.linalg.vector_norm(vectors, dim=(1, 2, 3))


def perceptual_attack(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    distance: Distance,
    *,
    step_size: float | int = 0.1,
    weight: float | int = 1.0,
    confidence: float | int = 0.0,
    steps: int = 100,
    clip: bool = True,
) -> PerceptualAttackResult:
    r"""Ascend the loss less the perceptual distance to the original, image by image, until the class flips.

        x <- x + step_size (grad_x l(x, y) - weight grad_x c0(x, x0))                    (P0 Algorithm 3.1)
    with l the cross-entropy, c0 the distance and both gradients as they are, not normalized. Before each step
    an image whose margin max_{i != y} logit_i - logit_y is > confidence stops and leaves the batch. So an
    image that is misclassified by that margin at the start returns unchanged, with steps 0.

    The two gradients can differ in size by orders of magnitude, and a fixed weight hides it; gradient_norms
    in the result shows it.

    Args:
        model: images in [0, 1] -> logits (N, K). With clip=False it is also asked about values outside [0,
            1].
        images: (N, C, H, W) in [0, 1].
        labels: (N,), the true classes; the attack is untargeted.
        distance: c0, (images, references) -> (N,), differentiable in the images, with a finite gradient where
            both are equal. Where it offers .prepare(references), that is called once and its .select(indices)
            whenever images leave the batch.
        step_size: P0's epsilon, > 0; it multiplies the raw gradients, so it is no length.
        weight: P0's lambda, >= 0, in units of the loss (nats) per unit of the distance.
        confidence: P0's a, margin in logits that has to be exceeded, >= 0.
        steps: P0's N, most steps an image may take, at least 1.
        clip: clamp to [0, 1] after each step.

    Returns:
        PerceptualAttackResult; distances are those of the returned images under `distance`. success says that
        the class flipped, at any margin: the images are asked about once more at the end, after the last step
        too. rounded_success says the same of the images rounded to 8 bits. stalled marks images that a step
        left exactly as they were; they stop there, since every further step would too.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits; a distance that is not one number per
            image, or has no finite gradient.

    Source: P0 Section 3.2, Algorithm 3.1, with the values a in {0, 1, 5}, N = 100, epsilon = 0.1, lambda = 1.
    Differs from the paper: its line 10, "validate as a RGB image", is read as a clamp to [0, 1]; rounding to 8
    bits in the loop would undo small steps, so it is done once at the end and judged apart. Its last iterate
    is never tested; ours is. The distance is an argument, where the paper takes PieAPP.
    """
    return climb(
        model, images, labels, distance, lambda ascent, pull: ascent - weight * pull,
        step_size=step_size, weight=weight, confidence=confidence, steps=steps, clip=clip,
    )  # fmt: skip


def climb(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    distance: Distance,
    direction: Callable[[Images, Images], Images],
    *,
    step_size: float | int,
    weight: float | int,
    confidence: float | int,
    steps: int,
    clip: bool,
) -> PerceptualAttackResult:
    """Run the loop of Algorithm 3.1 with step_size * direction(loss gradient, distance gradient) as its step.

    The arguments are those of `perceptual_attack`; `weight` is only checked here and enters through `direction`.
    """
    check_attack(images, labels)
    checks.check_number(step_size, "step_size", above=0.0)
    checks.check_number(weight, "weight", at_least=0.0)
    checks.check_number(confidence, "confidence", at_least=0.0)
    checks.check_number(steps, "steps", at_least=1, integer=True)

    references = images.detach()
    attacked = references.clone()
    n_images = images.shape[0]
    taken = torch.zeros(n_images, dtype=torch.long, device=images.device)
    evaluations = taken.clone()
    stalled = torch.zeros_like(taken, dtype=torch.bool)
    norms = images.new_full((steps, n_images, 2), float("nan"))
    with judged(distance):
        everything = cost = _distance_to(distance, references)
        active = torch.arange(n_images, device=images.device)
        for step in range(steps):
            current = attacked[active]
            ascent, flipped = loss_gradient(model, current, labels[active], stop_above=confidence)
            if flipped.any():
                going = (~flipped).nonzero().squeeze(1)
                if going.numel() == 0:
                    break
                active, current, ascent, cost = active[going], current[going], ascent[going], cost.select(going)
            pull = _distance_gradient(cost, current)
            norms[step, active] = torch.stack([_norms(ascent), _norms(pull)], dim=1)
            evaluations[active] += 1
            moved = current + step_size * direction(ascent, pull)
            if clip:
                moved = moved.clamp(0.0, 1.0)
            stuck = (moved == current).flatten(1).all(dim=1)
            attacked[active] = moved
            taken[active] += (~stuck).long()
            if stuck.any():
                stalled[active] = stuck
                going = (~stuck).nonzero().squeeze(1)
                if going.numel() == 0:
                    break
                active, cost = active[going], cost.select(going)
        with torch.no_grad():
            distances = everything(attacked)
    _check_scores(distances, n_images)

    return PerceptualAttackResult(
        images=attacked,
        success=misclassified(model, attacked, labels),
        steps=taken,
        gradient_evaluations=evaluations,
        distances=distances.to(images.dtype),
        stalled=stalled,
        gradient_norms=norms,
        rounded_success=misclassified(model, round_to_eight_bits(attacked), labels),
    )
