"""Fairness by distributional robustness: the slope tests, Algorithms 4.1 and 4.2, their dual and their controls."""

from blindspots.fairness.compare_slopes import SlopeComparison, compare_slopes
from blindspots.fairness.group_slope_test import SlopeTest, group_slope_test
from blindspots.fairness.tail_probabilities import f_tail, rejection_interval, t_tail

__all__ = [
    "SlopeComparison",
    "SlopeTest",
    "compare_slopes",
    "f_tail",
    "group_slope_test",
    "rejection_interval",
    "t_tail",
]
