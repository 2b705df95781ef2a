"""Standard training learns the task, picks up the bias, and looks at no group."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias.erm import erm
from blindspots.debias.group_training import GroupTraining, group_training
from blindspots.models import mlp
from blindspots.seeding import generator

SETTINGS = {"epochs": 15, "batch_size": 64, "learning_rate": 0.01}


def trained(rows, labels, groups, seed=0, **options):
    model = mlp(3, 2, hidden=(16,), seed=0)
    return erm(model, rows, labels, groups, generator=generator(seed), **(SETTINGS | options))


def weights(result):
    return torch.cat([parameter.detach().flatten() for parameter in result.model.parameters()])


def test_it_learns_the_task_and_the_bias(biased_rows, odds_of):
    result = trained(*biased_rows())
    assert isinstance(result, GroupTraining)
    rows, labels, groups = biased_rows(4000, seed=1)
    with torch.no_grad():
        accuracy = (result.model(rows).argmax(1) == labels).double().mean().item()
    assert accuracy > 0.85
    assert odds_of(result.model, rows, labels, groups) > 20


def test_it_is_the_plain_loop_and_ignores_the_groups(biased_rows):
    rows, labels, groups = biased_rows()
    model = mlp(3, 2, hidden=(16,), seed=0)
    plain = group_training(
        model, lambda model, some: F.cross_entropy(model(rows[some]), labels[some]), len(rows), generator=generator(0),
        **SETTINGS,
    )  # fmt: skip
    assert torch.equal(weights(plain), weights(trained(rows, labels, groups)))
    assert torch.equal(weights(plain), weights(trained(rows, labels, 1 - groups)))


def test_records_carry_the_evaluation_and_seeds_decide(biased_rows, odds_of):
    data = biased_rows()
    seen = []
    result = trained(*data, epochs=2, evaluate=lambda model: {"odds": odds_of(model, *data)}, after_epoch=seen.append)
    assert list(result.history) == seen and result.history[-1]["odds"] == odds_of(result.model, *data)
    assert torch.equal(weights(result), weights(trained(*data, epochs=2)))
    assert not torch.equal(weights(result), weights(trained(*data, epochs=2, seed=1)))
    assert not torch.equal(weights(result), weights(trained(*data, epochs=2, weight_decay=0.1)))


def test_floats_are_a_regression(biased_rows):
    rows, _, groups = biased_rows(200)
    targets = rows @ torch.tensor([1.0, -2.0, 0.5])
    line = torch.nn.utils.skip_init(torch.nn.Linear, 3, 1)
    with torch.no_grad():
        line.weight.zero_()
        line.bias.zero_()
    result = erm(line, rows, targets, groups, generator=generator(0), epochs=200, batch_size=50, learning_rate=0.05)
    assert torch.allclose(line.weight, torch.tensor([[1.0, -2.0, 0.5]]), atol=1e-3)
    assert result.history[-1]["loss"] < 1e-5
    with pytest.raises(ValueError, match="labels: expected integers for a model of 2 outputs"):
        trained(rows, targets, groups)


def test_bad_groups_are_refused(biased_rows):
    rows, labels, groups = biased_rows(20)
    with pytest.raises(ValueError, match="groups: expected examples of both groups, got group 0 only"):
        trained(rows, labels, 0 * groups)
