"""Criticising a model: which examples a class is made of, which do not fit it, and what biases that shows."""

from blindspots.criticism.adversarial_prototypes import adversarial_prototypes
from blindspots.criticism.assignment_task import AssignmentResult, Showing, assignment_task
from blindspots.criticism.attribute_skew import AttributeSkew, attribute_skew
from blindspots.criticism.bias_recovery import PowerPoint, bias_recovery, planted_correlation
from blindspots.criticism.counterfactual_flips import CounterfactualFlips, counterfactual_flips
from blindspots.criticism.exemplars import Exemplars, exemplars_by_class
from blindspots.criticism.kernels import median_bandwidth
from blindspots.criticism.mmd_exemplars import mmd_exemplars
from blindspots.criticism.probability_prototypes import probability_prototypes
from blindspots.criticism.random_prototypes import random_prototypes
from blindspots.criticism.select_criticisms import select_criticisms
from blindspots.criticism.select_prototypes import Selection, select_prototypes
from blindspots.criticism.steps_to_flip import steps_to_flip
from blindspots.criticism.table_3_conditions import TABLE_3_CONDITIONS, table_3_conditions
from blindspots.criticism.witness import witness

__all__ = [
    "TABLE_3_CONDITIONS",
    "AssignmentResult",
    "AttributeSkew",
    "CounterfactualFlips",
    "Exemplars",
    "PowerPoint",
    "Selection",
    "Showing",
    "adversarial_prototypes",
    "assignment_task",
    "attribute_skew",
    "bias_recovery",
    "counterfactual_flips",
    "exemplars_by_class",
    "median_bandwidth",
    "mmd_exemplars",
    "planted_correlation",
    "probability_prototypes",
    "random_prototypes",
    "select_criticisms",
    "select_prototypes",
    "steps_to_flip",
    "table_3_conditions",
    "witness",
]
