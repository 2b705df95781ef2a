"""Data sets by country that can be drawn again: scenes from a drawing, or photographs dealt from a pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from blindspots import checks
from blindspots.data import country_photographs, planted_scenes
from blindspots.data.sets import ImageSet
from blindspots.seeding import derive_seed, generator


def country_set(
    n: int,
    *,
    pool: ImageSet | None = None,
    size: int = 32,
    strength: float | int = 1.0,
    illumination: float | int = 2.0,
    clutter: float | int = 8.0,
    countries: Sequence[str] | None = None,
    weights: Sequence[float] | Tensor | None = None,
    seed: int,
) -> ImageSet:
    """Return a data set by country; another seed is another sample of the same population.

    Args:
        n: images, at least one per country.
        pool: pictures without countries, of which n are drawn without replacement and dealt to countries by
            `country_photographs`; None draws new scenes by `planted_scenes`.
        size: side of a scene in pixels; pictures of a pool keep theirs.
        strength: factor of illumination and clutter, 0 to 2; 0 plants nothing.
        illumination: stops between the poorest and the richest country at strength 1.
        clutter: pieces more in the poorest country at strength 1.
        countries, weights: see `planted_scenes`.
        seed: decides everything; sets with the same seed and another strength have the same pictures and countries.

    Returns:
        ImageSet with groups["country"], and extras income, stops and clutter.

    Raises:
        ValueError: more images than the pool has, or an option out of range.
    """
    checks.check_number(n, "n", at_least=1, integer=True)
    checks.check_number(strength, "strength", at_least=0.0, at_most=2.0)
    if pool is None:
        return planted_scenes(
            n, seed=seed, size=size, illumination=float(strength) * illumination, clutter=float(strength) * clutter,
            countries=countries, weights=None if weights is None else [float(weight) for weight in weights],
        )  # fmt: skip
    if n > len(pool):
        raise ValueError(f"n: expected at most the {len(pool)} pictures of the pool, got {n}")
    rows = torch.randperm(len(pool), generator=generator(seed, "pictures"))[:n]
    return country_photographs(
        pool.images[rows], pool.labels[rows], seed=derive_seed(seed, "countries"), strength=strength,
        illumination=illumination, clutter=clutter, countries=countries, weights=weights, class_names=pool.class_names,
    )  # fmt: skip


def joined(first: ImageSet, second: ImageSet) -> ImageSet:
    """Return the images of two sets with the same countries and classes, one after the other.

    The card is the first set's. Extras that are not one value per image are left out.

    Raises:
        ValueError: other countries or classes.
    """
    if first.group_names != second.group_names or first.class_names != second.class_names:
        raise ValueError("second: expected the countries and classes of the first set, got others")
    both = {
        part: {
            name: torch.cat([values, getattr(second, part)[name]])
            for name, values in getattr(first, part).items()
            if isinstance(values, Tensor) and len(values) == len(first)
        }
        for part in ("groups", "extras")
    }
    return replace(
        first, images=torch.cat([first.images, second.images]), labels=torch.cat([first.labels, second.labels]), **both
    )
