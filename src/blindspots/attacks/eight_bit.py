"""What an attacked image becomes when it is saved as a picture."""

from __future__ import annotations

from torch import Tensor

from blindspots import checks
from blindspots.types import Images


def round_to_eight_bits(images: Tensor) -> Images:
    """Clamp images to [0, 1] and round them to the 256 levels of an 8-bit picture.

    Args:
        images: (N, C, H, W), any finite values.

    Returns:
        (N, C, H, W), multiples of 1/255 in [0, 1], in the dtype of images. Without a gradient to speak of:
        rounding has slope 0.

    Raises:
        TypeError, ValueError: not a finite float tensor (N, C, H, W).
    """
    checks.check_images(images, unit_range=False)
    return (images.clamp(0.0, 1.0) * 255.0).round() / 255.0
