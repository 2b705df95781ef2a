"""Generative models with a latent space, and the classifiers that are judged through them."""

from blindspots.latent_models.affine_augmentation import affine_augmentation
from blindspots.latent_models.conditional_autoencoder import ConditionalAutoencoder, conditional_autoencoder
from blindspots.latent_models.encode_by_optimization import OptimizedLatents, encode_by_optimization
from blindspots.latent_models.encoder_network import LatentEncoder, latent_encoder, train_encoder
from blindspots.latent_models.gan_family import GanFamily
from blindspots.latent_models.generative_model import GenerativeModel
from blindspots.latent_models.generative_quality import GenerativeQuality, generative_quality, squared_mmd
from blindspots.latent_models.regime_family import RegimeClassifier, trained_regimes
from blindspots.latent_models.train_conditional_autoencoder import (
    train_conditional_autoencoder,
    trained_conditional_autoencoder,
)
from blindspots.latent_models.train_regime import NOISE, REGIMES, STARTS, RegimeTraining, noisy, train_regime
from blindspots.latent_models.train_wgan import WganRecord, WganTraining, image_spread, train_wgan
from blindspots.latent_models.trained_gans import GanTraining, trained_gans
from blindspots.latent_models.unit_classifier import UNITS, unit_classifier
from blindspots.latent_models.wgan_networks import (
    WganCritic,
    WganGenerator,
    strided_critic,
    wgan_critic,
    wgan_generator,
)

__all__ = [
    "NOISE",
    "REGIMES",
    "STARTS",
    "UNITS",
    "ConditionalAutoencoder",
    "GanFamily",
    "GanTraining",
    "GenerativeModel",
    "GenerativeQuality",
    "LatentEncoder",
    "OptimizedLatents",
    "RegimeClassifier",
    "RegimeTraining",
    "WganCritic",
    "WganGenerator",
    "WganRecord",
    "WganTraining",
    "affine_augmentation",
    "conditional_autoencoder",
    "encode_by_optimization",
    "generative_quality",
    "image_spread",
    "latent_encoder",
    "noisy",
    "squared_mmd",
    "strided_critic",
    "train_conditional_autoencoder",
    "train_encoder",
    "train_regime",
    "train_wgan",
    "trained_conditional_autoencoder",
    "trained_gans",
    "trained_regimes",
    "unit_classifier",
    "wgan_critic",
    "wgan_generator",
]
