"""Split an image into a smooth part and the rest, in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Images


def _mirrored(length: int, pad: int, device: torch.device) -> Tensor:
    """Return the indices of a line extended by pad on both sides, mirrored at its ends, edge repeated."""
    index = torch.arange(-pad, length + pad, device=device) % (2 * length)
    return torch.where(index < length, index, 2 * length - 1 - index)


def _squared_response(length: int, like: Tensor) -> Tensor:
    """Return |G|^2 of the periodic difference [-1, 1] at each of the frequencies of a line, 4 sin^2(w / 2)."""
    angle = torch.arange(length, dtype=torch.float64, device=like.device) * (math.pi / length)
    return (4.0 * angle.sin().square()).to(like.dtype)


def tikhonov_split(images: Tensor, *, weight: float | int = 5.0, pad: int = 16) -> tuple[Images, Images]:
    r"""Split images into a low-pass and a high-pass part that sum to them.

        low = argmin_z  (1/2) ||z - x||_2^2 + (weight / 2) (||G_r z||_2^2 + ||G_c z||_2^2),     high = x - low
    with G_r, G_c the differences [-1, 1] along rows and columns (P1, Stage III). With periodic boundaries the
    Fourier transform of low is that of x divided by 1 + weight (|G_r|^2 + |G_c|^2); x is extended by mirror
    images first and cropped afterwards.

    Args:
        images: (N, C, H, W), any finite values; differentiable.
        weight: of the squared differences, >= 0. Larger = smoother; 0 leaves high = 0.
        pad: pixels of mirror image on each side, >= 0; may exceed the image. 0 = periodic.

    Returns:
        low and high, both (N, C, H, W), in the dtype and on the device of images. high can be negative.

    Raises:
        TypeError, ValueError: not finite float images (N, C, H, W), or an option out of range.

    Source: P1, the Tikhonov step of the purification; weight 5 and pad 16 are those of the code of Sun et al.
    (2019), whose setting P1 follows.
    Differs from the paper: it names neither the boundary nor the weight.
    """
    checks.check_images(images, unit_range=False)
    checks.check_number(weight, "weight", at_least=0.0)
    checks.check_number(pad, "pad", at_least=0, integer=True)
    wide = images.to(torch.promote_types(images.dtype, torch.float32))
    height, width = wide.shape[-2:]
    rows, columns = _mirrored(height, pad, wide.device), _mirrored(width, pad, wide.device)
    sides = (len(rows), len(columns))
    down = _squared_response(sides[0], wide)
    right = _squared_response(sides[1], wide)[: sides[1] // 2 + 1]
    spectrum = torch.fft.rfft2(wide[..., rows[:, None], columns])
    smooth = torch.fft.irfft2(spectrum / (1.0 + weight * (down[:, None] + right)), s=sides)
    low = smooth[..., pad : pad + height, pad : pad + width]
    return low.to(images.dtype), (wide - low).to(images.dtype)
