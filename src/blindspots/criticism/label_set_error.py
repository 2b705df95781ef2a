"""The error against sets of labels: a prediction is right if it is one of the labels that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class LabelSetError:
    """Error against label sets.

    Attributes:
        error: percent of the judged images whose prediction is none of their labels.
        n_judged: images with at least one label.
        n_unlabeled: images with none; left out.
    """

    error: float
    n_judged: int
    n_unlabeled: int


def label_set_error(predictions: Tensor, label_sets: Sequence[Sequence[int]]) -> LabelSetError:
    """Return the share of predictions that are in none of the sets of labels.

    Args:
        predictions: (N,) classes.
        label_sets: N sequences of classes; an empty one leaves its image out, as its publishers ask.

    Returns:
        LabelSetError, in percent.

    Raises:
        TypeError, ValueError: predictions and sets of different number, a label that is no class, no labels.

    Source: Beyer et al. (2020), ReaL accuracy.
    """
    checks.check_labels(predictions, len(label_sets), name="predictions")
    sizes = torch.tensor([len(labels) for labels in label_sets])
    flat = torch.tensor([label for labels in label_sets for label in labels])
    if not len(flat):
        raise ValueError("label_sets: expected a label for at least one image, got none")
    checks.check_labels(flat, len(flat), name="label_sets")
    images = torch.arange(len(label_sets)).repeat_interleave(sizes)
    hits = images[flat == predictions.cpu()[images]]
    right = torch.zeros(len(label_sets), dtype=torch.bool).index_fill(0, hits, True)
    judged = sizes > 0
    return LabelSetError(100 * float((~right[judged]).double().mean()), int(judged.sum()), int((~judged).sum()))
