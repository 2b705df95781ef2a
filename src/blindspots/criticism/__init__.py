"""Criticizing a model: errors rectified by people's votes, explanations, prototypes and criticisms."""

from blindspots.criticism.attention_image import attention_image, attention_mask, attention_share, superpixel_order
from blindspots.criticism.dawid_skene import WorkerModel, dawid_skene
from blindspots.criticism.explanation_overlap import ExplanationOverlap, explanation_overlap
from blindspots.criticism.explanation_path import ExplanationPath, explanation_path
from blindspots.criticism.hidden_images import hidden_images, hiding_fill
from blindspots.criticism.label_set_error import LabelSetError, label_set_error
from blindspots.criticism.lime_explain import Explanation, lime_explain
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
from blindspots.criticism.rectification import Rectification, rectify
from blindspots.criticism.rectified_error import RectifiedError, rectified_error
from blindspots.criticism.rectified_top5 import RectifiedTop5, rectified_top5_error
from blindspots.criticism.superpixels import quickshift_superpixels, slic_superpixels
from blindspots.criticism.vote_breakdown import VoteBreakdown, panel_shares, vote_breakdown
from blindspots.criticism.vote_tables import any_of_shown, votes_from_counts, votes_on

__all__ = [
    "ConditionsTest",
    "Explanation",
    "ExplanationOverlap",
    "ExplanationPath",
    "LabelSetError",
    "PairTest",
    "Rectification",
    "RectifiedError",
    "RectifiedTop5",
    "VoteBreakdown",
    "WorkerModel",
    "ZTest",
    "any_of_shown",
    "attention_image",
    "attention_mask",
    "attention_share",
    "binomial_size",
    "conditions_chi2",
    "dawid_skene",
    "exact_shares",
    "explanation_overlap",
    "explanation_path",
    "flipped_share",
    "hidden_images",
    "hiding_fill",
    "label_set_error",
    "largest_pair",
    "lime_explain",
    "model_votes",
    "panel_shares",
    "quickshift_superpixels",
    "rectified_error",
    "rectified_top5_error",
    "rectify",
    "rescued_share",
    "slic_superpixels",
    "superpixel_order",
    "two_proportion_z",
    "vote_breakdown",
    "votes_from_counts",
    "votes_on",
]
