"""Pixel deflection: put a few pixels in a neighbor's place, then denoise."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from blindspots import checks
from blindspots.purify.wavelet import SIGMA_UNITS, wavelet_denoise
from blindspots.types import Images


def _check_activation(activation: Tensor | None, images: Tensor) -> None:
    if activation is None:
        return
    expected = (images.shape[0], *images.shape[-2:])
    if not isinstance(activation, Tensor) or activation.shape != expected:
        got = tuple(activation.shape) if isinstance(activation, Tensor) else type(activation).__name__
        raise ValueError(f"activation: expected a map for each image, shape {expected}, got {got}")
    checks.check_finite(activation, "activation")
    if activation.min() < 0 or activation.max() > 1 or (activation.flatten(1).amin(1) == 1).any():
        raise ValueError(
            "activation: expected values in [0, 1] with one below 1 in each map, got others; divide by its maximum"
        )


def _sources(
    shape: tuple[int, int, int],
    deflections: int,
    window: int,
    activation: Tensor | None,
    generator: torch.Generator,
) -> Int[Tensor, "N P"]:
    """Return, for each of the P = H W pixels of each image, which pixel takes its place; mostly itself."""
    n, height, width = shape
    sources = np.tile(np.arange(height * width), (n, 1))
    for row in range(n):
        draws = torch.rand(3, deflections, generator=generator, dtype=torch.float64).numpy()
        if activation is None:
            places = (draws[0] * height * width).astype(np.int64)
        else:
            total = np.cumsum(1.0 - activation[row].detach().double().cpu().numpy().ravel())
            places = np.searchsorted(total, draws[0] * total[-1], side="right").clip(max=total.size - 1)
        source = np.zeros(deflections, dtype=np.int64)
        for side, stride, at, draw in (
            (height, width, places // width, draws[1]),
            (width, 1, places % width, draws[2]),
        ):
            low, high = np.maximum(at - window, 0), np.minimum(at + window, side - 1)
            source += stride * (low + (draw * (high - low + 1)).astype(np.int64))
        sources[row, places] = source  # where a place was drawn twice, the later one stays
    return torch.from_numpy(sources)


def deflect_pixels(
    images: Tensor,
    *,
    deflections: int = 200,
    window: int = 10,
    activation: Tensor | None = None,
    generator: torch.Generator,
) -> Images:
    """Replace randomly chosen pixels by a random pixel from their neighborhood.

    All channels of a pixel move together, and what is copied is the given image, so the order does not
    matter; a pixel that is chosen twice takes the later neighbor.

    Args:
        images: (N, C, H, W) in [0, 1].
        deflections: pixels to replace in each image, >= 0.
        window: a neighbor is at most so many rows and columns away, >= 1, uniform over what of that square is
            inside the image. The pixel itself is in it.
        activation: (N, H, W) in [0, 1], a map of where the model looks. A pixel is chosen with probability in
            proportion to 1 - activation. None = uniformly.
        generator: CPU generator. The first image of a batch gets what it would get alone.

    Returns:
        (N, C, H, W), in the dtype and on the device of images. No gradient flows through.

    Raises:
        TypeError, ValueError: bad images, options or activation; a generator that is not on the CPU.

    Source: Prakash et al. (2018), Algorithm 1.
    Differs from the paper: nothing here. Its code differs: it deflects each channel on its own, counts
    channels as deflections, overwrites the image while it reads from it, and leaves out the first row and
    column as neighbors.
    """
    checks.check_images(images)
    checks.check_number(deflections, "deflections", at_least=0, integer=True)
    checks.check_number(window, "window", at_least=1, integer=True)
    checks.check_generator(generator)
    _check_activation(activation, images)
    n, channels, height, width = images.shape
    sources = _sources((n, height, width), deflections, window, activation, generator).to(images.device)
    pixels = images.detach().flatten(2)
    return pixels.gather(2, sources[:, None].expand(-1, channels, -1)).view(n, channels, height, width)


def pixel_deflection(
    images: Tensor,
    *,
    deflections: int = 200,
    window: int = 10,
    sigma: float | int = 0.04,
    generator: torch.Generator,
    activation: Tensor | None = None,
    sigma_units: str = "span",
) -> Images:
    """Deflect pixels and denoise: `deflect_pixels`, then `wavelet_denoise`.

    Args:
        images: (N, C, H, W) in [0, 1].
        deflections: see `deflect_pixels`.
        window: see `deflect_pixels`.
        sigma: see `wavelet_denoise`; 0 deflects only.
        generator: see `deflect_pixels`.
        activation: see `deflect_pixels`.
        sigma_units: see `wavelet_denoise`.

    Returns:
        (N, C, H, W), clamped to [0, 1], in the dtype and on the device of images. No gradient flows through.

    Raises:
        TypeError, ValueError: as `deflect_pixels` and `wavelet_denoise`.

    Source: Prakash et al. (2018); 200 deflections, window 10 and sigma 0.04 are those of its code.
    Differs from the paper: the map of activations is the caller's to make.
    """
    checks.check_number(sigma, "sigma", at_least=0.0)
    checks.check_choice(sigma_units, "sigma_units", SIGMA_UNITS)
    deflected = deflect_pixels(
        images, deflections=deflections, window=window, activation=activation, generator=generator
    )
    return wavelet_denoise(deflected, sigma=sigma, sigma_units=sigma_units).clamp(0.0, 1.0)
