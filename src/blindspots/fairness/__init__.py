"""Fairness by distributional robustness: the slope tests, Algorithms 4.1 and 4.2, their dual and their controls."""

from blindspots.fairness.attack_training import AttackTraining, attack_training
from blindspots.fairness.attained_loss import attained_loss
from blindspots.fairness.compare_slopes import SlopeComparison, compare_slopes
from blindspots.fairness.comparison_power import comparison_power
from blindspots.fairness.data_variance import DataVariance, data_variance, one_set_rejections
from blindspots.fairness.drawn_descent import Descent, drawn_descent, faster_path
from blindspots.fairness.dro_train import dro_train, dro_train_many
from blindspots.fairness.dual_objective import DualMinimum, dual_minimum, dual_objective
from blindspots.fairness.generate_adversarial_dataset import RobustDataset, generate_adversarial_dataset
from blindspots.fairness.group_accuracies import GroupAccuracies, group_accuracies
from blindspots.fairness.group_balanced import group_balanced
from blindspots.fairness.group_dro_train import group_dro_train
from blindspots.fairness.group_slope_test import SlopeTest, group_slope_test
from blindspots.fairness.input_curvature import input_curvature
from blindspots.fairness.perceptron_smoothness import perceptron_smoothness
from blindspots.fairness.robust_surrogate import RobustSurrogate, robust_surrogate, squared_distance, surrogate_gap
from blindspots.fairness.robustness_certificate import Certificate, robustness_certificate
from blindspots.fairness.searched_surrogate import better_surrogate, searched_surrogate
from blindspots.fairness.slope_power import RejectionRate, slope_power
from blindspots.fairness.tail_probabilities import f_tail, rejection_interval, t_tail
from blindspots.fairness.transport_primal import WorstDistribution, transport_primal
from blindspots.fairness.wasserstein_robust_training import WassersteinTraining, wasserstein_robust_training
from blindspots.fairness.weighted_images import WeightedImages, draw_rows, step_factors

__all__ = [
    "AttackTraining",
    "Certificate",
    "DataVariance",
    "Descent",
    "DualMinimum",
    "GroupAccuracies",
    "RejectionRate",
    "RobustDataset",
    "RobustSurrogate",
    "SlopeComparison",
    "SlopeTest",
    "WassersteinTraining",
    "WeightedImages",
    "WorstDistribution",
    "attack_training",
    "attained_loss",
    "better_surrogate",
    "compare_slopes",
    "comparison_power",
    "data_variance",
    "draw_rows",
    "drawn_descent",
    "dro_train",
    "dro_train_many",
    "dual_minimum",
    "dual_objective",
    "f_tail",
    "faster_path",
    "generate_adversarial_dataset",
    "group_accuracies",
    "group_balanced",
    "group_dro_train",
    "group_slope_test",
    "input_curvature",
    "one_set_rejections",
    "perceptron_smoothness",
    "rejection_interval",
    "robust_surrogate",
    "robustness_certificate",
    "searched_surrogate",
    "slope_power",
    "squared_distance",
    "step_factors",
    "surrogate_gap",
    "t_tail",
    "transport_primal",
    "wasserstein_robust_training",
]
