"""Why a purified image is misread: the attack is still in it, or purifying broke it."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.types import Flags

FAILURE_CAUSES = ("misread anyway", "broken by purifying", "still attacked", "new answer")


def failure_causes(
    labels: Tensor, *, clean: Tensor, attacked: Tensor, purified_clean: Tensor, purified: Tensor
) -> dict[str, Flags]:
    """Sort the images that are misread after purification by the first cause that fits.

    | cause | the network's answers |
    |---|---|
    | misread anyway | the clean image is misread without any purifier |
    | broken by purifying | the clean image is misread once it is purified |
    | still attacked | the purified attacked image has the answer of the attacked one |
    | new answer | neither: a wrong answer that the attack alone did not have |

    Args:
        labels: (N,), the true classes.
        clean, attacked: (N,) answers to the images without a purifier.
        purified_clean, purified: (N,) answers to the same images purified.

    Returns:
        By cause (N,), in the table's order; no image has two causes, and those with none are read correctly.

    Raises:
        TypeError, ValueError: answers of another number than labels, or no whole numbers.

    Source: ours; P1 prints accuracies only.
    """
    checks.check_labels(labels, len(labels))
    answers = {"clean": clean, "attacked": attacked, "purified_clean": purified_clean, "purified": purified}
    for name, given in answers.items():
        checks.check_labels(given, len(labels), name=name)
    open_cases = purified != labels
    rules = (clean != labels, purified_clean != labels, purified == attacked, torch.ones_like(open_cases))
    causes = {}
    for name, rule in zip(FAILURE_CAUSES, rules, strict=True):
        causes[name] = open_cases & rule
        open_cases = open_cases & ~rule
    return causes
