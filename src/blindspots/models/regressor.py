"""A regression from a classifier's layers: the same features, and a head of one number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from blindspots.checks import check_number
from blindspots.models.registry import build_model
from blindspots.models.split import SplitClassifier, seeded_construction


def regressor(spec: Mapping[str, Any], *, start: float | int = 0.0, seed: int) -> SplitClassifier:
    """Build a model that answers with one number.

    Its features are those of the classifier of the same spec and seed. The head is linear; its bias is `start`, so that
    the untrained model answers about that, and its weights are small, uniform in +-0.1 / sqrt(D).

    Args:
        spec: as of `build_model`, of an architecture whose head is linear; the number of classes may be left out.
        start: the first bias, for instance the targets' mean.
        seed: decides the first weights.

    Returns:
        A model, inputs (n, ...) -> (n, 1), in evaluation mode, on the CPU, float32.

    Raises:
        TypeError, ValueError: what `build_model` refuses, or a model whose head is not linear.

    Source: P3, Sec. 5.5, which does not say how its network answers with one number.
    """
    check_number(start, "start")
    model = build_model({**spec, "n_classes": 2}, seed=seed)
    old = model.classifier
    if not isinstance(old, nn.Linear):
        raise ValueError(f"spec: expected a model with a linear head, got {type(old).__name__} of {spec.get('name')!r}")
    with seeded_construction(seed), torch.no_grad():
        head = nn.Linear(old.in_features, 1)
        head.weight.uniform_(-1, 1).mul_(0.1 / math.sqrt(head.in_features))
        head.bias.fill_(float(start))
    model.classifier = head
    return model.eval()
