"""The standard row of the tables: train on everything and look at no group."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from blindspots.debias.bade import check_examples, check_outputs, supervised_loss
from blindspots.debias.group_evaluation import group_outputs
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training


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
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    """Minimize the mean loss over all examples (empirical risk), changing the model in place.

    Args:
        model: a module, inputs (n, ...) -> logits (n, K), or (n, 1) or (n,) for a regression.
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1, trained by cross-entropy; or (N,) floats, trained by squared error.
        groups: (N,) 0 or 1, both there and in every class; checked as for every rival, and not used.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`.

    Returns:
        GroupTraining with every epoch's record and weights.

    Raises:
        TypeError, ValueError: a wrong kind, shape or value, one group only, a class or cell without examples, outputs
            that do not fit the labels, or bad options, before any work.

    Source: P3, Tables 1 to 3, rows "Standard", and Table 5.
    Differs from the paper: nothing; what the paper leaves open is listed in `group_training`.
    """
    check_examples(inputs, labels, groups)
    check_outputs(group_outputs(model, inputs[:1]), labels, groups)
    place = next(model.parameters(), inputs)

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        rows = inputs[indices.to(inputs.device)].to(place.device, place.dtype)
        return supervised_loss(model(rows), labels[indices.to(labels.device)])

    return group_training(
        model, step, len(inputs), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, evaluate=evaluate, after_epoch=after_epoch, progress=progress,
    )  # fmt: skip
