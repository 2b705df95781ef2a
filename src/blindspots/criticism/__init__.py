"""Criticising a model: which examples a class is made of, which do not fit it, and what biases that shows."""

from blindspots.criticism.kernels import median_bandwidth
from blindspots.criticism.select_criticisms import select_criticisms
from blindspots.criticism.select_prototypes import Selection, select_prototypes
from blindspots.criticism.steps_to_flip import steps_to_flip
from blindspots.criticism.witness import witness

__all__ = [
    "Selection",
    "median_bandwidth",
    "select_criticisms",
    "select_prototypes",
    "steps_to_flip",
    "witness",
]
