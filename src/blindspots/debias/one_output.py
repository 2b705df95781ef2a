"""A regression from a classifier's layers: the same features, and a head of one number."""

from __future__ import annotations

import math

import torch
from torch import nn

from blindspots.checks import check_number
from blindspots.models.split import SplitClassifier, seeded_construction


def one_output(model: SplitClassifier, *, start: float | int = 0.0, seed: int) -> SplitClassifier:
    """Give a classifier a linear head of one output, in place, and return it.

    The head's bias is `start`, so that the untrained regression answers about the mean of its targets; its weights are
    small, uniform in +-0.1 / sqrt(D).

    Args:
        model: one of `blindspots.models` whose head is a linear layer from features (n, D) to logits.
        start: the first bias, for instance the targets' mean.
        seed: decides the head's first weights.

    Returns:
        The model, inputs (n, ...) -> (n, 1), on its device and in its dtype.

    Raises:
        TypeError: a model without such a head.

    Source: P3, Sec. 5.5, which does not say how its network answers with one number.
    """
    if not isinstance(model, SplitClassifier) or not isinstance(model.classifier, nn.Linear):
        got = type(getattr(model, "classifier", model)).__name__
        raise TypeError(f"model: expected one of blindspots.models with a linear head, got {got}")
    check_number(start, "start")
    old = model.classifier.weight
    with seeded_construction(seed), torch.no_grad():
        head = nn.Linear(model.classifier.in_features, 1)
        head.weight.uniform_(-1, 1).mul_(0.1 / math.sqrt(head.in_features))
        head.bias.fill_(float(start))
    model.classifier = head.to(old)
    return model
