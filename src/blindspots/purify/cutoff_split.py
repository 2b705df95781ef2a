"""Split an image at one frequency into two parts that have none in common, for controls beside the Tikhonov split."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Images


def _cosines(length: int, like: Tensor) -> Tensor:
    """Return the orthonormal cosine basis (length, length) of a line mirrored at its ends, one wave in each row."""
    order = torch.arange(length, dtype=torch.float64, device=like.device)
    waves = torch.cos(math.pi / length * (order + 0.5) * order[:, None]) * math.sqrt(2.0 / length)
    waves[0] /= math.sqrt(2.0)
    return waves


def _squared_response(length: int, like: Tensor) -> Tensor:
    """Return |G|^2 of the difference [-1, 1] at each of those waves."""
    order = torch.arange(length, dtype=torch.float64, device=like.device)
    return 4.0 * (order * (math.pi / (2 * length))).sin().square()


def cutoff_split(images: Tensor, *, weight: float | int = 5.0) -> tuple[Images, Images]:
    r"""Split images into the frequencies that the Tikhonov split keeps by more than half, and all others.

    In the cosine waves (k, l) of an image mirrored at its borders, `tikhonov_split` multiplies each wave by
        1 / (1 + weight (4 sin^2(pi k / 2 H) + 4 sin^2(pi l / 2 W))),
    a slope without an edge: both of its parts hold every frequency. Here a wave goes to low where that factor is at
    least one half, else to high. Both maps are orthogonal projections: the energies of low and high add up to that of
    the image, and a part is split into itself and nothing.

    Args:
        images: (N, C, H, W), any finite values; differentiable.
        weight: as in `tikhonov_split`, >= 0. Larger = fewer frequencies are low; 0 leaves high = 0.

    Returns:
        low and high, both (N, C, H, W), in the dtype and on the device of images.

    Raises:
        TypeError, ValueError: not finite float images (N, C, H, W), or a weight out of range.

    Source: ours. P1 speaks of low and high frequencies and names no border between them.
    """
    checks.check_images(images, unit_range=False)
    checks.check_number(weight, "weight", at_least=0.0)
    height, width = images.shape[-2:]
    wide = images.to(torch.promote_types(images.dtype, torch.float32))
    down, right = _cosines(height, images).to(wide), _cosines(width, images).to(wide)
    squares = _squared_response(height, images)[:, None] + _squared_response(width, images)
    kept = (weight * squares <= 1.0).to(wide)
    low = down.T @ (kept * (down @ wide @ right.T)) @ right
    return low.to(images.dtype), (wide - low).to(images.dtype)
