"""What P4 prints in its Tables 1 to 3 and beside them, as it prints it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportedErrors:
    """A row of Table 1 or 2, or a top-5 figure of the text: error and rectified error in percent."""

    name: str
    error: float
    rectified: float


@dataclass(frozen=True)
class ReportedCondition:
    """A row of Table 3: `mean` percent of right assignments and its printed standard deviation `sd` in points."""

    method: str
    criticisms: bool
    mean: float
    sd: float


TABLE_1 = (
    ReportedErrors("ResNet-18", 31.39, 17.93),
    ReportedErrors("ResNet-101", 22.69, 9.47),
    ReportedErrors("DenseNet-121", 25.53, 14.37),
    ReportedErrors("DenseNet-161", 22.85, 10.87),
)
"""Top-1 errors (Table 1)."""

TOP_5 = (ReportedErrors("top1", 6.44, 1.94), ReportedErrors("top5", 6.44, 1.37))
"""Top-5 errors of the ResNet-101 by the images judged (Sec. 3.1); the readings of `rectified_top5_error`."""

ALL_FIVE = {"ResNet-101": 39.76, "ResNet-18": 27.14}
"""Percent of mistakes that all five workers accept (Sec. 3.1)."""

TABLE_2 = (ReportedErrors("whole image", 92.04, 76.78), ReportedErrors("explanation", 92.04, 70.68))
"""Errors on attacked images (Table 2)."""

ACCEPTED_ATTACKS = {"whole image": 22.01, "explanation": 30.80}
"""Percent of attacked images whose wrong prediction people accept (Sec. 3.2)."""

ATTACKED_ACCURACY = (77.31, 7.96)
"""Accuracy in percent of the ResNet-101 before and after the attack (Sec. 3.2)."""

TABLE_3 = (
    ReportedCondition("adversarial", True, 57.06, 3.22),
    ReportedCondition("mmd", True, 50.64, 3.25),
    ReportedCondition("probability", True, 49.36, 3.26),
    ReportedCondition("adversarial", False, 55.02, 3.23),
    ReportedCondition("mmd", False, 53.18, 3.24),
    ReportedCondition("probability", False, 52.44, 3.25),
    ReportedCondition("random", False, 49.80, 3.25),
)
"""The seven conditions of Table 3, in its order."""

VALID_ANSWERS = 1600
"""Answers kept in the study of Table 3 (Sec. 3.3)."""

BASKETBALL = {
    "training images": {"white": 55.0, "black": 53.0},
    "prototypes": {"white": 44.0, "black": 78.0},
    "criticisms": {"white": 90.0, "black": 20.0},
}
"""Percent of the basketball images with at least one person whom the authors call white, or black (Sec. 3.4)."""
