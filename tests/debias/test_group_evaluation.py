"""Scores of a model by group: worked by hand, on clean inputs and with the other group's trigger."""

import pytest
import torch
from torch import nn

from blindspots.debias.group_evaluation import group_evaluator, group_outputs, group_scores
from blindspots.debias.group_metrics import equalized_accuracy, equalized_odds
from blindspots.debias.stamp_triggers import append_trigger
from blindspots.seeding import generator

N = 200
DRAWS = generator(0)
LABELS = torch.randint(0, 2, (N,), generator=DRAWS)
GROUPS = torch.randint(0, 2, (N,), generator=DRAWS)
ROWS = torch.stack([LABELS + torch.randn(N, generator=DRAWS), GROUPS.float()], dim=1)


def linear(*weights, dropout=0.0):
    """A model whose logits are (0, weights of the inputs)."""
    with torch.random.fork_rng(devices=[]):
        layer = nn.Linear(len(weights), 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0] * len(weights), weights]))
        layer.bias.copy_(torch.tensor([0.0, -0.5]))
    return nn.Sequential(nn.Dropout(dropout), layer)


def test_scores_are_those_of_the_predictions():
    model = linear(1.0, 0.5)
    scores = group_scores(group_outputs(model, ROWS), LABELS, GROUPS)
    predictions = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0.5).long()
    right = (predictions == LABELS).double()
    assert scores == pytest.approx(
        {
            "odds": equalized_odds(predictions, LABELS, GROUPS),
            "eacc": equalized_accuracy(predictions, LABELS, GROUPS),
            "accuracy": 100 * right.mean().item(),
            "accuracy_0": 100 * right[GROUPS == 0].mean().item(),
            "accuracy_1": 100 * right[GROUPS == 1].mean().item(),
        }
    )
    assert scores["odds"] > 0


def test_a_regression_is_scored_by_squared_errors():
    predictions, targets = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([1.0, 1.0, 1.0])
    scores = group_scores(predictions, targets, torch.tensor([0, 0, 1]))
    assert scores == {"mse": pytest.approx(5 / 3), "mse_0": 0.5, "mse_1": 4.0}


def test_with_a_stamp_each_input_carries_the_trigger_of_the_other_group():
    splits = {"validation": (ROWS, LABELS, GROUPS), "test": (ROWS[:50], LABELS[:50], GROUPS[:50])}
    teacher = linear(1.0, 2.0, 2.0)
    scores = group_evaluator(splits, stamp=append_trigger)(teacher)
    # Group and trigger weigh the same, so with inverted triggers they add 2 to every input.
    fair = ((ROWS[:, 0] + 2) > 0.5).long()
    assert scores["validation_odds"] == pytest.approx(equalized_odds(fair, LABELS, GROUPS))
    assert scores["test_eacc"] == pytest.approx(equalized_accuracy(fair[:50], LABELS[:50], GROUPS[:50]))
    clean = group_evaluator(splits)(linear(1.0, 2.0))
    biased = ((ROWS[:, 0] + 2 * ROWS[:, 1]) > 0.5).long()
    assert clean["validation_odds"] == pytest.approx(equalized_odds(biased, LABELS, GROUPS))
    assert clean["validation_odds"] > scores["validation_odds"] + 20


def test_outputs_do_not_depend_on_the_batch_and_leave_the_model_alone():
    model = linear(1.0, 0.5, dropout=0.5)
    model.train()
    whole = group_outputs(model, ROWS)
    assert torch.allclose(whole, group_outputs(model, ROWS, batch_size=7), atol=1e-6)
    assert all(part.training for part in model.modules())
    assert not whole.requires_grad
    assert torch.allclose(group_outputs(model, ROWS.double()), whole, atol=1e-6)
    triggered = group_outputs(linear(1.0, 0.5, 3.0), ROWS, stamp=append_trigger, assignment=GROUPS, batch_size=7)
    assert torch.allclose(triggered[:, 1], whole[:, 1] + 3 * GROUPS, atol=1e-5)


def test_outputs_of_one_number_come_back_as_a_column():
    class Sum(nn.Linear):
        def forward(self, rows):
            return super().forward(rows).sum(1)

    with torch.random.fork_rng(devices=[]):
        model = Sum(2, 1)
    assert group_outputs(model, ROWS).shape == (N, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stamp": append_trigger}, "assignment: expected one exactly where a stamp is given"),
        ({"assignment": GROUPS}, "assignment: expected one exactly where a stamp is given"),
        ({"batch_size": 0}, "batch_size: expected a finite number >= 1"),
        ({"inputs": ROWS * float("nan")}, "model: outputs: expected finite values"),
    ],
)
def test_bad_arguments_of_outputs_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        group_outputs(linear(1.0, 0.5), **({"inputs": ROWS} | options))


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="model: expected a torch module"):
        group_outputs(lambda rows: rows, ROWS)


@pytest.mark.parametrize(
    ("outputs", "labels", "groups", "message"),
    [
        (torch.zeros(3, 2), LABELS, GROUPS, r"outputs: expected shape \(200, K\)"),
        (torch.zeros(N, 2), LABELS, GROUPS * 0, "groups: expected examples of both groups"),
        (torch.zeros(N, 2), LABELS, LABELS, "none with label 1 in group 0"),
        (torch.zeros(N, 2), LABELS.float(), GROUPS, r"labels: expected \(N,\) targets for outputs \(N, 1\)"),
        (torch.zeros(N, 3), LABELS, GROUPS, "labels: expected every class from 0 to 2, got none of class 2"),
    ],
)
def test_bad_outputs_are_refused(outputs, labels, groups, message):
    with pytest.raises(ValueError, match=message):
        group_scores(outputs, labels, groups)


def test_bad_splits_are_refused_at_once_and_named():
    with pytest.raises(ValueError, match="splits: expected examples by name"):
        group_evaluator({})
    with pytest.raises(ValueError, match="test: groups: expected examples of both groups, got group 0 only"):
        group_evaluator({"test": (ROWS, LABELS, GROUPS * 0)})
