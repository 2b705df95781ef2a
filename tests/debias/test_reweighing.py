"""Kamiran and Calders' weights make label and group independent, in the loss or by drawing."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias import erm
from blindspots.debias.group_training import GroupTraining
from blindspots.debias.reweighing import reweighing, reweighing_weights
from blindspots.models import mlp
from blindspots.seeding import generator

SETTINGS = {"epochs": 15, "batch_size": 64, "learning_rate": 0.01}
LABELS = torch.tensor([0] * 30 + [1] * 20 + [2] * 10)
GROUPS = torch.tensor([0] * 26 + [1] * 4 + [0] * 8 + [1] * 12 + [0] * 3 + [1] * 7)


def trained(rows, labels, groups, seed=0, **options):
    model = mlp(3, 2, hidden=(16,), seed=0)
    return reweighing(model, rows, labels, groups, generator=generator(seed), **(SETTINGS | options))


def weights(result):
    return torch.cat([parameter.detach().flatten() for parameter in result.model.parameters()])


def test_weights_by_hand():
    # Half of the eight are positive, 5 of 8 in group 1: the cell of 1 in group 1 has 4 where 4 * 5 / 8 are expected.
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    groups = torch.tensor([0, 0, 0, 1, 1, 1, 1, 0])
    found = reweighing_weights(labels, groups)
    expected = torch.tensor([4 * 4 / 8 / 3] * 3 + [4 * 4 / 8 / 1] + [4 * 4 / 8 / 3] * 3 + [4 * 4 / 8 / 1])
    assert torch.allclose(found, expected.double())


def test_weights_are_the_definition_and_make_label_and_group_independent():
    labels, groups = LABELS, GROUPS
    found = reweighing_weights(labels, groups)
    n = len(labels)
    for place in range(n):
        alike_y, alike_b = labels == labels[place], groups == groups[place]
        share = (alike_y.sum() / n) * (alike_b.sum() / n) / ((alike_y & alike_b).sum() / n)
        assert found[place].item() == pytest.approx(share.item(), rel=1e-5)
    assert found.mean().item() == pytest.approx(1)
    for label in (0, 1, 2):
        joint = found[(labels == label) & (groups == 1)].sum() / n
        assert joint.item() == pytest.approx((labels == label).double().mean() * groups.double().mean())


def test_weights_are_those_of_aif360():
    datasets = pytest.importorskip("aif360.datasets")
    preprocessing = pytest.importorskip("aif360.algorithms.preprocessing")
    pandas = pytest.importorskip("pandas")
    labels = (LABELS > 0).long()
    frame = pandas.DataFrame({"y": labels.numpy(), "b": GROUPS.numpy()})
    table = datasets.BinaryLabelDataset(df=frame, label_names=["y"], protected_attribute_names=["b"])
    theirs = preprocessing.Reweighing([{"b": 0}], [{"b": 1}]).fit_transform(table).instance_weights
    assert torch.allclose(reweighing_weights(labels, GROUPS), torch.tensor(theirs))


def test_independent_data_have_weights_of_one():
    labels, groups = torch.arange(12) % 3, torch.arange(12) // 3 % 2
    assert torch.equal(reweighing_weights(labels, groups), torch.ones(12, dtype=torch.float64))


def test_one_step_follows_the_gradient_of_the_weighed_loss(biased_rows):
    rows, labels, groups = biased_rows(40)
    start, moved = mlp(3, 2, hidden=(4,), seed=0), mlp(3, 2, hidden=(4,), seed=0)
    rate = 1e-3
    reweighing(moved, rows, labels, groups, epochs=1, batch_size=40, learning_rate=rate, generator=generator(0))
    loss = 0.0
    for place, weight in enumerate(reweighing_weights(labels, groups).tolist()):
        loss = loss + weight * F.cross_entropy(start(rows[place : place + 1]), labels[place : place + 1]) / 40
    # Adam's first step is the rate times the gradient's sign, but for parameters with hardly any gradient.
    for before, after, slope in zip(
        start.parameters(), moved.parameters(), torch.autograd.grad(loss, list(start.parameters())), strict=True
    ):
        clear = slope.abs() > 1e-5
        assert torch.allclose((after - before)[clear], -rate * slope.sign()[clear], atol=rate / 50)


def test_the_loss_of_an_epoch_is_the_weighed_mean(biased_rows):
    data = biased_rows(40)
    model = mlp(3, 2, hidden=(16,), seed=0)
    losses = F.cross_entropy(model(data[0]), data[1], reduction="none")
    expected = (losses * reweighing_weights(*data[1:])).mean().item()
    # A rate too small to move anything.
    record = trained(*data, epochs=1, learning_rate=1e-12, batch_size=40).history[0]
    assert record["loss"] == pytest.approx(expected, rel=1e-5)


def test_resampling_shows_label_and_group_independent(biased_rows, listening):
    rows, labels, groups = biased_rows(200)
    rows[:, 0] = torch.arange(200)
    reweighing(
        listening, rows, labels, groups, use="resampling", epochs=50, batch_size=200, learning_rate=1e-6,
        generator=generator(0),
    )  # fmt: skip
    seen = listening.seen
    assert all(len(epoch) == 200 for epoch in seen)
    drawn = torch.cat(seen)
    share = (labels == 1).double().mean() * (groups == 1).double().mean()
    found = ((labels[drawn] == 1) & (groups[drawn] == 1)).double().mean()
    # Of 10,000 draws; a standard deviation is at most 0.005.
    assert abs(found - share) < 0.02
    assert abs(((labels == 1) & (groups == 1)).double().mean() - share) > 0.1


@pytest.mark.parametrize("use", ["loss", "resampling"])
def test_it_lessens_the_bias_of_standard_training(biased_rows, odds_of, use):
    test = biased_rows(4000, seed=1)
    standard = erm(mlp(3, 2, hidden=(16,), seed=0), *biased_rows(), generator=generator(0), **SETTINGS)
    result = trained(*biased_rows(), use=use)
    assert isinstance(result, GroupTraining)
    assert odds_of(result.model, *test) < odds_of(standard.model, *test) / 2


def test_options_and_seeds_change_the_outcome(biased_rows):
    data = biased_rows(60)

    def result(**options):
        return weights(trained(*data, **({"epochs": 2} | options)))

    assert torch.equal(result(), result())
    for changed in ({"seed": 1}, {"use": "resampling"}, {"weight_decay": 0.1}):
        assert not torch.equal(result(), result(**changed))


def test_bad_arguments_are_refused(biased_rows):
    rows, labels, groups = biased_rows(20)
    with pytest.raises(ValueError, match="use: expected one of loss, resampling"):
        trained(rows, labels, groups, use="weights")
    with pytest.raises(ValueError, match="got none with label 1 in group 0"):
        trained(rows, labels, labels)
    with pytest.raises(ValueError, match="groups: expected examples of both groups, got group 0 only"):
        reweighing_weights(labels, torch.zeros_like(labels))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_answer_is_that_of_the_cpu(biased_rows):
    data = biased_rows(60)
    settings = SETTINGS | {"epochs": 1}
    here, there = mlp(3, 2, hidden=(16, 16), seed=0), mlp(3, 2, hidden=(16, 16), seed=0).cuda()
    for model in (here, there):
        reweighing(model, *data, generator=generator(0), **settings)
    found, expected = there.state_dict(), here.state_dict()
    assert all(torch.allclose(value.cpu(), expected[name], atol=1e-4) for name, value in found.items())
