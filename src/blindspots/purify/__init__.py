"""Purifiers: what may be done to an image, without knowing the attack, before a model sees it."""

from blindspots.purify.acsr import AcsrPurifier, Purification, acsr_purifier
from blindspots.purify.adaptive_attacks import Defended, defended
from blindspots.purify.bit_depth import bit_depth
from blindspots.purify.cached_rivals import trained_magnet, trained_pixel_cnn
from blindspots.purify.cached_robust_training import trained_robust_classifier
from blindspots.purify.cbpdn import SparseCodes, cbpdn, synthesize_codes
from blindspots.purify.cluster_agreement import ClusterAgreement, cluster_agreement
from blindspots.purify.cluster_dictionaries import ClusterDictionaries, fit_cluster_dictionaries
from blindspots.purify.crop_ensemble import crop_ensemble
from blindspots.purify.cutoff_split import cutoff_split
from blindspots.purify.defense_trial import DefenseTrial, NamedDefense, try_defenses
from blindspots.purify.deflection_ensemble import deflection_ensemble
from blindspots.purify.dictionary_likeness import dictionary_likeness
from blindspots.purify.duality_gap import duality_gap
from blindspots.purify.failure_causes import FAILURE_CAUSES, failure_causes
from blindspots.purify.fit_acsr import AcsrStages, fit_acsr
from blindspots.purify.fit_stl import fit_stl
from blindspots.purify.gated_pixel_cnn import GatedPixelCNN, bits_per_dimension, train_pixel_cnn
from blindspots.purify.gaussian_twin import gaussian_twin
from blindspots.purify.grim import grim, grim_base_rate, grim_hits
from blindspots.purify.grim_power import (
    GrimPower,
    grim_power,
    plant_percentages,
    search_chance,
    smallest_chance_tails,
)
from blindspots.purify.grim_scan import GrimScan, grim_scan, grim_table
from blindspots.purify.jpeg import jpeg
from blindspots.purify.learn_dictionary import DictionaryFit, learn_dictionary
from blindspots.purify.magnet import MagNet, train_magnet
from blindspots.purify.magnet_autoencoder import MagNetAutoencoder, train_magnet_autoencoder
from blindspots.purify.perturbation_passage import PerturbationPassage, perturbation_passage
from blindspots.purify.pixel_defend import pixel_defend
from blindspots.purify.pixel_deflection import deflect_pixels, pixel_deflection
from blindspots.purify.planted_selection import planted_selection
from blindspots.purify.quantize import to_eight_bit
from blindspots.purify.quilting import Quilting, fit_quilting
from blindspots.purify.radial_spectrum import radial_spectrum
from blindspots.purify.reported_tables import ReportedCell, reported_cells
from blindspots.purify.rival_defenses import DEFENSES, rival_defenses
from blindspots.purify.robust_run import RobustEpoch, RobustTraining
from blindspots.purify.robust_semantic_training import robust_semantic_training
from blindspots.purify.semantic_clusters import SemanticClusters, fit_semantic_clusters
from blindspots.purify.stl import SparseTransformation, stl_purifier, stratum_features
from blindspots.purify.straight_through import straight_through
from blindspots.purify.tikhonov import tikhonov_split
from blindspots.purify.total_variation import TotalVariationFit, fit_total_variation, total_variation
from blindspots.purify.training_attack import TrainingAttack
from blindspots.purify.unrolled_cbpdn import unrolled_cbpdn
from blindspots.purify.wavelet import wavelet_denoise

__all__ = [
    "DEFENSES",
    "FAILURE_CAUSES",
    "AcsrPurifier",
    "AcsrStages",
    "ClusterAgreement",
    "ClusterDictionaries",
    "Defended",
    "DefenseTrial",
    "DictionaryFit",
    "GatedPixelCNN",
    "GrimPower",
    "GrimScan",
    "MagNet",
    "MagNetAutoencoder",
    "NamedDefense",
    "PerturbationPassage",
    "Purification",
    "Quilting",
    "ReportedCell",
    "RobustEpoch",
    "RobustTraining",
    "SemanticClusters",
    "SparseCodes",
    "SparseTransformation",
    "TotalVariationFit",
    "TrainingAttack",
    "acsr_purifier",
    "bit_depth",
    "bits_per_dimension",
    "cbpdn",
    "cluster_agreement",
    "crop_ensemble",
    "cutoff_split",
    "defended",
    "deflect_pixels",
    "deflection_ensemble",
    "dictionary_likeness",
    "duality_gap",
    "failure_causes",
    "fit_acsr",
    "fit_cluster_dictionaries",
    "fit_quilting",
    "fit_semantic_clusters",
    "fit_stl",
    "fit_total_variation",
    "gaussian_twin",
    "grim",
    "grim_base_rate",
    "grim_hits",
    "grim_power",
    "grim_scan",
    "grim_table",
    "jpeg",
    "learn_dictionary",
    "perturbation_passage",
    "pixel_defend",
    "pixel_deflection",
    "plant_percentages",
    "planted_selection",
    "radial_spectrum",
    "reported_cells",
    "rival_defenses",
    "robust_semantic_training",
    "search_chance",
    "smallest_chance_tails",
    "stl_purifier",
    "straight_through",
    "stratum_features",
    "synthesize_codes",
    "tikhonov_split",
    "to_eight_bit",
    "total_variation",
    "train_magnet",
    "train_magnet_autoencoder",
    "train_pixel_cnn",
    "trained_magnet",
    "trained_pixel_cnn",
    "trained_robust_classifier",
    "try_defenses",
    "unrolled_cbpdn",
    "wavelet_denoise",
]
