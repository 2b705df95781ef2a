"""Attacks at one strength: each follows its own direction until a chosen measure of the change is met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import check_attack, logit_margin, loss_gradient, unit_vectors
from blindspots.attacks.model import judged
from blindspots.attacks.result import AttackResult, l2_distances, misclassified
from blindspots.perception.ssim_newton import ssim_newton_direction
from blindspots.types import Classifier, Distance, Flags, Images, Scores

STRENGTH_DIRECTIONS = ("pgd", "perceptual", "ssim", "noise")
STRENGTH_MEASURES = ("l2", "relative", "distance", "margin")
_HALVINGS = 12  # of the last step

Direction = Callable[[Images, Tensor], Images]
"""(images (M, C, H, W), rows (M,)) -> where these images go; rows count through the batch."""


@dataclass(frozen=True)
class StrengthAttackResult(AttackResult):
    """An AttackResult with the strength that was met; `distances` are L2.

    Attributes:
        strengths: (N,), of the returned images under the measure.
        reached: (N,), whether they are as strong as asked. The others ran out of steps, or stalled.
    """

    strengths: Scores | None = None
    reached: Flags | None = None


def attack_to_strength(
    name: str,
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    strength: float | int,
    measure: str = "l2",
    distance: Distance | None = None,
    step_size: float | int = 0.02,
    steps: int = 100,
    weight: float | int = 1.0,
    window_size: int = 11,
    generator: torch.Generator | None = None,
) -> StrengthAttackResult:
    r"""Walk in the direction of an attack until the change is as strong as asked, whether or not the class flips.

        x <- clip(x + step_size d / ||d||_2),     until measure(x, x0) >= strength
    The last step is shortened so that the measure is met: L2 lengths to 1e-3 of a step. d is, by name:

    | name | d |
    |---|---|
    | pgd | grad l(x): P0 Eq. 3.5 |
    | perceptual | grad l(x) - weight grad c0(x, x0): P0 Algorithm 3.1, in steps of one length |
    | ssim | H^-1 grad l(x0), the same throughout: P0 Eq. 3.4 |
    | noise | Gaussian noise, the same throughout: no attack at all |

    The measure is, by name:

    | measure | of the change |
    |---|---|
    | l2 | ||x - x0||_2 |
    | relative | ||x - x0||_2 / ||x0||_2 |
    | distance | c0(x, x0) |
    | margin | max_{i != y} logit_i - logit_y, to be exceeded; an image that exceeds it at once is left as it is |

    Args:
        name: the direction.
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1], the originals x0.
        labels: (N,), the true classes; the attack is untargeted.
        strength: > 0, or >= 0 for a margin; in units of the measure.
        measure: what is met.
        distance: c0, differentiable in its first argument; needed by "perceptual" and by the measure "distance".
        step_size: L2 length of a step before it is clipped, > 0. "ssim" and "noise" take shorter ones too, since their
            path is straight: it only decides how far `steps` lead.
        steps: most steps an image may take, at least 1.
        weight: P0's lambda, of "perceptual", >= 0.
        window_size: of the Hessian of SSIM, of "ssim".
        generator: a CPU generator, for "noise" only; it is advanced.

    Returns:
        StrengthAttackResult. stalled marks images whose direction was exactly 0; steps counts whole and shortened ones.

    Raises:
        TypeError, ValueError: bad images, labels or options; no distance or generator where one is needed.

    Source: ours, so that P0's attacks can be compared at one strength; the directions are P0's.
    Differs from the paper: it stops at the flip, so that the strength is what the attack happens to need.
    """
    checks.check_choice(name, "name", STRENGTH_DIRECTIONS)
    checks.check_choice(measure, "measure", STRENGTH_MEASURES)
    check_attack(images, labels)
    checks.check_number(strength, "strength", **({"at_least": 0.0} if measure == "margin" else {"above": 0.0}))
    checks.check_number(step_size, "step_size", above=0.0)
    checks.check_number(steps, "steps", at_least=1, integer=True)
    checks.check_number(weight, "weight", at_least=0.0)
    if distance is None and (name == "perceptual" or measure == "distance"):
        raise ValueError("distance: expected one for the direction perceptual and the measure distance, got None")
    originals = images.detach()
    everyone = torch.arange(len(images), device=images.device)
    measured = _measure(measure, model, originals, labels, distance)
    towards = _direction(name, model, originals, labels, distance, float(weight), window_size, generator)

    low, high = originals.clone(), originals.clone()
    reached = measured(originals, everyone) > strength if measure == "margin" else torch.zeros_like(labels).bool()
    untouched, stalled = reached.clone(), torch.zeros_like(reached)
    taken = torch.zeros_like(labels, dtype=torch.long)
    active = everyone[~reached]
    for _ in range(steps):
        if not len(active):
            break
        units, zero = unit_vectors(towards(high[active], active))
        stalled[active] = zero
        active, units = active[~zero], units[~zero]
        if not len(active):
            break
        low[active] = high[active]
        high[active] = (high[active] + step_size * units).clamp(0.0, 1.0)
        taken[active] += 1
        there = _enough(measured(high[active], active), strength, measure)
        reached[active] = there
        active = active[~there]
    shortened = everyone[reached & ~untouched]
    if len(shortened):
        high[shortened] = _met(low[shortened], high[shortened], shortened, measured, strength, measure)
    gradients = {"pgd": taken, "perceptual": taken}.get(name, torch.full_like(taken, int(name == "ssim")))
    return StrengthAttackResult(
        images=high,
        success=misclassified(model, high, labels),
        steps=taken,
        gradient_evaluations=gradients,
        distances=l2_distances(high, originals),
        stalled=stalled,
        strengths=measured(high, everyone).to(images.dtype),
        reached=reached,
    )


def _enough(values: Scores, strength: float | int, measure: str) -> Flags:
    return values > strength if measure == "margin" else values >= strength


def _met(low: Images, high: Images, rows: Tensor, measured: Direction, strength: float | int, measure: str) -> Images:
    """Return the first place between low and high, to a part of 2^12, that is strong enough: high is."""
    near, far = low.new_zeros(len(low)), low.new_ones(len(low))
    for _ in range(_HALVINGS):
        middle = 0.5 * (near + far)
        enough = _enough(measured(torch.lerp(low, high, middle[:, None, None, None]), rows), strength, measure)
        near, far = torch.where(enough, near, middle), torch.where(enough, middle, far)
    return torch.lerp(low, high, far[:, None, None, None])


def _measure(
    measure: str, model: Classifier, originals: Images, labels: Tensor, distance: Distance | None
) -> Callable[[Images, Tensor], Scores]:
    """Return (images, rows) -> how strong their change is."""
    if measure == "margin":

        def margins(images: Images, rows: Tensor) -> Scores:
            with judged(model), torch.no_grad():
                return logit_margin(model(images), labels[rows].long())

        return margins
    if measure == "distance":

        def distances(images: Images, rows: Tensor) -> Scores:
            with judged(distance), torch.no_grad():
                return distance(images, originals[rows])

        return distances
    norms = torch.linalg.vector_norm(originals.flatten(1), dim=1)
    units = norms.clamp_min(torch.finfo(norms.dtype).tiny) if measure == "relative" else torch.ones_like(norms)
    return lambda images, rows: l2_distances(images, originals[rows]) / units[rows]


def _direction(
    name: str,
    model: Classifier,
    originals: Images,
    labels: Tensor,
    distance: Distance | None,
    weight: float,
    window_size: int,
    generator: torch.Generator | None,
) -> Direction:
    """Return (images, rows) -> where the attack goes from there."""
    if name == "noise":
        checks.check_generator(generator)
        drawn = torch.randn(originals.shape, generator=generator, dtype=originals.dtype).to(originals.device)
        return lambda images, rows: drawn[rows]
    if name == "ssim":
        first, _ = loss_gradient(model, originals, labels)
        newton = ssim_newton_direction(originals, first, window_size=window_size).direction.to(originals)
        return lambda images, rows: newton[rows]
    if name == "pgd":
        return lambda images, rows: loss_gradient(model, images, labels[rows])[0]

    def perceptual(images: Images, rows: Tensor) -> Images:
        ascent, _ = loss_gradient(model, images, labels[rows])
        with judged(distance), torch.enable_grad():
            leaf = images.clone().requires_grad_(True)
            (pull,) = torch.autograd.grad(distance(leaf, originals[rows]).sum(), leaf)
        checks.check_finite(pull, "the distance's gradient")
        return ascent - weight * pull

    return perceptual
