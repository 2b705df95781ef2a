"""Reweighing: weights under which the label and the group are independent."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_choice
from blindspots.debias.group_cells import count_cells
from blindspots.debias.group_examples import check_group_examples
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training

USES = ("loss", "resampling")


def reweighing_weights(labels: Tensor, groups: Tensor) -> Tensor:
    """Return the weight of each example that makes label and group independent and keeps both their shares.

        w(y, b) = P(Y = y) P(B = b) / P(Y = y, B = b)

    Args:
        labels: (N,) integers from 0, every class in both groups.
        groups: (N,) 0 or 1.

    Returns:
        (N,) float64 weights > 0 with mean 1, on the labels' device.

    Raises:
        TypeError, ValueError: bad labels or groups (see `count_cells`).

    Source: Kamiran and Calders (2012), "Data preprocessing techniques for classification without discrimination",
        section on reweighing.
    """
    counts = count_cells(labels, groups).to(labels.device, torch.float64)
    expected = counts.sum(1, keepdim=True) * counts.sum(0, keepdim=True) / counts.sum()
    return (expected / counts)[groups.to(labels.device).long(), labels.long()]


def reweighing(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    use: str = "loss",
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    """Minimize the mean cross-entropy with `reweighing_weights`, changing the model in place.

    Args:
        model: a module, inputs (n, ...) -> logits (n, K).
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1.
        groups: (N,) 0 or 1, both in every class.
        use: "loss" multiplies an example's loss by its weight, and a batch's loss is the sum over its number of
            examples; "resampling" draws the N examples of an epoch with replacement, with chances in proportion to
            the weights.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`.

    Returns:
        GroupTraining with every epoch's record and weights.

    Raises:
        TypeError, ValueError: bad examples (see `check_group_examples`) or options, before any work.

    Source: Kamiran and Calders (2012), sections on reweighing and sampling; P3, Sec. 5.1.2, rows "Weighted".
    Differs from the paper: their sampling fixes how many examples of each cell are drawn, ours only their expectation;
        P3 does not say which of the two it runs.
    """
    check_choice(use, "use", USES)
    examples = check_group_examples(model, inputs, labels, groups)
    weights = reweighing_weights(labels, groups)
    of_losses = weights.to(examples.device, examples.dtype)
    chances = weights.cpu()

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        rows, targets, _ = examples.batch(indices)
        if use == "resampling":
            return F.cross_entropy(model(rows), targets)
        losses = F.cross_entropy(model(rows), targets, reduction="none")
        return (losses * of_losses[indices.to(losses.device)]).mean()

    def draw(draws: torch.Generator) -> Tensor:
        return torch.multinomial(chances, len(chances), replacement=True, generator=draws)

    return group_training(
        model, step, len(examples), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, draw=draw if use == "resampling" else None, evaluate=evaluate,
        after_epoch=after_epoch, progress=progress,
    )  # fmt: skip
