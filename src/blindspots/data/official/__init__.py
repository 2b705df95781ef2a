"""Official data sets, read in their publishers' layouts from a data root."""

from blindspots.data.official import (
    adult,
    celeba,
    cifar10,
    cifar10_predictions,
    cifar10h,
    dollar_street,
    geode,
    imagenet_compatible,
    imagenet_labels,
    meps,
    mnist,
    utkface,
)
from blindspots.data.official.celeba import read_celeba
from blindspots.data.official.cifar10_predictions import PublishedPredictions
from blindspots.data.official.cifar10h import HumanJudgements
from blindspots.data.official.dollar_street import read_dollar_street
from blindspots.data.official.geode import read_geode
from blindspots.data.official.imagenet_labels import ImageNetLabels, RaterAnswers
from blindspots.data.official.utkface import read_utkface
from blindspots.data.sets import Source

SOURCES: tuple[Source, ...] = (
    mnist.SOURCE,
    cifar10.SOURCE,
    cifar10.LOSSLESS_SOURCE,
    cifar10_predictions.SOURCE,
    cifar10h.SOURCE,
    celeba.SOURCE,
    utkface.SOURCE,
    dollar_street.SOURCE,
    geode.SOURCE,
    adult.SOURCE,
    meps.SOURCE,
    imagenet_compatible.SOURCE,
    imagenet_labels.SOURCE,
)

__all__ = [
    "SOURCES",
    "HumanJudgements",
    "ImageNetLabels",
    "PublishedPredictions",
    "RaterAnswers",
    "read_celeba",
    "read_dollar_street",
    "read_geode",
    "read_utkface",
]
