"""The standard row of the tables: train on everything and look at no group."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.debias.group_examples import check_group_examples
from blindspots.debias.group_training import GroupTraining, group_training


def erm(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    generator: torch.Generator,
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    """Minimize the mean cross-entropy over all examples (empirical risk), changing the model in place.

    Args:
        model: a module, inputs (n, ...) -> logits (n, K).
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1.
        groups: (N,) 0 or 1, both in every class; checked as for every rival, and not used.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`.

    Returns:
        GroupTraining with every epoch's record and weights.

    Raises:
        TypeError, ValueError: bad examples (see `check_group_examples`) or options, before any work.

    Source: P3, Tables 1 to 3, rows "Standard".
    Differs from the paper: nothing; what the paper leaves open is listed in `group_training`.
    """
    examples = check_group_examples(model, inputs, labels, groups)

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        rows, targets, _ = examples.batch(indices)
        return F.cross_entropy(model(rows), targets)

    return group_training(
        model, step, len(examples), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, evaluate=evaluate, after_epoch=after_epoch, progress=progress,
    )  # fmt: skip
