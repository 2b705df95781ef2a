"""Debiasing with a backdoor: group metrics, triggers, the teacher and student of BaDe, and its rivals."""

from blindspots.debias.group_training import GroupTraining, group_training

__all__ = [
    "GroupTraining",
    "group_training",
]
