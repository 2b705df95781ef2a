"""Classifiers and autoencoders that take images in [0, 1], their training, evaluation and checkpoints."""

from blindspots.models.augmentation import random_flip, random_shift
from blindspots.models.autoencoder import Autoencoder, autoencoder
from blindspots.models.cached import trained_classifier
from blindspots.models.checkpoint import load_checkpoint, load_model, save_checkpoint
from blindspots.models.elu_networks import elu_cnn, elu_perceptron
from blindspots.models.evaluation import (
    Evaluation,
    compute_features,
    compute_logits,
    evaluate_classifier,
    evaluating,
    predict,
)
from blindspots.models.finetuned import finetuned_classifier
from blindspots.models.mlp import mlp
from blindspots.models.nearest_reader import NearestReader, stroke_orientations
from blindspots.models.optimization import EpochRecord, fit, scheduled_learning_rate
from blindspots.models.published_errors import published_errors
from blindspots.models.registry import build_model
from blindspots.models.regressor import regressor
from blindspots.models.resnet import published_cifar_resnet, resnet
from blindspots.models.small_cnn import small_cnn
from blindspots.models.small_transformers import small_swin, small_vit
from blindspots.models.split import IMAGENET_MEAN, IMAGENET_STD, SplitClassifier
from blindspots.models.torchvision_models import (
    OfficialWeights,
    architecture_names,
    find_official_weights,
    official_weights,
    torchvision_classifier,
)
from blindspots.models.training import TrainResult, train_autoencoder, train_classifier
from blindspots.models.wide_resnet import wide_resnet

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "Autoencoder",
    "EpochRecord",
    "Evaluation",
    "NearestReader",
    "OfficialWeights",
    "SplitClassifier",
    "TrainResult",
    "architecture_names",
    "autoencoder",
    "build_model",
    "compute_features",
    "compute_logits",
    "elu_cnn",
    "elu_perceptron",
    "evaluate_classifier",
    "evaluating",
    "find_official_weights",
    "finetuned_classifier",
    "fit",
    "load_checkpoint",
    "load_model",
    "mlp",
    "official_weights",
    "predict",
    "published_cifar_resnet",
    "published_errors",
    "random_flip",
    "random_shift",
    "regressor",
    "resnet",
    "save_checkpoint",
    "scheduled_learning_rate",
    "small_cnn",
    "small_swin",
    "small_vit",
    "stroke_orientations",
    "torchvision_classifier",
    "train_autoencoder",
    "train_classifier",
    "trained_classifier",
    "wide_resnet",
]
