"""Random changes of training images that keep their class."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from blindspots.checks import check_generator, check_images, check_number

AUGMENTATIONS = ("shift", "flip")


def random_shift(images: Tensor, *, max_shift: int, generator: torch.Generator) -> Tensor:
    """Move each image by whole pixels, at random, filling with zeros.

    Args:
        images: (N, C, H, W), any finite values.
        max_shift: both offsets are drawn uniformly from -max_shift to max_shift; less than H and W.
        generator: a CPU generator.

    Returns:
        Images of the same shape, dtype and device.

    Raises:
        ValueError: a shift that could push an image out of its frame.
    """
    check_images(images, unit_range=False)
    check_generator(generator)
    check_number(max_shift, "max_shift", at_least=0, at_most=min(images.shape[-2:]) - 1, integer=True)
    return shift_images(images, max_shift, generator)


def random_flip(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability one half.

    Args:
        images: (N, C, H, W), any finite values.
        generator: a CPU generator.

    Returns:
        Images of the same shape, dtype and device.
    """
    check_images(images, unit_range=False)
    check_generator(generator)
    return flip_images(images, generator)


def shift_images(images: Tensor, max_shift: int, generator: torch.Generator) -> Tensor:
    """Do what `random_shift` does, without its checks, for a training loop."""
    n, channels, height, width = images.shape
    offsets = torch.randint(0, 2 * max_shift + 1, (2, n), generator=generator).to(images.device)
    padded = F.pad(images, (max_shift,) * 4)
    rows = offsets[0, :, None] + torch.arange(height, device=images.device)
    columns = offsets[1, :, None] + torch.arange(width, device=images.device)
    every = torch.arange(n, device=images.device)[:, None, None, None]
    maps = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[every, maps, rows[:, None, :, None], columns[:, None, None, :]]


def flip_images(images: Tensor, generator: torch.Generator) -> Tensor:
    """Do what `random_flip` does, without its checks, for a training loop."""
    chosen = torch.rand(len(images), generator=generator).to(images.device) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)
