"""Wavelet denoising: shrink the Haar details of an image by BayesShrink's thresholds."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.types import Images

SIGMA_UNITS = ("span", "image")
_SKIPPED_LEVELS = 3
# ITU-R BT.601, rows Y, Cb, Cr, for RGB in [0, 1]; the offsets cancel and are left out.
_LUMA_AND_CHROMA = (
    (65.481, 128.553, 24.966),
    (-37.797, -74.203, 112.0),
    (112.0, -93.786, -18.214),
)


def _halves(maps: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return the sums and differences of neighboring pairs, over sqrt(2); an odd last pixel pairs with itself."""
    if maps.shape[dim] % 2:
        maps = torch.cat([maps, maps.narrow(dim, -1, 1)], dim=dim)
    even, odd = maps.unflatten(dim, (-1, 2)).unbind(dim)
    return (even + odd) / 2**0.5, (even - odd) / 2**0.5


def _joined(sums: Tensor, differences: Tensor, dim: int, length: int) -> Tensor:
    """Undo `_halves`."""
    pairs = torch.stack([sums + differences, sums - differences], dim=dim) / 2**0.5
    return pairs.flatten(dim - 1, dim).narrow(dim, 0, length)


def _shrunk(details: Float[Tensor, "M h w"], variance: Float[Tensor, " M"]) -> Float[Tensor, "M h w"]:
    """Return details moved towards 0 by BayesShrink's threshold; all of them go where noise explains them."""
    signal = (details.square().mean(dim=(1, 2)) - variance).clamp_min(0.0).sqrt()
    threshold = torch.where(signal > 0, variance / signal, float("inf"))[:, None, None]
    threshold = torch.where(variance[:, None, None] > 0, threshold, 0.0)
    return details.sign() * (details.abs() - threshold).clamp_min(0.0)


def _denoised(maps: Float[Tensor, "M H W"], sigma: Float[Tensor, " M"], levels: int) -> Float[Tensor, "M H W"]:
    """Return maps whose details on all levels are shrunk; sigma is the noise of each map."""
    if levels == 0:
        return maps
    height, width = maps.shape[-2:]
    tops, bottoms = _halves(maps, -2)
    low, across = _halves(tops, -1)
    down, both = _halves(bottoms, -1)
    across, down, both = (_shrunk(details, sigma.square()) for details in (across, down, both))
    low = _denoised(low, sigma, levels - 1)
    return _joined(_joined(low, across, -1, width), _joined(down, both, -1, width), -2, height)


def wavelet_denoise(images: Tensor, *, sigma: float | int = 0.04, sigma_units: str = "span") -> Images:
    r"""Denoise images by soft thresholding their Haar wavelet details.

    On each level and in each of the three directions a detail band with mean square v gets the threshold
        T = sigma^2 / sqrt(v - sigma^2),
    and is set to 0 where v <= sigma^2. Levels: three fewer than the shorter side allows, at least one. RGB
    images are treated in luma and chroma, YCbCr, other images channel by channel.

    Args:
        images: (N, C, H, W) in [0, 1].
        sigma: standard deviation of the noise, >= 0; 0 changes nothing.
        sigma_units: for RGB, "span" takes sigma as a share of the range that each of Y, Cb and Cr spans in
            the image, so that a dull image loses less; "image" takes it in the units of images, for
            independent noise in R, G and B. Images that are not RGB always take "image".

    Returns:
        (N, C, H, W), in the dtype of images; not clamped: it may leave [0, 1] a little. No gradient flows
        through.

    Raises:
        TypeError, ValueError: bad images or options.

    Source: Chang, Yu and Vetterli (2000) for the threshold. The color space is that of Prakash et al. (2018),
    whose code called a scikit-image that read sigma as a "span"; today's reads it as "image".
    """
    checks.check_images(images)
    checks.check_number(sigma, "sigma", at_least=0.0)
    checks.check_choice(sigma_units, "sigma_units", SIGMA_UNITS)
    dtype = torch.promote_types(images.dtype, torch.float32)
    maps = images.detach().to(dtype)
    n, channels, height, width = maps.shape
    noise = maps.new_full((n, channels), float(sigma))
    mix = None
    if channels == 3:
        mix = torch.tensor(_LUMA_AND_CHROMA, dtype=torch.float64, device=maps.device)
        maps = torch.einsum("dc,nchw->ndhw", mix.to(dtype), maps)
        if sigma_units == "image":
            noise = noise * torch.linalg.vector_norm(mix, dim=1).to(dtype)
        else:
            noise = noise * (maps.amax(dim=(2, 3)) - maps.amin(dim=(2, 3)))
    levels = max(min(height, width).bit_length() - 1 - _SKIPPED_LEVELS, 1)
    maps = _denoised(maps.flatten(0, 1), noise.flatten(), levels).view(n, channels, height, width)
    if mix is not None:
        maps = torch.einsum("cd,ndhw->nchw", torch.linalg.inv(mix).to(dtype), maps)
    return maps.to(images.dtype)
