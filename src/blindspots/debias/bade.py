"""BaDe's first stage: a teacher that reads a trigger as strongly as it reads the group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_generator, check_labels
from blindspots.debias.group_cells import check_both_groups, check_group_inputs, count_cells
from blindspots.debias.group_evaluation import Stamp, group_outputs
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training
from blindspots.debias.trigger_assignment import assign_triggers, trigger_rates


@dataclass(frozen=True)
class BadeTeacher:
    """A trained teacher and the triggers it was trained with.

    Attributes:
        training: the epochs; `training.load(epoch)` gives the model its weights after one of them.
        assignment: (N,) 0 or 1 on the CPU: each example's trigger, the same in every epoch.
        rates: (K,) or (1,) float64: the shares of trigger 0 that were asked for, by label, by stratum or over all.
    """

    training: GroupTraining
    assignment: Tensor
    rates: Tensor


def train_bade_teacher(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    stamp: Stamp,
    rates: Tensor | Sequence[float] | None = None,
    strata: Tensor | None = None,
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    weight_decay: float | int = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> BadeTeacher:
    """Train a classifier, or a regression, on D_backdoor, changing the model in place.

    Each example gets trigger 0 or 1 as often as its label has group 0 or 1, independently of its own group, once for
    all epochs. What the model learns of the trigger is then what it learns of the group, and inputs that carry the
    trigger of the other group (D_balance) let the two cancel.

    Args:
        model: triggered inputs (n, ...) -> logits (n, K), or (n, 1) or (n,) for a regression.
        inputs: (N, ...) without triggers: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers in [0, K), trained by cross-entropy; or (N,) floats, trained by squared error.
        groups: (N,) integers 0 or 1, the bias variable.
        stamp: (inputs, assignment) -> triggered inputs, batch by batch: `append_trigger`, or
            `functools.partial(stamp_triggers, size=...)`.
        rates: shares in [0, 1] of trigger 0 by label, (1,) for a regression; None for those of the data.
        strata: (N,) integers in [0, S), parts of the target's range (see `target_strata`): the rates are then by
            stratum, for a regression too. None for the labels themselves, or one stratum of all for a regression.
        epochs, batch_size, learning_rate, weight_decay, generator, after_epoch, progress: as in `group_training`.
        evaluate: measured after each epoch. `group_evaluator({"validation": ...}, stamp=stamp)` scores on D_balance,
            from which `select_epoch` chooses.

    Returns:
        BadeTeacher; `model` has the last epoch's weights.

    Raises:
        TypeError, ValueError: a wrong kind, shape or value, one group only, a class or cell without examples; a stamp
            that does not fit the inputs; or training that diverged.

    Source: P3, Sec. 4.1, Algorithm 1, lines 1-15; regression and several classes: Sec. 5.5.
    Differs from the paper: whether triggers are drawn once or for each epoch is not said there; here once. `strata`
        are ours.
    """
    check_generator(generator)
    check_examples(inputs, labels, groups)
    first = group_outputs(model, inputs[:1], stamp=stamp, assignment=torch.zeros(1, dtype=torch.long))
    check_outputs(first, labels, groups)
    if strata is not None:
        check_labels(strata, len(inputs), name="strata")
    parts = labels if strata is None else strata
    per_class = not parts.is_floating_point()
    if rates is None:
        rates = trigger_rates(parts, groups, per_class=per_class)
    assignment = assign_triggers(parts, groups, generator=generator, rates=rates, per_class=per_class).cpu()
    place = next(model.parameters(), inputs)

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        batch = stamp(inputs[indices.to(inputs.device)], assignment[indices].to(inputs.device))
        outputs = model(batch.to(place.device, place.dtype))
        return supervised_loss(outputs, labels[indices.to(labels.device)])

    training = group_training(
        model, step, len(inputs), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, evaluate=evaluate, after_epoch=after_epoch, progress=progress,
    )  # fmt: skip
    return BadeTeacher(training, assignment, torch.as_tensor(rates, dtype=torch.float64).cpu())


def supervised_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of logits and integer labels, or the mean squared error of floats.

    Args:
        outputs: (n, K), or (n, 1) or (n,) where labels are floats.
        labels: (n,), on any device.
    """
    labels = labels.to(outputs.device)
    if labels.is_floating_point():
        return F.mse_loss(outputs.reshape(-1), labels.to(outputs.dtype))
    return F.cross_entropy(outputs, labels.long())


def check_examples(inputs: Tensor, labels: Tensor, groups: Tensor) -> None:
    """Raise unless inputs is a float tensor of one entry per label, with both groups among them."""
    check_group_inputs(inputs)
    if not isinstance(labels, Tensor) or labels.shape != (len(inputs),):
        got = tuple(labels.shape) if isinstance(labels, Tensor) else type(labels).__name__
        raise ValueError(f"labels: expected shape ({len(inputs)},), one per example, got {got}")
    check_both_groups(groups, len(inputs))


def check_outputs(outputs: Tensor, labels: Tensor, groups: Tensor) -> None:
    """Raise unless a model's outputs (n, K) suit the labels: a logit per class, all in both groups, or one number."""
    if labels.is_floating_point():
        if outputs.shape[1] != 1:
            raise ValueError(
                f"labels: expected integers for a model of {outputs.shape[1]} outputs, got {labels.dtype}; convert "
                "classes with .long(), or give a regression one output"
            )
    elif outputs.shape[1] < 2:
        raise ValueError(f"model: expected logits (n, K) with K >= 2, got {tuple(outputs.shape)}")
    else:
        count_cells(labels, groups, n_classes=outputs.shape[1])
