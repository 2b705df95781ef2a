"""Perceptual distances and what follows from their curvature."""

from blindspots.perception.color import ciede2000, rgb_to_lab
from blindspots.perception.ssim import ssim, ssim_distance
from blindspots.perception.ssim_dense import ssim_hessian_dense
from blindspots.perception.ssim_hessian import ssim_hessian_diagonal, ssim_hessian_product
from blindspots.perception.ssim_newton import NewtonDirection, ssim_newton_direction

__all__ = [
    "NewtonDirection",
    "ciede2000",
    "rgb_to_lab",
    "ssim",
    "ssim_distance",
    "ssim_hessian_dense",
    "ssim_hessian_diagonal",
    "ssim_hessian_product",
    "ssim_newton_direction",
]
