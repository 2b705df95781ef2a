"""Perceptual distances and what follows from their curvature."""

from blindspots.perception.color import ciede2000, ciede2000_distance, rgb_to_lab
from blindspots.perception.encoded import EncodedDistance, PreparedEncoding
from blindspots.perception.feature_distance import feature_distance, stacked_features
from blindspots.perception.layer_features import LayerFeatures, layer_features
from blindspots.perception.ms_ssim import MultiScaleSSIMDistance, ms_ssim_distance
from blindspots.perception.ssim import ssim, ssim_distance
from blindspots.perception.ssim_dense import ssim_hessian_dense
from blindspots.perception.ssim_hessian import ssim_hessian_diagonal, ssim_hessian_product
from blindspots.perception.ssim_newton import NewtonDirection, ssim_newton_direction
from blindspots.perception.ssim_prepared import SSIMDistance

__all__ = [
    "EncodedDistance",
    "LayerFeatures",
    "MultiScaleSSIMDistance",
    "NewtonDirection",
    "PreparedEncoding",
    "SSIMDistance",
    "ciede2000",
    "ciede2000_distance",
    "feature_distance",
    "layer_features",
    "ms_ssim_distance",
    "rgb_to_lab",
    "ssim",
    "ssim_distance",
    "ssim_hessian_dense",
    "ssim_hessian_diagonal",
    "ssim_hessian_product",
    "ssim_newton_direction",
    "stacked_features",
]
