"""The Hessian of the SSIM distance at an image itself, as two window filters and a diagonal."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.perception.ssim import (
    CONTRAST_CONSTANT,
    LUMINANCE_CONSTANT,
    check_ssim_images,
    local_moments,
    working_dtype,
)
from blindspots.perception.window import Window, gaussian_window
from blindspots.types import Images


@dataclass(frozen=True)
class SsimCurvature:
    r"""What a Hessian product needs: H v = scale [W^T(coupling * (W v)) + diagonal * v].

    Attributes:
        window: W.
        coupling: (N, C, Q, R), a - b of each window; of either sign.
        diagonal: (N, C, H, W), W^T b; positive.
        scale: 2 / P with P = windows x channels of one image.
    """

    window: Window
    coupling: Float[Tensor, "N C Q R"]
    diagonal: Float[Tensor, "N C H W"]
    scale: float

    def product(self, vectors: Images) -> Images:
        """Return H vectors."""
        coupled = self.window.adjoint(self.coupling * self.window.average(vectors))
        return self.scale * (coupled + self.diagonal * vectors)

    def full_diagonal(self) -> Images:
        """Return the diagonal of H: scale [(W squared)^T (a - b) + W^T b]."""
        return self.scale * (self.window.squared().adjoint(self.coupling) + self.diagonal)


def ssim_curvature(window: Window, images: Images, data_range: float | int) -> SsimCurvature:
    """Return the curvature of 1 - SSIM at checked images, with a = 1/(2 m^2 + C1) and b = 1/(2 s + C2)."""
    c1, c2 = (LUMINANCE_CONSTANT * data_range) ** 2, (CONTRAST_CONSTANT * data_range) ** 2
    mean, variance = local_moments(window, images)
    luminance = 1.0 / (2.0 * mean * mean + c1)
    contrast = 1.0 / (2.0 * variance.clamp_min(0.0) + c2)
    scale = 2.0 / (images.shape[1] * window.n_windows)
    return SsimCurvature(window, luminance - contrast, window.adjoint(contrast), scale)


def _checked_curvature(
    images: Tensor, *, window_size: int, sigma: float | int, data_range: float, padding: str
) -> SsimCurvature:
    check_ssim_images(
        images, "images", window_size=window_size, sigma=sigma, data_range=data_range, padding=padding
    )
    images = images.detach()
    dtype = working_dtype(images, data_range=data_range)
    window = gaussian_window(
        *images.shape[-2:], window_size=window_size, sigma=sigma, padding=padding, dtype=dtype,
        device=images.device
    )
    return ssim_curvature(window, images.to(dtype), data_range)


def ssim_hessian_product(
    images: Tensor,
    vectors: Tensor,
    *,
    window_size: int = 11,
    sigma: float | int = 1.5,
    data_range: float | int = 1.0,
    padding: str = "same",
) -> Images:
    r"""Multiply vectors by the Hessian of `ssim_distance` to an image, taken at that image.

    Let W be the window, m = W x and s = W(x x) - m^2 its mean and variance, a = 1/(2 m^2 + C1), b = 1/(2 s +
    C2). To second order a change v costs a (W v)^2 in luminance and b (W(v v) - (W v)^2) in contrast and
    structure, so
        H v = (2/P) [ W^T((a - b) * (W v)) + v * (W^T b) ],     P = windows x channels of one image.
    The value and the gradient of the distance are 0 there. H is symmetric, positive semidefinite, and
    block-diagonal over the channels. No (C H W) x (C H W) matrix is formed.

    Args:
        images: (N, C, H, W), any finite values; constants, no gradient flows to them.
        vectors: (N, C, H, W), same shape, dtype and device as images, any finite values.
        window_size: see `ssim`.
        sigma: see `ssim`.
        data_range: see `ssim`.
        padding: see `ssim`.

    Returns:
        (N, C, H, W), H vectors, in the dtype of images; per squared unit of pixel value.

    Raises:
        TypeError, ValueError: as `ssim`, and vectors of another shape or with NaN.

    Source: P0 Section 3.1, the matrix of Eq. 3.4.
    Differs from the paper: it forms the matrix and so stops at 28x28 pixels; this is the same matrix,
    applied.
    """
    curvature = _checked_curvature(
        images, window_size=window_size, sigma=sigma, data_range=data_range, padding=padding
    )
    checks.check_same_shape(images, vectors, "images", "vectors")
    checks.check_finite(vectors, "vectors")
    return curvature.product(vectors.to(curvature.diagonal.dtype)).to(images.dtype)


def ssim_hessian_diagonal(
    images: Tensor,
    *,
    window_size: int = 11,
    sigma: float | int = 1.5,
    data_range: float | int = 1.0,
    padding: str = "same",
) -> Images:
    r"""Return the diagonal of the Hessian of `ssim_distance` to an image, taken at that image.

    (2/P) [ (W squared)^T (a - b) + W^T b ], in the notation of `ssim_hessian_product`: how much a change of
    each pixel alone costs. Large on dark flat ground, small on texture.

    Args:
        images: (N, C, H, W), any finite values.
        window_size: see `ssim`.
        sigma: see `ssim`.
        data_range: see `ssim`.
        padding: see `ssim`.

    Returns:
        (N, C, H, W), positive, in the dtype of images.

    Raises:
        TypeError, ValueError: as `ssim`.

    Source: P0 Section 3.1.
    """
    curvature = _checked_curvature(
        images, window_size=window_size, sigma=sigma, data_range=data_range, padding=padding
    )
    return curvature.full_diagonal().to(images.dtype)
