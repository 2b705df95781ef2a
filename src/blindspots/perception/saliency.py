"""Where an image draws the eye: two classical saliency maps, and the distances between maps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from blindspots import checks
from blindspots.perception.ssim import ssim_distance
from blindspots.perception.window import gaussian_window
from blindspots.types import Images, Maps, Scores

METHODS = ("spectral_residual", "fine_grained")
_LUMA = (0.299, 0.587, 0.114)
_SPECTRAL_WIDTH = 64
_SPECTRAL_SIGMA = 2.5
_SPECTRAL_WINDOW = 11
_SURROUNDS = (12, 24, 28, 48, 56, 112)
_FLOOR = 1e-9


def saliency_map(images: Tensor, *, method: str = "spectral_residual") -> Maps:
    r"""Return how much each pixel stands out, from 0 (least in its image) to 1 (most).

    "spectral_residual" makes a gray image 64 pixels wide, takes what its log spectrum exceeds its own local
    mean by, and goes back with the original phase:
        S = g * | F^-1 [ exp(log|A| - h * log|A| + i phase) ]  |^2,
    h the mean over 3 x 3 frequencies (the spectrum is periodic), g a Gaussian of 2.5 pixels. The map is made
    as large as the image again.
    "fine_grained" adds up, at full resolution, the differences between a gray pixel and the mean of a square
    around it, of 12 to 112 pixels on either side: brighter ones (on) and darker ones (off) apart, each divided
    by its maximum.

    Args:
        images: (N, C, H, W), any finite values, C = 1 or 3; color is turned to luma.
        method: "spectral_residual" or "fine_grained".

    Returns:
        (N, H, W) in [0, 1], in the dtype of images; every map is stretched to fill the range by itself. All 0
        for an image without any contrast.

    Raises:
        TypeError, ValueError: bad images, or an unknown method.

    Source: Hou and Zhang (2007); Montabone and Soto (2010).
    Differs from the paper: P0 Table 3.2 uses EGNet, a trained network, whose code has no licence and whose
    weights are a separate download; so distances between these maps are on another scale than the table's, and
    only the order of attacks can be compared. Hou and Zhang prescribe the width and smoothing of their public
    script; where an amplitude is below 1e-9 of the largest the phase is rounding noise and is left out.
    Montabone and Soto also use color and orientation; this is their intensity channel.
    """
    checks.check_choice(method, "method", METHODS)
    checks.check_images(images, unit_range=False)
    if images.shape[1] not in (1, 3):
        raise ValueError(f"images: expected 3 channels or 1 (gray), got {images.shape[1]}; drop the others")
    gray = _gray(images.detach().double())
    raw = _spectral_residual(gray) if method == "spectral_residual" else _fine_grained(gray)
    return _stretched(raw).to(images.dtype)


@dataclass(frozen=True)
class SaliencyDistances:
    """How far two sets of maps lie apart, the four columns of P0 Table 3.2.

    Attributes:
        l1: (N,), the sum of the absolute differences over the pixels.
        l2: (N,), the Euclidean norm.
        linf: (N,), the largest absolute difference.
        ssim: (N,), 1 - SSIM.
    """

    l1: Scores
    l2: Scores
    linf: Scores
    ssim: Scores


def saliency_distances(maps_a: Tensor, maps_b: Tensor) -> SaliencyDistances:
    """Return the L1, L2, Linf and 1 - SSIM distances between saliency maps.

    Args:
        maps_a: (N, H, W), such as those of the attacked images.
        maps_b: (N, H, W), such as those of the originals; the same shape, dtype and device.

    Returns:
        SaliencyDistances; L1 and L2 grow with the number of pixels, as in the paper, whose images are 299 x
        299.

    Raises:
        TypeError, ValueError: not finite float maps (N, H, W) of one shape.

    Source: P0 Table 3.2.
    """
    for name, maps in (("maps_a", maps_a), ("maps_b", maps_b)):
        if isinstance(maps, Tensor) and maps.ndim != 3:
            raise ValueError(f"{name}: expected shape (N, H, W), got {tuple(maps.shape)}; see saliency_map")
        checks.check_images(maps[:, None] if isinstance(maps, Tensor) else maps, name, unit_range=False)
    checks.check_same_shape(maps_a, maps_b, "maps_a", "maps_b")
    difference = (maps_a - maps_b).flatten(1)
    return SaliencyDistances(
        l1=difference.abs().sum(dim=1),
        l2=torch.linalg.vector_norm(difference, dim=1),
        linf=difference.abs().amax(dim=1),
        ssim=ssim_distance(maps_a[:, None], maps_b[:, None]),
    )


def _gray(images: Images) -> Maps:
    if images.shape[1] == 1:
        return images[:, 0]
    return torch.einsum("nchw,c->nhw", images, images.new_tensor(_LUMA))


def _stretched(maps: Maps) -> Maps:
    """Return maps scaled to [0, 1] one by one; those that vary by rounding only become 0."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    span = high - low
    flat = span <= _FLOOR * torch.maximum(high.abs(), low.abs())
    return torch.where(flat, 0.0, (maps - low) / torch.where(flat, 1.0, span))


def _spectral_residual(gray: Maps) -> Maps:
    height, width = gray.shape[-2:]
    small = (max(1, round(height * _SPECTRAL_WIDTH / width)), _SPECTRAL_WIDTH)
    resized = F.interpolate(gray[:, None], size=small, mode="bilinear", antialias=True, align_corners=False)[:, 0]
    spectrum = torch.fft.fft2(resized)
    amplitude = spectrum.abs()
    floor = _FLOOR * amplitude.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(gray.dtype).tiny)
    log = torch.log(torch.maximum(amplitude, floor))
    local_mean = F.avg_pool2d(F.pad(log[:, None], (1, 1, 1, 1), mode="circular"), 3, stride=1)[:, 0]
    phase = torch.where(amplitude > floor, spectrum / torch.maximum(amplitude, floor), 0.0)
    response = torch.fft.ifft2(torch.exp(log - local_mean) * phase).abs().square()
    window = gaussian_window(
        *small, window_size=_SPECTRAL_WINDOW, sigma=_SPECTRAL_SIGMA, dtype=gray.dtype, device=gray.device
    )
    inside = window.average(torch.ones_like(response))
    smooth = window.average(response) / inside
    smooth = F.interpolate(smooth[:, None], size=(height, width), mode="bilinear", align_corners=False)[:, 0]
    # A gray without contrast has one frequency; what comes back is flat up to rounding.
    has_contrast = (gray.amax(dim=(1, 2)) > gray.amin(dim=(1, 2)))[:, None, None]
    return torch.where(has_contrast, smooth, 0.0)


def _fine_grained(gray: Maps) -> Maps:
    n, height, width = gray.shape
    mean = gray.mean(dim=(1, 2), keepdim=True)
    integral = F.pad((gray - mean).cumsum(dim=1).cumsum(dim=2), (1, 0, 1, 0))
    rows, columns = torch.arange(height, device=gray.device), torch.arange(width, device=gray.device)
    on, off = gray.new_zeros(n, height, width), gray.new_zeros(n, height, width)
    for reach in _SURROUNDS:
        top, bottom = (rows - reach).clamp_min(0), (rows + reach + 1).clamp_max(height)
        left, right = (columns - reach).clamp_min(0), (columns + reach + 1).clamp_max(width)
        strips = integral[:, bottom] - integral[:, top]
        totals = strips[:, :, right] - strips[:, :, left]
        counts = (bottom - top)[:, None] * (right - left)[None, :]
        difference = gray - mean - totals / counts
        on += difference.clamp_min(0.0)
        off += (-difference).clamp_min(0.0)
    has_contrast = (gray.amax(dim=(1, 2)) > gray.amin(dim=(1, 2)))[:, None, None]
    parts = [part / part.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(gray.dtype).tiny) for part in (on, off)]
    return torch.where(has_contrast, parts[0] + parts[1], 0.0)
