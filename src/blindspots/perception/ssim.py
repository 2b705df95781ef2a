"""The structural similarity index (SSIM), per channel and averaged."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.perception.window import Window, check_window, gaussian_window
from blindspots.types import Images, Scores

LUMINANCE_CONSTANT = 0.01
CONTRAST_CONSTANT = 0.03
_SINGLE_PRECISION_RANGE = 32.0


def check_ssim_images(
    images: Tensor, name: str, *, window_size: int, sigma: float | int, data_range: float, padding: str
) -> None:
    """Raise unless the window options are sound and images (N, C, H, W) are finite and large enough for
    them.
    """
    check_window(window_size, sigma, padding)
    checks.check_number(data_range, "data_range", above=0.0)
    checks.check_images(images, name, unit_range=False, min_side=window_size if padding == "valid" else 1)


def working_dtype(*tensors: Tensor, data_range: float | int) -> torch.dtype:
    """Return the precision the local variances need: float32, or float64 for it or for values far from the
    range.

    A variance is a difference of squares. In float32 its rounding error is about 1e-7 times the largest
    square, and it has to stay well below the stabilizer (0.03 data_range)^2.
    """
    if any(tensor.dtype == torch.float64 for tensor in tensors):
        return torch.float64
    peak = max(tensor.detach().abs().amax().item() for tensor in tensors)
    return torch.float64 if peak > _SINGLE_PRECISION_RANGE * data_range else torch.float32


def local_moments(
    window: Window, images: Float[Tensor, "*B H W"]
) -> tuple[Float[Tensor, "*B Q R"], Float[Tensor, "*B Q R"]]:
    """Return each window's weighted mean W x and variance W(x x) - (W x)^2."""
    mean, square = window.average(torch.stack([images, images * images]))
    return mean, square - mean * mean


def ssim_in_window(window: Window, images: Images, references: Images, data_range: float | int) -> Scores:
    """Return SSIM (N,) for checked inputs of one dtype; what `ssim` does once its arguments are validated."""
    squares = [images * images, references * references, images * references]
    products = torch.stack([images, references, *squares])
    mean_x, mean_y, square_x, square_y, product = window.average(products)
    c1, c2 = (LUMINANCE_CONSTANT * data_range) ** 2, (CONTRAST_CONSTANT * data_range) ** 2
    means, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance, variances = product - means, square_x + square_y - squares
    similarity = (2 * means + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))
    return similarity.mean(dim=(1, 2, 3))


def ssim(
    images: Tensor,
    references: Tensor,
    *,
    window_size: int = 11,
    sigma: float | int = 1.5,
    data_range: float | int = 1.0,
    padding: str = "same",
) -> Scores:
    r"""Measure the structural similarity of images to references.

    For each channel and window, with weighted means m, variances s and covariance s_xy,
        (2 m_x m_y + C1)(2 s_xy + C2) / ((m_x^2 + m_y^2 + C1)(s_x + s_y + C2)),
    with C1 = (0.01 L)^2, C2 = (0.03 L)^2 and L = data_range; the mean over windows and channels is returned.

    Args:
        images: (N, C, H, W), any finite values; [0, 1] for the usual reading. Differentiable.
        references: (N, C, H, W), same shape, dtype and device. Differentiable.
        window_size: side of the Gaussian window in pixels, odd, at least 3.
        sigma: its standard deviation in pixels, > 0.
        data_range: L, the width of the range of pixel values, > 0.
        padding: "same" keeps a window on each pixel, dropping the weights that fall outside (zero padding
            without renormalization), and takes images of any size; "valid" keeps only the windows inside, so
            the image must be at least as large as the window.

    Returns:
        (N,), at most 1; 1 = identical, higher = closer. In the dtype of images.

    Raises:
        TypeError: not a float tensor.
        ValueError: a shape, NaN, an even window, or an image smaller than a "valid" window.

    Source: Wang et al. (2004). P0 Section 3 uses 1 - SSIM as its distance.
    Differs from the paper: it speaks of gray images; we average over channels. It does not name the window's
    padding; see `blindspots.attacks.ssim_one_step` for why that matters. Values beyond 32 times data_range,
    and half precision, are computed in a wider dtype and rounded at the end.
    """
    options = dict(window_size=window_size, sigma=sigma, data_range=data_range, padding=padding)
    check_ssim_images(images, "images", **options)
    check_ssim_images(references, "references", **options)
    checks.check_same_shape(images, references, "images", "references")
    dtype = working_dtype(images, references, data_range=data_range)
    window = gaussian_window(
        *images.shape[-2:], window_size=window_size, sigma=sigma, padding=padding, dtype=dtype,
        device=images.device
    )
    return ssim_in_window(window, images.to(dtype), references.to(dtype), data_range).to(images.dtype)


def ssim_distance(
    images: Tensor,
    references: Tensor,
    *,
    window_size: int = 11,
    sigma: float | int = 1.5,
    data_range: float | int = 1.0,
    padding: str = "same",
) -> Scores:
    """Return 1 - SSIM, P0's first perceptual distance c0 (Section 3).

    Args:
        images: (N, C, H, W), any finite values. Differentiable.
        references: (N, C, H, W), same shape, dtype and device.
        window_size: see `ssim`.
        sigma: see `ssim`.
        data_range: see `ssim`.
        padding: see `ssim`.

    Returns:
        (N,), in [0, 2]; 0 = identical, lower = closer.

    Raises:
        TypeError, ValueError: as `ssim`.
    """
    return 1.0 - ssim(
        images, references, window_size=window_size, sigma=sigma, data_range=data_range, padding=padding
    )
