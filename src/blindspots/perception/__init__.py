"""Perceptual distances and what follows from their curvature."""

from blindspots.perception.color import ciede2000, ciede2000_distance, rgb_to_lab
from blindspots.perception.dists_distance import dists_distance
from blindspots.perception.encoded import EncodedDistance, PreparedEncoding
from blindspots.perception.feature_distance import feature_distance, stacked_features
from blindspots.perception.judges import JUDGES, Judge, held_out, judge_images
from blindspots.perception.layer_features import LayerFeatures, layer_features
from blindspots.perception.lpips_distance import lpips_distance
from blindspots.perception.ms_ssim import MultiScaleSSIMDistance, ms_ssim_distance
from blindspots.perception.pieapp_distance import pieapp_distance
from blindspots.perception.saliency import SaliencyDistances, saliency_distances, saliency_map
from blindspots.perception.ssim import ssim, ssim_distance
from blindspots.perception.ssim_dense import ssim_hessian_dense
from blindspots.perception.ssim_hessian import ssim_hessian_diagonal, ssim_hessian_product
from blindspots.perception.ssim_newton import NewtonDirection, ssim_newton_direction
from blindspots.perception.ssim_prepared import SSIMDistance

__all__ = [
    "JUDGES",
    "EncodedDistance",
    "Judge",
    "LayerFeatures",
    "MultiScaleSSIMDistance",
    "NewtonDirection",
    "PreparedEncoding",
    "SSIMDistance",
    "SaliencyDistances",
    "ciede2000",
    "ciede2000_distance",
    "dists_distance",
    "feature_distance",
    "held_out",
    "judge_images",
    "layer_features",
    "lpips_distance",
    "ms_ssim_distance",
    "pieapp_distance",
    "rgb_to_lab",
    "saliency_distances",
    "saliency_map",
    "ssim",
    "ssim_distance",
    "ssim_hessian_dense",
    "ssim_hessian_diagonal",
    "ssim_hessian_product",
    "ssim_newton_direction",
    "stacked_features",
]
