"""BaDe's second stage: a student of clean inputs that answers as the teacher does on inverted triggers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots.checks import check_generator
from blindspots.debias.bade import check_examples
from blindspots.debias.distillation_loss import check_distillation, distillation_loss
from blindspots.debias.group_cells import check_groups
from blindspots.debias.group_evaluation import Stamp, group_outputs
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training
from blindspots.debias.trigger_assignment import inverted_triggers


@dataclass(frozen=True)
class Distillation:
    """A trained student and what it was taught.

    Attributes:
        training: the epochs; `training.load(epoch)` gives the student its weights after one of them.
        targets: (N, K) the teacher's outputs on the triggered twins, on the device of the inputs.
        assignment: (N,) 0 or 1: the triggers of those twins.
    """

    training: GroupTraining
    targets: Tensor
    assignment: Tensor


def distill_student(
    teacher: nn.Module,
    student: nn.Module,
    inputs: Tensor,
    groups: Tensor,
    *,
    stamp: Stamp,
    loss: str | Mapping[str, float] = "kd",
    temperature: float | int = 1.0,
    assignment: Tensor | None = None,
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    weight_decay: float | int = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> Distillation:
    """Train a student on clean inputs to answer as the teacher answers on their twins, changing the student in place.

    The twin of an input carries the trigger of the other group. Teacher and twins do not change, so the teacher is
    asked once for all epochs, in evaluation mode; it is left as it was.

    Args:
        teacher: triggered inputs (n, ...) -> outputs (n, K), or (n, 1) for a regression, with its chosen weights.
        student: clean inputs (n, ...) -> outputs of the same K, often of the teacher's architecture (for a table with
            one input less) and with first weights of its own.
        inputs: (N, ...) without triggers: images (N, C, H, W) in [0, 1] or table rows (N, D). No labels are used.
        groups: (N,) integers 0 or 1, the bias variable.
        stamp: as in `train_bade_teacher`.
        loss, temperature: as in `distillation_loss`; "mse" for a regression.
        assignment: (N,) integers 0 or 1, the twins' triggers; None for those of the other group, `inverted_triggers`.
        epochs, batch_size, learning_rate, weight_decay, generator, after_epoch, progress: as in `group_training`.
        evaluate: measured after each epoch; `group_evaluator({"validation": ...})` scores on clean inputs.

    Returns:
        Distillation; `student` has the last epoch's weights.

    Raises:
        TypeError, ValueError: a wrong kind, shape or value, one group only, outputs of different shapes, a loss that
            does not fit them; or training that diverged.

    Source: P3, Sec. 4.2, Algorithm 1, lines 16-17; losses: Sec. 5.6.1.
    Differs from the paper: whether the teacher is in evaluation mode is not said there.
    """
    check_generator(generator)
    check_examples(inputs, groups, groups)
    check_distillation(loss, temperature)
    if assignment is None:
        assignment = inverted_triggers(groups)
    check_groups(assignment, len(inputs), name="assignment")
    answer = group_outputs(student, inputs[:1])
    distillation_loss(
        answer, group_outputs(teacher, inputs[:1], stamp=stamp, assignment=assignment[:1]).to(answer), loss=loss,
        temperature=temperature,
    )  # fmt: skip
    targets = group_outputs(teacher, inputs, stamp=stamp, assignment=assignment)
    place = next(student.parameters(), inputs)

    def step(student: nn.Module, indices: Tensor) -> Tensor:
        mine = indices.to(inputs.device)
        outputs = student(inputs[mine].to(place.device, place.dtype))
        return distillation_loss(
            outputs.reshape(len(indices), -1), targets[mine].to(outputs), loss=loss, temperature=temperature
        )

    training = group_training(
        student, step, len(inputs), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, evaluate=evaluate, after_epoch=after_epoch, progress=progress,
    )  # fmt: skip
    return Distillation(training, targets, assignment.cpu())
