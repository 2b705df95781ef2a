"""One network's ceilings on the worst mean loss against what attacks reach, by transport budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

import blindspots.fairness
from blindspots import checks
from blindspots.cache import cached_tensors
from blindspots.fairness import (
    RobustSurrogate,
    attained_loss,
    better_surrogate,
    dual_objective,
    robust_surrogate,
    robustness_certificate,
    searched_surrogate,
)
from blindspots.fairness.input_curvature import input_curvature
from blindspots.fairness.robust_surrogate import cross_entropies
from blindspots.fingerprint import fingerprint
from blindspots.seeding import generator
from blindspots.studies.robust_trio import ball_attack

PROVEN = (1.02, 1.5, 3.0, 10.0)
"""Multiples of smoothness / 2 at which the proven ceilings are taken."""


@dataclass(frozen=True)
class CertificateTrial:
    """What one network's trial found; all tensors float64 on the CPU, loss in nats, distances squared L2.

    Attributes:
        clean: (2,), mean loss and accuracy of the images as they are.
        weights: (W,), the multipliers tried.
        short: (W,), mean phi by the training's ascent.
        fine: (W,), mean phi by the finer search, which includes the short ascent's points.
        moved: (W, 3), mean distance, mean loss and accuracy of the finer search's images.
        concave: (W,), share of images at which 2 weight exceeds the loss's curvature, at the image and at its worst
            image both.
        balls: (E, 3), mean distance, mean loss and accuracy after an attack in a ball, by radius.
        attained: (R,), largest mean loss that mixtures of all attacks found reach within each bound.
        reached: (R,), the same by the training's ascent at the training's multiplier alone.
        ceilings: (R, 4): at the training's multiplier by the short ascent and by the finer search; the smallest over
            multipliers by the finer search; the smallest over those for which it is proven, NaN without a smoothness.
    """

    clean: Tensor
    weights: Tensor
    short: Tensor
    fine: Tensor
    moved: Tensor
    concave: Tensor
    balls: Tensor
    attained: Tensor
    reached: Tensor
    ceilings: Tensor


def certificate_trial(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    weight: float | int,
    weights: Sequence[float],
    radii: Sequence[float],
    bounds: Sequence[float],
    steps: int = 16,
    fine_steps: int = 100,
    starts: int = 2,
    smoothness: float | None = None,
    seed: int,
) -> CertificateTrial:
    r"""Attack a network at many multipliers and radii, and set ceilings beside what was reached; cached.

    Args:
        model: images in [0, 1] -> logits.
        images: (N, C, H, W) in [0, 1].
        labels: (N,).
        weight: the training's multiplier gamma.
        weights: others tried, > 0.
        radii: of the attacks in a ball, > 0.
        bounds: rho, budgets at which ceilings are compared, >= 0, in squared L2.
        steps: of the training's ascent and of the attacks in a ball.
        fine_steps: of each ascent of the finer search.
        starts: its ascents per image.
        smoothness: Lipschitz constant of the loss's gradient, if one is known.
        seed: of the finer search and the curvature.

    Returns:
        CertificateTrial.

    Raises:
        TypeError, ValueError: bad images, labels or options.
    """
    checks.check_images(images)
    checks.check_labels(labels, len(images))
    tried = sorted({float(weight), *map(float, weights)})
    settings = {
        "weight": float(weight), "weights": tried, "radii": list(map(float, radii)), "bounds": list(map(float, bounds)),
        "steps": steps, "fine_steps": fine_steps, "starts": starts, "smoothness": smoothness, "seed": seed,
        "device": images.device.type,
    }  # fmt: skip
    state = model.state_dict().values()

    def build() -> dict[str, Tensor]:
        found = _trial(model, images, labels, **{name: settings[name] for name in settings if name != "device"})
        return {field.name: getattr(found, field.name) for field in fields(found)}

    entry = cached_tensors(
        "certificate-trial",
        build,
        parameters=settings | {"model": type(model).__name__},
        data=(fingerprint(images.cpu(), labels.cpu()), fingerprint(*(value.cpu() for value in state))),
        sources=(blindspots.fairness, certificate_trial),
    )
    return CertificateTrial(**entry.tensors)


def _means(model: nn.Module, images: Tensor, moved: Tensor, labels: Tensor) -> list[float]:
    """Return mean squared distance, mean loss and accuracy of moved images."""
    with torch.no_grad():
        logits = model(moved)
    far = (moved - images).double().square().flatten(1).sum(1).mean().item()
    right = (logits.argmax(1) == labels).double().mean().item()
    return [far, cross_entropies(logits, labels).double().mean().item(), right]


def _concave(model: nn.Module, surrogate: RobustSurrogate, images: Tensor, labels: Tensor, seed: int) -> float:
    largest = torch.full((len(images),), float("-inf"), dtype=torch.float64)
    for points in (images, surrogate.images):
        found = input_curvature(model, points, labels, iterations=12, generator=generator(seed, "curvature"))
        largest = torch.maximum(largest, found.double().cpu())
    return (2 * surrogate.weight > largest).double().mean().item()


def _trial(
    model: nn.Module, images: Tensor, labels: Tensor, *, weight: float, weights: list[float], radii: list[float],
    bounds: list[float], steps: int, fine_steps: int, starts: int, smoothness: float | None, seed: int,
) -> CertificateTrial:  # fmt: skip
    clean = _means(model, images, images, labels)
    rho = torch.tensor(bounds, dtype=torch.float64)
    short, fine, moved, concave = [], {}, [], []
    for value in weights:
        quick = robust_surrogate(model, images, labels, weight=value, steps=steps)
        draws = generator(seed, "starts")
        slow = searched_surrogate(model, images, labels, weight=value, steps=fine_steps, starts=starts, generator=draws)
        fine[value] = better_surrogate(slow, quick)
        short.append(quick.values.double().mean().item())
        moved.append(_means(model, images, fine[value].images, labels))
        concave.append(_concave(model, fine[value], images, labels, seed))
        if value == weight:
            at_training = quick
    balls = [_means(model, images, ball_attack(model, radius, steps)(images, labels), labels) for radius in radii]
    attacks = torch.tensor([[0.0, clean[1], 0.0], *moved, *balls], dtype=torch.float64)
    own = torch.tensor([[0.0, clean[1], 0.0], _means(model, images, at_training.images, labels)], dtype=torch.float64)
    every = torch.stack([torch.tensor([dual_objective(one, r) for r in bounds]) for one in fine.values()])
    proven = torch.full_like(rho, float("nan"))
    if smoothness is not None:
        lines = []
        for factor in PROVEN:
            value = 0.5 * factor * smoothness
            found = robust_surrogate(model, images, labels, weight=value, steps=steps, schedule="constant")
            lines.append(robustness_certificate(found, rho, smoothness=smoothness).ceilings)
        proven = torch.stack(lines).amin(0)
    ceilings = [
        torch.tensor([dual_objective(at_training, r) for r in bounds]),
        torch.tensor([dual_objective(fine[weight], r) for r in bounds]),
        every.amin(0),
        proven,
    ]
    return CertificateTrial(
        clean=torch.tensor(clean[1:], dtype=torch.float64),
        weights=torch.tensor(weights, dtype=torch.float64),
        short=torch.tensor(short, dtype=torch.float64),
        fine=torch.tensor([one.values.double().mean().item() for one in fine.values()], dtype=torch.float64),
        moved=torch.tensor(moved, dtype=torch.float64),
        concave=torch.tensor(concave, dtype=torch.float64),
        balls=torch.tensor(balls, dtype=torch.float64).reshape(-1, 3),
        attained=attained_loss(attacks[:, 0], attacks[:, 1], rho),
        reached=attained_loss(own[:, 0], own[:, 1], rho),
        ceilings=torch.stack([one.double().cpu() for one in ceilings], 1),
    )
