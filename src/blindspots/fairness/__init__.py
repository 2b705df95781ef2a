"""Fairness by distributional robustness: the slope tests, Algorithms 4.1 and 4.2, their dual and their controls."""

from blindspots.fairness.compare_slopes import SlopeComparison, compare_slopes
from blindspots.fairness.comparison_power import comparison_power
from blindspots.fairness.drawn_descent import Descent, drawn_descent
from blindspots.fairness.dro_train import dro_train, dro_train_many
from blindspots.fairness.generate_adversarial_dataset import RobustDataset, generate_adversarial_dataset
from blindspots.fairness.group_slope_test import SlopeTest, group_slope_test
from blindspots.fairness.slope_power import RejectionRate, slope_power
from blindspots.fairness.tail_probabilities import f_tail, rejection_interval, t_tail
from blindspots.fairness.weighted_images import WeightedImages, draw_rows, step_factors

__all__ = [
    "Descent",
    "RejectionRate",
    "RobustDataset",
    "SlopeComparison",
    "SlopeTest",
    "WeightedImages",
    "compare_slopes",
    "comparison_power",
    "draw_rows",
    "drawn_descent",
    "dro_train",
    "dro_train_many",
    "f_tail",
    "generate_adversarial_dataset",
    "group_slope_test",
    "rejection_interval",
    "slope_power",
    "step_factors",
    "t_tail",
]
