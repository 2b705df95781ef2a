"""The student: sees clean inputs, and answers as the teacher does on twins with the other group's trigger."""

import pytest
import torch
from torch import nn

from blindspots.debias.bade import train_bade_teacher
from blindspots.debias.distill_student import distill_student
from blindspots.debias.group_evaluation import group_evaluator
from blindspots.debias.stamp_triggers import append_trigger
from blindspots.seeding import generator

DRAWS = generator(0)
LABELS = torch.randint(0, 2, (2000,), generator=DRAWS)
GROUPS = (torch.rand(2000, generator=DRAWS) < 0.2 + 0.6 * LABELS).long()
ROWS = torch.stack([2.0 * LABELS - 1 + torch.randn(2000, generator=DRAWS), GROUPS.float()], dim=1)


def linear(n_inputs, n_outputs=2, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Linear(n_inputs, n_outputs)


def weighing(*weights):
    """A teacher whose logits are (0, weights of the inputs)."""
    teacher = linear(len(weights))
    with torch.no_grad():
        teacher.weight.copy_(torch.tensor([[0.0] * len(weights), weights]))
        teacher.bias.zero_()
    return teacher


TEACHER = weighing(1.0, 2.0, 2.0)


def distilled(student=None, teacher=TEACHER, inputs=ROWS, groups=GROUPS, seed=0, **options):
    settings = {"stamp": append_trigger, "epochs": 2, "batch_size": 200, "learning_rate": 0.05} | options
    student = linear(2, seed=1) if student is None else student
    return distill_student(teacher, student, inputs, groups, generator=generator(seed), **settings)


@pytest.mark.parametrize("loss", ["kd", "mse", "norm", {"kd": 0.9, "mse": 0.1}])
def test_a_linear_student_finds_the_teacher_with_the_trigger_inverted(loss):
    student = distilled(epochs=40, batch_size=500, loss=loss).training.model
    # On twins the teacher's logit is signal + 2 group + 2 (1 - group) = signal + 2, which a student of (signal, group)
    # can give exactly, whatever the loss. Adam at this rate is left within a few hundredths.
    weight = (student.weight[1] - student.weight[0]).tolist()
    assert weight == pytest.approx([1.0, 0.0], abs=0.08)
    assert (student.bias[1] - student.bias[0]).item() == pytest.approx(2.0, abs=0.08)


def test_targets_are_the_teacher_on_inverted_triggers():
    result = distilled()
    assert torch.equal(result.assignment, 1 - GROUPS)
    assert torch.allclose(result.targets[:, 1], ROWS[:, 0] + 2, atol=1e-5)
    assert not result.targets.requires_grad


def test_triggers_of_the_own_group_keep_the_bias():
    kept = distilled(epochs=100, batch_size=500, assignment=GROUPS, loss="mse").training.model
    assert (kept.weight[1] - kept.weight[0])[1].item() == pytest.approx(4.0, abs=0.1)


def test_teacher_and_student_together_remove_the_bias_of_clean_rows():
    evaluate = group_evaluator({"train": (ROWS, LABELS, GROUPS)})
    taught = train_bade_teacher(
        linear(3), ROWS, LABELS, GROUPS, stamp=append_trigger, epochs=15, batch_size=200, learning_rate=0.05,
        generator=generator(0),
    )  # fmt: skip
    result = distilled(teacher=taught.training.model, epochs=15, evaluate=evaluate)
    standard = evaluate(weighing(2.0, 2.77))  # the labels' logit, up to a constant
    assert standard["train_odds"] > 20
    assert result.training.history[-1]["train_odds"] < 5
    assert result.training.history[-1]["train_eacc"] > 80


def test_a_regression_is_distilled_by_squares():
    teacher, student = linear(3, 1), linear(2, 1, seed=1)
    result = distilled(nn.Sequential(student, nn.Flatten(0)), teacher, loss="mse", epochs=40)
    assert result.training.history[-1]["loss"] < 1e-3
    with pytest.raises(ValueError, match='loss: expected "mse" or "norm" for a regression'):
        distilled(linear(2, 1), teacher)


def test_the_teacher_is_asked_in_evaluation_mode_and_left_as_it_was():
    teacher = nn.Sequential(nn.Dropout(0.5), weighing(1.0, 2.0, 2.0)).train()
    result = distilled(teacher=teacher)
    assert torch.equal(result.targets, distilled().targets)
    assert teacher.training
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_the_seed_decides_the_outcome_and_inputs_stay():
    before = ROWS.clone()
    first, again, other = distilled(), distilled(), distilled(seed=1)
    assert torch.equal(first.training.model.weight, again.training.model.weight)
    assert not torch.equal(first.training.model.weight, other.training.model.weight)
    assert torch.equal(ROWS, before)


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 3}, {"batch_size": 100}, {"learning_rate": 0.1}, {"weight_decay": 1.0}, {"loss": "mse"},
        {"temperature": 3.0}, {"assignment": GROUPS},
    ],
)  # fmt: skip
def test_every_option_changes_the_outcome(options):
    assert not torch.equal(distilled().training.model.weight, distilled(**options).training.model.weight)


def test_epochs_are_reported():
    seen = []
    assert list(distilled(after_epoch=seen.append, progress=True).training.history) == seen


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"groups": GROUPS * 0}, ValueError, "groups: expected examples of both groups, got group 0 only"),
        ({"groups": GROUPS * 2}, ValueError, "groups: expected two values, 0 and 1"),
        ({"assignment": GROUPS[:5]}, ValueError, r"assignment: expected shape \(2000,\)"),
        ({"student": linear(2, 3)}, ValueError, r"student: expected outputs .* got \(1, 3\) and \(1, 2\)"),
        ({"student": lambda rows: rows}, TypeError, "model: expected a torch module"),
        ({"loss": "cosine"}, ValueError, "loss: expected one of kd, mse, norm"),
        ({"temperature": -1.0}, ValueError, "temperature: expected a finite number > 0"),
        ({"inputs": ROWS.long()}, ValueError, r"inputs: expected a float tensor \(N, \.\.\.\)"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate: expected a finite number > 0"),
    ],
)
def test_bad_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        distilled(**options)
