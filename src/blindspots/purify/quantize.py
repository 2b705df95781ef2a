"""Round to the 256 levels of an 8-bit file: what a person who is sent the image would receive."""

from __future__ import annotations

import torch
from jaxtyping import UInt8
from torch import Tensor

from blindspots import checks
from blindspots.types import Images


def eight_bit_values(images: Images) -> UInt8[Tensor, "N C H W"]:
    """Return round(255 x) as bytes; half a level goes to the even one. Narrow floats are widened first."""
    wide = images.detach().to(torch.promote_types(images.dtype, torch.float32))
    return (255.0 * wide).round().to(torch.uint8)


def from_eight_bit(values: UInt8[Tensor, "N C H W"], images: Images) -> Images:
    """Return values / 255 in the dtype and on the device of images."""
    wide = values.to(device=images.device, dtype=torch.promote_types(images.dtype, torch.float32))
    return (wide / 255.0).to(images.dtype)


def to_eight_bit(images: Tensor) -> Images:
    """Round images to the levels k / 255, k = 0 to 255.

    An attack that lives below half a level does not survive this; report its success before and after.

    Args:
        images: (N, C, H, W) in [0, 1].

    Returns:
        (N, C, H, W), every value the float nearest to a k / 255; at most 1/510 from the input. No gradient
        flows through.

    Raises:
        TypeError, ValueError: not float images (N, C, H, W) in [0, 1].

    Source: P0 Algorithm 3.1 asks for a valid RGB image and names no rounding; we round once, at the end.
    """
    checks.check_images(images)
    return from_eight_bit(eight_bit_values(images), images)
