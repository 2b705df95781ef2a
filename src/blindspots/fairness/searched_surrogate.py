"""The robust surrogate by a finer search: longer ascents from several starts."""

from __future__ import annotations

from dataclasses import fields

import torch
from torch import Tensor

from blindspots import checks
from blindspots.fairness.robust_surrogate import (
    Losses,
    RobustSurrogate,
    cross_entropies,
    robust_surrogate,
    squared_distance,
)
from blindspots.types import Classifier, Distance


def searched_surrogate(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    distance: Distance = squared_distance,
    *,
    weight: float | int,
    starts: int = 3,
    spread: float | int = 0.1,
    steps: int = 100,
    step_size: float | int | None = None,
    clip: bool = True,
    losses: Losses = cross_entropies,
    generator: torch.Generator,
) -> RobustSurrogate:
    r"""Maximize loss minus weighted distance by ascents with a constant step, from the image and from points near it.

    Where the inner problem is not concave an ascent ends at a local maximum; the best of several is nearer to phi, and
    still a lower bound of it.

    Args:
        model, images, labels, distance, weight, clip, losses: as in `robust_surrogate`.
        starts: ascents for each image, at least 1: the first from the image itself.
        spread: standard deviation per pixel of the other starts around the image, > 0.
        steps: of each ascent, at least 1.
        step_size: > 0; None for half of 1 / (2 weight).
        generator: a CPU generator of the starts; it is advanced.

    Returns:
        RobustSurrogate: for each image the best point of all ascents.

    Raises:
        TypeError, ValueError: as `robust_surrogate`.

    Source: P0, Eq. 3.3, whose supremum is over all x.
    """
    checks.check_images(images, unit_range=clip)
    checks.check_number(starts, "starts", at_least=1, integer=True)
    checks.check_number(spread, "spread", above=0.0)
    checks.check_number(weight, "weight", above=0.0)
    checks.check_generator(generator)
    originals = images.detach()
    options = dict(
        weight=weight, steps=steps, step_size=0.25 / weight if step_size is None else step_size, schedule="constant",
        clip=clip, losses=losses,
    )  # fmt: skip
    best: RobustSurrogate | None = None
    for number in range(starts):
        begin = originals
        if number:
            noise = torch.randn(images.shape, generator=generator, dtype=torch.float64).to(originals)
            begin = originals + spread * noise
            begin = begin.clamp(0.0, 1.0) if clip else begin
        found = robust_surrogate(model, begin, labels, lambda points, _: distance(points, originals), **options)
        best = found if best is None else better_surrogate(best, found)
    return best


def better_surrogate(first: RobustSurrogate, second: RobustSurrogate) -> RobustSurrogate:
    """Return for each image the better of two points found at one weight.

    Raises:
        ValueError: two weights, or one held in [0, 1] and the other not.
    """
    if (first.weight, first.clipped) != (second.weight, second.clipped):
        raise ValueError(
            f"second: expected weight {first.weight:g} and clipped {first.clipped}, as the first, got "
            f"{second.weight:g} and {second.clipped}; two weights are two problems"
        )
    better = second.values > first.values
    chosen = {}
    for field in fields(RobustSurrogate):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, Tensor):
            one = torch.where(better.view(-1, *[1] * (one.ndim - 1)), other, one)
        chosen[field.name] = one
    return RobustSurrogate(**chosen)
