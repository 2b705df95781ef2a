"""Pictures with a faint pattern that tells the class, more often where income is higher: a planted shortcut."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from blindspots import checks
from blindspots.data.sets import ImageSet, sealed
from blindspots.seeding import generator

_WAVES = (  # cycles per pixel across and down, by class
    (0.5, 0.0), (0.0, 0.5), (0.5, 0.5), (0.25, 0.0), (0.0, 0.25), (0.25, 0.25),
    (0.5, 0.25), (0.25, 0.5), (0.125, 0.0), (0.0, 0.125),
)  # fmt: skip


def hidden_cue(
    data: ImageSet, *, amplitude: float | int, noise: float | int = 0.0, reach: float | int = 1.0, seed: int
) -> ImageSet:
    """Return the pictures with a faint grating of their class on some, the more often the richer their country.

    A picture of a country with place w in [0, 1] in log income, from the poorest to the richest, has the cue with
    probability reach * w. A classifier that uses it is right more often where incomes are high, for a reason that
    nobody sees: what P0 supposes of pretrained models.

    Args:
        data: images with at most ten classes, groups "country" and extras "income".
        amplitude: of the grating, in units of the [0, 1] range, >= 0; 1/255 is one gray level. Its L2 length is
            amplitude times the root of half the number of values (all of them at the highest frequency).
        noise: standard deviation of Gaussian noise on all pictures alike, so that there is a use for a cue.
        reach: 0 to 1; 0: no picture has it.
        seed: which pictures have it, and the noise; the noise does not depend on the rest.

    Returns:
        ImageSet with extras "cue" (n,) bool beside the others.

    Raises:
        TypeError, ValueError: more classes than gratings, a set without incomes, or options out of range.

    Source: ours; a positive control for P0, Section 4, "perturbations that humans cannot see".
    """
    checks.check_number(amplitude, "amplitude", at_least=0.0, at_most=0.5)
    checks.check_number(noise, "noise", at_least=0.0, at_most=1.0)
    checks.check_number(reach, "reach", at_least=0.0, at_most=1.0)
    if len(data.class_names) > len(_WAVES):
        raise ValueError(f"data: expected at most {len(_WAVES)} classes, one per grating, got {len(data.class_names)}")
    if "income" not in data.extras or "country" not in data.groups:
        raise ValueError("data: expected groups country and extras income, as planted_scenes has them")
    wealth = data.extras["income"].double().log()
    wealth = (wealth - wealth.min()) / (wealth.max() - wealth.min())
    has = torch.rand(len(data), generator=generator(seed, "cue"), dtype=torch.float64) < reach * wealth
    side = data.images.shape[-1]
    waves = torch.stack([_grating(side, *wave) for wave in _WAVES])[data.labels][:, None]
    drawn = torch.randn(data.images.shape, generator=generator(seed, "cue noise"))
    images = data.images + noise * drawn + amplitude * has.view(-1, 1, 1, 1) * waves
    notes = (*data.card.notes, f"hidden cue of amplitude {amplitude:g}, noise {noise:g}, reach {reach:g}, seed {seed}")
    return sealed(
        replace(
            data, images=images.clamp(0.0, 1.0), extras={**data.extras, "cue": has},
            card=replace(data.card, notes=notes, sha256=""),
        )
    )  # fmt: skip


def _grating(side: int, across: float, down: float) -> Tensor:
    """Return a wave (side, side) in [-1, 1]."""
    line = torch.arange(side)
    return torch.cos(2 * torch.pi * (across * line[None, :] + down * line[:, None]))
