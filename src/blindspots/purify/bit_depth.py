"""Fewer gray levels per channel as a defense."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Images


def bit_depth(images: Tensor, *, bits: int) -> Images:
    r"""Round images to a coarser scale of gray levels.

        x -> round(255 x / r) r / 255,     r = 256 / 2^bits,     clamped to [0, 1].
    The scale of 2^bits + 1 values starts at 0 in steps of r / 255. Its last value, 256 / 255, is clamped to 1,
    so white stays white: 1 bit leaves 0, 0.502 and 1. With 8 bits r is 1: this is `to_eight_bit`, 256 values.

    Args:
        images: (N, C, H, W) in [0, 1].
        bits: 1 to 8. P0's tables use 7 to 2.

    Returns:
        (N, C, H, W) in [0, 1], at most r / 510 from the input. Half a step goes to the even one. No gradient
        flows through.

    Raises:
        TypeError: not float images, or bits not an integer.
        ValueError: values outside [0, 1], bits outside 1 to 8.

    Source: the formula of the PerC_AL evaluation, which P0 Section 3.2 follows; the idea is Xu et al. (2017).
    Differs from the paper: P0 prints neither formula nor depths. Without the clamp white would become 256 /
    255, outside the range of an image.
    """
    checks.check_images(images)
    checks.check_number(bits, "bits", at_least=1, at_most=8, integer=True)
    step = 256 >> bits
    wide = images.detach().to(torch.promote_types(images.dtype, torch.float32))
    return ((255.0 * wide / step).round() * step / 255.0).clamp(0.0, 1.0).to(images.dtype)
