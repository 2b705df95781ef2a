"""The explicit Hessian of the SSIM distance, for images small enough to afford it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.perception.ssim import check_ssim_images, working_dtype
from blindspots.perception.ssim_hessian import ssim_curvature
from blindspots.perception.window import gaussian_window

MAX_VALUES = 4096


def ssim_hessian_dense(
    images: Tensor,
    *,
    window_size: int = 11,
    sigma: float | int = 1.5,
    data_range: float | int = 1.0,
    padding: str = "same",
) -> Float[Tensor, "N D D"]:
    r"""Return the Hessian of `ssim_distance` to each image as an explicit matrix.

    (2/P) [ W^T diag(a - b) W + diag(W^T b) ], in the notation of `ssim_hessian_product`, one block per
    channel. This is the matrix P0 inverts; it exists here to be set beside the matrix-free solver.

    Args:
        images: (N, C, H, W), any finite values, at most 4,096 values (C H W) each.
        window_size: see `ssim`.
        sigma: see `ssim`.
        data_range: see `ssim`.
        padding: see `ssim`.

    Returns:
        (N, C H W, C H W), symmetric, rows and columns in the order of `images.flatten(1)`.

    Raises:
        TypeError, ValueError: as `ssim`; images with more than 4,096 values, whose matrix would not fit.

    Source: P0 Section 3.1, Eq. 3.4.
    """
    check_ssim_images(
        images, "images", window_size=window_size, sigma=sigma, data_range=data_range, padding=padding
    )
    n, channels, height, width = images.shape
    size = channels * height * width
    if size > MAX_VALUES:
        raise ValueError(
            f"images: expected at most {MAX_VALUES:,} values (C H W) for a dense Hessian, got {size:,}; "
            "use ssim_hessian_product or ssim_newton_direction, which form no matrix"
        )
    dtype = working_dtype(images, data_range=data_range)
    window = gaussian_window(
        height, width, window_size=window_size, sigma=sigma, padding=padding, dtype=dtype,
        device=images.device
    )
    curvature = ssim_curvature(window, images.detach().to(dtype), data_range)
    matrix = window.dense()
    pixels = height * width
    hessian = images.new_zeros(n, channels, pixels, channels, pixels, dtype=dtype)
    for channel in range(channels):
        coupling = curvature.coupling[:, channel].flatten(1)
        block = matrix.mT @ (coupling[:, :, None] * matrix)
        block = (block + block.mT) / 2 + torch.diag_embed(curvature.diagonal[:, channel].flatten(1))
        hessian[:, channel, :, channel, :] = curvature.scale * block
    return hessian.reshape(n, size, size).to(images.dtype)
