"""JPEG compression as a defense."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from blindspots import checks
from blindspots.purify.quantize import eight_bit_values, from_eight_bit
from blindspots.types import Images

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


def _through_a_file(pixels: np.ndarray, *, quality: int, subsampling: str) -> np.ndarray:
    """Write pixels (H, W, C) to a JPEG file in memory and read them back."""
    color = pixels.shape[2] == 3
    file = io.BytesIO()
    options = {"subsampling": subsampling} if color else {}
    Image.fromarray(pixels if color else pixels[:, :, 0]).save(file, "JPEG", quality=quality, **options)
    with Image.open(file) as image:
        return np.array(image).reshape(pixels.shape)


def jpeg(images: Tensor, *, quality: int, subsampling: str = "4:2:0") -> Images:
    """Compress each image to a JPEG file and read it back.

    The image is first rounded to 8 bits, since that is what the format takes.

    Args:
        images: (N, C, H, W) in [0, 1]; C = 1 (gray) or 3 (RGB).
        quality: 1 (worst) to 100. P0's tables use 90 to 30 in steps of 10.
        subsampling: resolution of the two color channels: "4:4:4" full, "4:2:2" halved across, "4:2:0" halved
            both ways, which is the encoder's own default. A gray image has no color channels and comes out
            the same for all three.

    Returns:
        (N, C, H, W), multiples of 1/255 in [0, 1], in the dtype and on the device of images. No gradient
        flows through.

    Raises:
        TypeError: not float images, or a quality that is not an integer.
        ValueError: values outside [0, 1], another number of channels, an option out of range.

    Source: Das et al. (2018); P0 Section 3.2 measures attacks after it.
    Differs from the paper: it names neither the quality nor the subsampling. The quality has no default here.
    """
    checks.check_images(images)
    if images.shape[1] not in (1, 3):
        raise ValueError(
            f"images: expected 1 (gray) or 3 (RGB) channels, got {images.shape[1]}; JPEG stores no other number"
        )
    checks.check_number(quality, "quality", at_least=1, at_most=100, integer=True)
    checks.check_choice(subsampling, "subsampling", SUBSAMPLINGS)
    pixels = eight_bit_values(images).permute(0, 2, 3, 1).cpu().numpy()
    read = [_through_a_file(np.ascontiguousarray(one), quality=quality, subsampling=subsampling) for one in pixels]
    return from_eight_bit(torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).contiguous(), images)
