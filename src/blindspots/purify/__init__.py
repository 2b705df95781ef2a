"""Purifiers: what may be done to an image, without knowing the attack, before a model sees it."""

from blindspots.purify.bit_depth import bit_depth
from blindspots.purify.cbpdn import SparseCodes, cbpdn
from blindspots.purify.cluster_dictionaries import ClusterDictionaries, fit_cluster_dictionaries
from blindspots.purify.crop_ensemble import crop_ensemble
from blindspots.purify.grim import grim, grim_base_rate, grim_hits
from blindspots.purify.jpeg import jpeg
from blindspots.purify.learn_dictionary import DictionaryFit, learn_dictionary
from blindspots.purify.pixel_deflection import deflect_pixels, pixel_deflection
from blindspots.purify.quantize import to_eight_bit
from blindspots.purify.quilting import Quilting, fit_quilting
from blindspots.purify.semantic_clusters import SemanticClusters, fit_semantic_clusters
from blindspots.purify.tikhonov import tikhonov_split
from blindspots.purify.total_variation import TotalVariationFit, fit_total_variation, total_variation
from blindspots.purify.wavelet import wavelet_denoise

__all__ = [
    "ClusterDictionaries",
    "DictionaryFit",
    "Quilting",
    "SemanticClusters",
    "SparseCodes",
    "TotalVariationFit",
    "bit_depth",
    "cbpdn",
    "crop_ensemble",
    "deflect_pixels",
    "fit_cluster_dictionaries",
    "fit_quilting",
    "fit_semantic_clusters",
    "fit_total_variation",
    "grim",
    "grim_base_rate",
    "grim_hits",
    "jpeg",
    "learn_dictionary",
    "pixel_deflection",
    "tikhonov_split",
    "to_eight_bit",
    "total_variation",
    "wavelet_denoise",
]
