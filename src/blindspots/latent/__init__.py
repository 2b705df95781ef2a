"""Robustness in latent space: noise, searches and metrics of a generative model, and their image-space counterparts."""

from blindspots.latent.accuracy import Accuracy, image_accuracy
from blindspots.latent.censored_summary import CensoredSummary, summarize_censored
from blindspots.latent.decay import decay_of, decayed_latents, epsilon_of
from blindspots.latent.direction_search import grid_search, random_direction_search
from blindspots.latent.generation_accuracy import decayed_accuracy, generation_accuracy
from blindspots.latent.image_search import ImageSearch, adversarial_severity, robust_accuracy
from blindspots.latent.image_units import symmetric_range_length, unit_range_length
from blindspots.latent.inputs import Decoder
from blindspots.latent.latent_accuracy import LatentAccuracy, latent_accuracy
from blindspots.latent.latent_noise import noisy_latents, prior_latents
from blindspots.latent.latent_noise_accuracy import LatentNoiseAccuracy, latent_noise_accuracy
from blindspots.latent.latent_pgd import LatentSearch, latent_pgd
from blindspots.latent.latent_severity import LatentSeverity, latent_severity
from blindspots.latent.margin_over_norm import margin_over_norm
from blindspots.latent.noise_accuracy import NoiseAccuracy, distance_from_noise_error, noise_accuracy
from blindspots.latent.perturbation_changes import PerturbationChanges, perturbation_changes
from blindspots.latent.perturbation_likelihood import norm_at_log_likelihood, perturbation_log_likelihood
from blindspots.latent.rank_correlation import RankCorrelation, rank_correlation
from blindspots.latent.rank_reliability import RankReliability, rank_reliability
from blindspots.latent.reconstruction_accuracy import ReconstructionAccuracy, reconstruction_accuracy
from blindspots.latent.scaled_norm import scaled_norm

__all__ = [
    "Accuracy",
    "CensoredSummary",
    "Decoder",
    "ImageSearch",
    "LatentAccuracy",
    "LatentNoiseAccuracy",
    "LatentSearch",
    "LatentSeverity",
    "NoiseAccuracy",
    "PerturbationChanges",
    "RankCorrelation",
    "RankReliability",
    "ReconstructionAccuracy",
    "adversarial_severity",
    "decay_of",
    "decayed_accuracy",
    "decayed_latents",
    "distance_from_noise_error",
    "epsilon_of",
    "generation_accuracy",
    "grid_search",
    "image_accuracy",
    "latent_accuracy",
    "latent_noise_accuracy",
    "latent_pgd",
    "latent_severity",
    "margin_over_norm",
    "noise_accuracy",
    "noisy_latents",
    "norm_at_log_likelihood",
    "perturbation_changes",
    "perturbation_log_likelihood",
    "prior_latents",
    "random_direction_search",
    "rank_correlation",
    "rank_reliability",
    "reconstruction_accuracy",
    "robust_accuracy",
    "scaled_norm",
    "summarize_censored",
    "symmetric_range_length",
    "unit_range_length",
]
