"""Conventional augmentation: small random turns, shifts, changes of size and brightness that keep the class."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from blindspots.checks import check_generator, check_images, check_number


def affine_augmentation(
    images: Tensor,
    *,
    degrees: float = 10.0,
    shift: float = 0.1,
    scale: float = 0.1,
    flip: bool = False,
    brightness: float = 0.0,
    generator: torch.Generator,
) -> Tensor:
    """Turn, shift, resize, and where asked mirror and brighten each image at random, filling with black.

    Args:
        images: (N, C, H, W) in [0, 1].
        degrees: turns are uniform in [-degrees, degrees].
        shift: shifts are uniform in [-shift, shift] of height and of width.
        scale: sizes are uniform in [1 - scale, 1 + scale]; < 1.
        flip: mirror left to right with probability one half.
        brightness: images are multiplied by a factor uniform in [1 - brightness, 1 + brightness] and clipped; <= 1.
        generator: a CPU generator; the draws do not depend on the options.

    Returns:
        Images (N, C, H, W) in [0, 1], of the same dtype and device, interpolated bilinearly.

    Raises:
        TypeError, ValueError: bad images, options or generator.
    """
    check_images(images)
    check_augmentation(degrees=degrees, shift=shift, scale=scale, brightness=brightness)
    check_generator(generator)
    return augment_images(
        images, degrees=degrees, shift=shift, scale=scale, flip=flip, brightness=brightness, generator=generator
    )


def check_augmentation(*, degrees: float, shift: float, scale: float, brightness: float, flip: bool = False) -> None:
    """Raise unless these are options `affine_augmentation` takes."""
    check_number(degrees, "degrees", at_least=0.0, at_most=180.0)
    check_number(shift, "shift", at_least=0.0, at_most=1.0)
    check_number(scale, "scale", at_least=0.0, at_most=0.99)
    check_number(brightness, "brightness", at_least=0.0, at_most=1.0)


def augment_images(
    images: Tensor, *, degrees: float, shift: float, scale: float, flip: bool, brightness: float,
    generator: torch.Generator,
) -> Tensor:  # fmt: skip
    """Do what `affine_augmentation` does, without its checks, for a training loop."""
    n, _, height, width = images.shape
    draws = torch.rand(6, n, generator=generator, dtype=torch.float64).to(images)
    turns = (2 * draws[0] - 1) * math.radians(degrees)
    sizes = 1 + (2 * draws[1] - 1) * scale
    mirror = torch.where(draws[2] < 0.5, -1.0, 1.0).to(images) if flip else torch.ones_like(sizes)
    # affine_grid runs over [-1, 1] of each side whatever its length: turns are corrected by the sides' ratio.
    cosines, sines = turns.cos() / sizes, turns.sin() / sizes
    maps = torch.zeros(n, 2, 3, dtype=images.dtype, device=images.device)
    maps[:, 0, 0], maps[:, 0, 1] = cosines * mirror, -sines * height / width
    maps[:, 1, 0], maps[:, 1, 1] = sines * mirror * width / height, cosines
    maps[:, 0, 2], maps[:, 1, 2] = 2 * (2 * draws[3] - 1) * shift, 2 * (2 * draws[4] - 1) * shift
    moved = F.grid_sample(images, F.affine_grid(maps, list(images.shape), align_corners=False), align_corners=False)
    factors = 1 + (2 * draws[5] - 1) * brightness
    return (moved * factors[:, None, None, None]).clamp(0, 1)
