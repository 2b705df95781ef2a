"""Generative models with a latent space, and the classifiers that are judged through them."""

from blindspots.latent_models.unit_classifier import unit_classifier

__all__ = ["unit_classifier"]
