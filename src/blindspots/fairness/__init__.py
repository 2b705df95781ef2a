"""Fairness by distributional robustness: the slope tests, Algorithms 4.1 and 4.2, their dual and their controls."""

from blindspots.fairness.compare_slopes import SlopeComparison, compare_slopes
from blindspots.fairness.comparison_power import comparison_power
from blindspots.fairness.group_slope_test import SlopeTest, group_slope_test
from blindspots.fairness.slope_power import RejectionRate, slope_power
from blindspots.fairness.tail_probabilities import f_tail, rejection_interval, t_tail

__all__ = [
    "RejectionRate",
    "SlopeComparison",
    "SlopeTest",
    "compare_slopes",
    "comparison_power",
    "f_tail",
    "group_slope_test",
    "rejection_interval",
    "slope_power",
    "t_tail",
]
