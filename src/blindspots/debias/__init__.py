"""Debiasing with a backdoor: group metrics, triggers, the teacher and student of BaDe, and its rivals."""

from blindspots.debias.adversarial_learning import adversarial_learning
from blindspots.debias.bade import BadeTeacher, train_bade_teacher
from blindspots.debias.distill_student import Distillation, distill_student
from blindspots.debias.distillation_loss import distillation_loss
from blindspots.debias.erm import erm
from blindspots.debias.group_cells import count_cells
from blindspots.debias.group_evaluation import group_evaluator, group_outputs, group_scores
from blindspots.debias.group_metrics import (
    GroupIntervals,
    GroupRates,
    class_balanced_accuracy,
    equalized_accuracy,
    equalized_odds,
    group_intervals,
    group_rates,
)
from blindspots.debias.group_training import GroupTraining, group_training
from blindspots.debias.group_value_rows import GroupValueRow, group_value_rows
from blindspots.debias.inject_triggers import InjectedSet, inject_triggers
from blindspots.debias.joint_odds import JointOdds, joint_odds
from blindspots.debias.kept_training import KeptTraining, kept_training
from blindspots.debias.logistic_toy import LogisticToy, bayes_toy
from blindspots.debias.logit_effects import LogitEffects, cell_means, logit_effects
from blindspots.debias.method_rows import MethodRow, method_rows
from blindspots.debias.method_runs import METHODS, MethodRun, method_runs, trigger_stamp
from blindspots.debias.mfd import balanced_batches, mfd, mfd_loss
from blindspots.debias.proxy_groups import generalized_cross_entropy, proxy_groups, train_bias_amplified
from blindspots.debias.regression_runs import REGRESSIONS, RegressionRun, regression_runs
from blindspots.debias.resampled_cells import resampled_cell_means
from blindspots.debias.resampled_recalls import cell_recalls, resampled_recalls
from blindspots.debias.reweighing import reweighing, reweighing_weights
from blindspots.debias.rnf import partners_in_batch, rnf, rnf_loss
from blindspots.debias.select_epoch import select_epoch
from blindspots.debias.several_biases import assign_several, several_evaluator, stamp_several, trigger_effects
from blindspots.debias.several_runs import SeveralRun, several_runs
from blindspots.debias.stacked_bade import StackedBade, stacked_bade
from blindspots.debias.stamp_triggers import append_trigger, scaled_trigger_size, stamp_triggers
from blindspots.debias.table_spec import spec_of_teacher, table_spec
from blindspots.debias.target_strata import quantile_edges, target_strata
from blindspots.debias.trigger_assignment import assign_triggers, inverted_triggers, trigger_rates
from blindspots.debias.trigger_inputs import SEVEN_INPUTS, TriggerInputs, trigger_inputs
from blindspots.debias.trigger_rows import TriggerRow, trigger_rows
from blindspots.debias.trigger_strength import rate_kind, same_strength, scaled_strength, trigger_strength
from blindspots.debias.undersampling import balanced_rows, undersampling

__all__ = [
    "METHODS",
    "REGRESSIONS",
    "SEVEN_INPUTS",
    "BadeTeacher",
    "Distillation",
    "GroupIntervals",
    "GroupRates",
    "GroupTraining",
    "GroupValueRow",
    "InjectedSet",
    "JointOdds",
    "KeptTraining",
    "LogisticToy",
    "LogitEffects",
    "MethodRow",
    "MethodRun",
    "RegressionRun",
    "SeveralRun",
    "StackedBade",
    "TriggerInputs",
    "TriggerRow",
    "adversarial_learning",
    "append_trigger",
    "assign_several",
    "assign_triggers",
    "balanced_batches",
    "balanced_rows",
    "bayes_toy",
    "cell_means",
    "cell_recalls",
    "class_balanced_accuracy",
    "count_cells",
    "distill_student",
    "distillation_loss",
    "equalized_accuracy",
    "equalized_odds",
    "erm",
    "generalized_cross_entropy",
    "group_evaluator",
    "group_intervals",
    "group_outputs",
    "group_rates",
    "group_scores",
    "group_training",
    "group_value_rows",
    "inject_triggers",
    "inverted_triggers",
    "joint_odds",
    "kept_training",
    "logit_effects",
    "method_rows",
    "method_runs",
    "mfd",
    "mfd_loss",
    "partners_in_batch",
    "proxy_groups",
    "quantile_edges",
    "rate_kind",
    "regression_runs",
    "resampled_cell_means",
    "resampled_recalls",
    "reweighing",
    "reweighing_weights",
    "rnf",
    "rnf_loss",
    "same_strength",
    "scaled_strength",
    "scaled_trigger_size",
    "select_epoch",
    "several_evaluator",
    "several_runs",
    "spec_of_teacher",
    "stacked_bade",
    "stamp_several",
    "stamp_triggers",
    "table_spec",
    "target_strata",
    "train_bade_teacher",
    "train_bias_amplified",
    "trigger_effects",
    "trigger_inputs",
    "trigger_rates",
    "trigger_rows",
    "trigger_stamp",
    "trigger_strength",
    "undersampling",
]
