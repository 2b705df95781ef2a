"""Pieces of an image that are switched on and off together: quickshift and SLIC behind one form."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int
from skimage.segmentation import quickshift, slic
from torch import Tensor

from blindspots import checks


def quickshift_superpixels(
    image: Tensor, *, kernel_size: float = 4.0, max_dist: float = 200.0, ratio: float = 0.2, seed: int = 0
) -> Int[Tensor, "H W"]:
    """Return superpixels by mode seeking over color and place, as the lime package makes them.

    The defaults suit images of some hundred pixels; on small or pale ones they may leave a single superpixel.

    Args:
        image: (C, H, W) in [0, 1], C = 1 (gray) or 3.
        kernel_size: width of the Gaussian that smooths the density, in pixels, at least 1; larger gives fewer pieces.
        max_dist: longest link, in the joint space of color and place, above 0; larger gives fewer pieces.
        ratio: weight of color against place, 0 to 1.
        seed: of the noise that breaks ties.

    Returns:
        (H, W) integers 0 to D - 1, each of which occurs; on the image's device.

    Raises:
        TypeError, ValueError: a bad image or option, or a single superpixel (an image of one color).

    Source: Vedaldi and Soatto (2008), with the lime package's settings; skimage.segmentation.quickshift.
    """
    checks.check_number(kernel_size, "kernel_size", at_least=1.0)
    checks.check_number(max_dist, "max_dist", above=0.0)
    checks.check_number(ratio, "ratio", at_least=0.0, at_most=1.0)
    checks.check_number(seed, "seed", at_least=0, integer=True)
    pixels = _pixels(image)
    found = quickshift(pixels, kernel_size=kernel_size, max_dist=max_dist, ratio=ratio, rng=seed)
    return _numbered(found, image)


def slic_superpixels(image: Tensor, *, n_segments: int = 50, compactness: float = 10.0) -> Int[Tensor, "H W"]:
    """Return superpixels of like size by k-means over color and place.

    Args:
        image: (C, H, W) in [0, 1], C = 1 (gray) or 3.
        n_segments: starting pieces, at least 2; stray bits are joined to their neighbors, so fewer are found.
        compactness: weight of place against color, above 0; larger gives squarer pieces.

    Returns:
        (H, W) integers 0 to D - 1, each of which occurs; on the image's device.

    Raises:
        TypeError, ValueError: as `quickshift_superpixels`.

    Source: Achanta et al. (2012); skimage.segmentation.slic.
    """
    checks.check_number(n_segments, "n_segments", at_least=2, integer=True)
    checks.check_number(compactness, "compactness", above=0.0)
    found = slic(_pixels(image), n_segments=n_segments, compactness=compactness, start_label=0)
    return _numbered(found, image)


def check_image(image: Tensor) -> None:
    """Raise unless image is one image (C, H, W) in [0, 1]."""
    if isinstance(image, Tensor) and image.ndim != 3:
        raise ValueError(
            f"image: expected one image (C, H, W), got shape {tuple(image.shape)}; explain the images one by one"
        )
    checks.check_images(image[None] if isinstance(image, Tensor) else image, "image")


def check_segments(segments: Tensor, height: int, width: int) -> int:
    """Return the number D of superpixels; raise unless segments (H, W) holds all of 0 to D - 1 and D >= 2."""
    if not isinstance(segments, Tensor) or segments.is_floating_point() or segments.dtype == torch.bool:
        got = segments.dtype if isinstance(segments, Tensor) else type(segments).__name__
        raise TypeError(f"segments: expected an integer tensor (H, W), got {got}; see slic_superpixels")
    if segments.shape != (height, width):
        raise ValueError(f"segments: expected the image's ({height}, {width}), got {tuple(segments.shape)}")
    found = segments.unique()
    if len(found) < 2:
        raise ValueError(
            "segments: expected at least 2 superpixels, got 1, as an image of one color has; ask for more or "
            "smaller ones (quickshift: less kernel_size or max_dist), or take another image"
        )
    if int(found[0]) != 0 or int(found[-1]) != len(found) - 1:
        raise ValueError(
            f"segments: expected the numbers 0 to {len(found) - 1}, got {int(found[0])} to {int(found[-1])}; "
            "renumber with segments.unique(return_inverse=True)[1]"
        )
    return len(found)


def _pixels(image: Tensor) -> np.ndarray:
    check_image(image)
    if image.shape[0] not in (1, 3):
        raise ValueError(f"image: expected 3 channels or 1 (gray), got {image.shape[0]}; drop the others")
    return image.detach().double().expand(3, -1, -1).permute(1, 2, 0).cpu().numpy()


def _numbered(found: np.ndarray, image: Tensor) -> Tensor:
    segments = torch.from_numpy(found).long().to(image.device).unique(return_inverse=True)[1]
    check_segments(segments, *image.shape[1:])
    return segments
