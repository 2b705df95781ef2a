"""Criticizing a model: errors rectified by people's votes, explanations, prototypes and criticisms, planted biases."""

from blindspots.criticism.adversarial_prototypes import adversarial_prototypes
from blindspots.criticism.ambiguous_images import AmbiguousImages, ambiguous_images
from blindspots.criticism.assignment_task import AssignmentResult, Showing, assignment_task
from blindspots.criticism.attention_image import attention_image, attention_mask, attention_share, superpixel_order
from blindspots.criticism.attribute_skew import AttributeSkew, attribute_skew
from blindspots.criticism.bias_recovery import PowerPoint, bias_recovery, planted_correlation
from blindspots.criticism.counterfactual_flips import CounterfactualFlips, counterfactual_flips
from blindspots.criticism.dawid_skene import WorkerModel, dawid_skene
from blindspots.criticism.exemplar_overlap import exemplar_overlap
from blindspots.criticism.exemplars import Exemplars, exemplars_by_class
from blindspots.criticism.exemplars_by_method import EXEMPLAR_METHODS, exemplars_by_method
from blindspots.criticism.explanation_overlap import ExplanationOverlap, explanation_overlap
from blindspots.criticism.explanation_path import ExplanationPath, explanation_path
from blindspots.criticism.explanation_shift import ExplanationShift, explanation_shift
from blindspots.criticism.hidden_images import hidden_images, hiding_fill
from blindspots.criticism.kernels import median_bandwidth
from blindspots.criticism.label_set_error import LabelSetError, label_set_error
from blindspots.criticism.lime_explain import Explanation, lime_explain
from blindspots.criticism.mmd_exemplars import mmd_exemplars
from blindspots.criticism.model_votes import model_votes
from blindspots.criticism.paper_statistics import (
    ConditionsTest,
    PairTest,
    ZTest,
    binomial_size,
    conditions_chi2,
    exact_shares,
    flipped_share,
    largest_pair,
    rescued_share,
    two_proportion_z,
)
from blindspots.criticism.planted_votes import planted_votes
from blindspots.criticism.printed_shares import pooled_z, significant_size, sizes_that_print
from blindspots.criticism.probability_prototypes import probability_prototypes
from blindspots.criticism.random_prototypes import random_prototypes
from blindspots.criticism.rectification import Rectification, rectify
from blindspots.criticism.rectified_error import RectifiedError, rectified_error
from blindspots.criticism.rectified_top5 import RectifiedTop5, rectified_top5_error
from blindspots.criticism.select_criticisms import select_criticisms
from blindspots.criticism.select_prototypes import Selection, select_prototypes
from blindspots.criticism.steps_to_flip import steps_to_flip
from blindspots.criticism.superpixels import quickshift_superpixels, slic_superpixels
from blindspots.criticism.table_3_conditions import TABLE_3_CONDITIONS, table_3_conditions
from blindspots.criticism.vote_breakdown import VoteBreakdown, panel_shares, vote_breakdown
from blindspots.criticism.vote_tables import any_of_shown, votes_from_counts, votes_on
from blindspots.criticism.witness import witness

__all__ = [
    "EXEMPLAR_METHODS",
    "TABLE_3_CONDITIONS",
    "AmbiguousImages",
    "AssignmentResult",
    "AttributeSkew",
    "ConditionsTest",
    "CounterfactualFlips",
    "Exemplars",
    "Explanation",
    "ExplanationOverlap",
    "ExplanationPath",
    "ExplanationShift",
    "LabelSetError",
    "PairTest",
    "PowerPoint",
    "Rectification",
    "RectifiedError",
    "RectifiedTop5",
    "Selection",
    "Showing",
    "VoteBreakdown",
    "WorkerModel",
    "ZTest",
    "adversarial_prototypes",
    "ambiguous_images",
    "any_of_shown",
    "assignment_task",
    "attention_image",
    "attention_mask",
    "attention_share",
    "attribute_skew",
    "bias_recovery",
    "binomial_size",
    "conditions_chi2",
    "counterfactual_flips",
    "dawid_skene",
    "exact_shares",
    "exemplar_overlap",
    "exemplars_by_class",
    "exemplars_by_method",
    "explanation_overlap",
    "explanation_path",
    "explanation_shift",
    "flipped_share",
    "hidden_images",
    "hiding_fill",
    "label_set_error",
    "largest_pair",
    "lime_explain",
    "median_bandwidth",
    "mmd_exemplars",
    "model_votes",
    "panel_shares",
    "planted_correlation",
    "planted_votes",
    "pooled_z",
    "probability_prototypes",
    "quickshift_superpixels",
    "random_prototypes",
    "rectified_error",
    "rectified_top5_error",
    "rectify",
    "rescued_share",
    "select_criticisms",
    "select_prototypes",
    "significant_size",
    "sizes_that_print",
    "slic_superpixels",
    "steps_to_flip",
    "superpixel_order",
    "table_3_conditions",
    "two_proportion_z",
    "vote_breakdown",
    "votes_from_counts",
    "votes_on",
    "witness",
]
