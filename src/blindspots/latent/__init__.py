"""Robustness in latent space: noise, searches and metrics of a generative model, and their image-space counterparts."""

from blindspots.latent.decay import decay_of, decayed_latents, epsilon_of
from blindspots.latent.inputs import Decoder
from blindspots.latent.latent_noise import noisy_latents, prior_latents
from blindspots.latent.latent_pgd import LatentSearch, latent_pgd
from blindspots.latent.margin_over_norm import margin_over_norm
from blindspots.latent.perturbation_likelihood import norm_at_log_likelihood, perturbation_log_likelihood
from blindspots.latent.scaled_norm import scaled_norm

__all__ = [
    "Decoder",
    "LatentSearch",
    "decay_of",
    "decayed_latents",
    "epsilon_of",
    "latent_pgd",
    "margin_over_norm",
    "noisy_latents",
    "norm_at_log_likelihood",
    "perturbation_log_likelihood",
    "prior_latents",
    "scaled_norm",
]
