"""Criticising a model: which examples a class is made of, which do not fit it, and what biases that shows."""

from blindspots.criticism.adversarial_prototypes import adversarial_prototypes
from blindspots.criticism.exemplars import Exemplars, exemplars_by_class
from blindspots.criticism.kernels import median_bandwidth
from blindspots.criticism.mmd_exemplars import mmd_exemplars
from blindspots.criticism.probability_prototypes import probability_prototypes
from blindspots.criticism.random_prototypes import random_prototypes
from blindspots.criticism.select_criticisms import select_criticisms
from blindspots.criticism.select_prototypes import Selection, select_prototypes
from blindspots.criticism.steps_to_flip import steps_to_flip
from blindspots.criticism.witness import witness

__all__ = [
    "Exemplars",
    "Selection",
    "adversarial_prototypes",
    "exemplars_by_class",
    "median_bandwidth",
    "mmd_exemplars",
    "probability_prototypes",
    "random_prototypes",
    "select_criticisms",
    "select_prototypes",
    "steps_to_flip",
    "witness",
]
