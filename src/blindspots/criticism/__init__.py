"""Criticizing a model: errors rectified by people's votes, explanations, prototypes and criticisms."""

from blindspots.criticism.dawid_skene import WorkerModel, dawid_skene
from blindspots.criticism.label_set_error import LabelSetError, label_set_error
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
from blindspots.criticism.vote_breakdown import VoteBreakdown, panel_shares, vote_breakdown
from blindspots.criticism.vote_tables import any_of_shown, votes_from_counts, votes_on

__all__ = [
    "ConditionsTest",
    "LabelSetError",
    "PairTest",
    "Rectification",
    "RectifiedError",
    "RectifiedTop5",
    "VoteBreakdown",
    "WorkerModel",
    "ZTest",
    "any_of_shown",
    "binomial_size",
    "conditions_chi2",
    "dawid_skene",
    "exact_shares",
    "flipped_share",
    "label_set_error",
    "largest_pair",
    "panel_shares",
    "rectified_error",
    "rectified_top5_error",
    "rectify",
    "rescued_share",
    "two_proportion_z",
    "vote_breakdown",
    "votes_from_counts",
    "votes_on",
]
