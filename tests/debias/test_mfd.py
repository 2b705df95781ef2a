"""MFD's loss is that of a plain loop, and its student is less biased than its teacher."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias import erm
from blindspots.debias.group_training import GroupTraining
from blindspots.debias.mfd import balanced_batches, mfd, mfd_loss
from blindspots.models import mlp
from blindspots.seeding import generator

SETTINGS = {"epochs": 15, "batch_size": 64, "learning_rate": 0.01}


def standard(data, hidden=16):
    return erm(mlp(3, 2, hidden=(hidden,), seed=0), *data, generator=generator(0), **SETTINGS).model


def trained(rows, labels, groups, teacher, seed=0, **options):
    model = mlp(3, 2, hidden=(16,), seed=1)
    return mfd(model, rows, labels, groups, teacher=teacher, generator=generator(seed), **(SETTINGS | options))


def weights(result):
    return torch.cat([parameter.detach().flatten() for parameter in result.model.parameters()])


def batch(n=24, n_classes=3, dtype=torch.float64, seed=0):
    draws = generator(seed)
    student, teacher = (torch.randn(n, 5, generator=draws, dtype=dtype) for _ in range(2))
    return student, teacher + 0.5, torch.arange(n) % n_classes, torch.randint(0, 2, (n,), generator=draws)


def looped_loss(student, teacher, labels, groups, sigma=1.0):
    """Sum the discrepancies pair by pair, cell by cell."""
    teacher = teacher.detach()
    bandwidth = torch.stack([(t - s).square().sum() for t in teacher for s in student]).mean().detach()

    def mean_kernel(firsts, seconds):
        values = [(-(a - b).square().sum() / (2 * sigma * bandwidth)).exp() for a in firsts for b in seconds]
        return torch.stack(values).mean()

    total = 0.0
    for label in labels.unique():
        targets = teacher[labels == label]
        for group in groups[labels == label].unique():
            cell = student[(labels == label) & (groups == group)]
            total = total + mean_kernel(targets, targets) + mean_kernel(cell, cell) - 2 * mean_kernel(targets, cell)
    return total


@pytest.mark.parametrize("sigma", [1.0, 0.3])
@pytest.mark.parametrize("empty", ["none", "a cell", "a class"])
def test_the_loss_and_its_gradient_are_those_of_a_plain_loop(sigma, empty):
    student, teacher, labels, groups = batch()
    if empty == "a cell":
        groups = torch.where(labels == 1, 0, groups)
    if empty == "a class":
        labels = torch.where(labels == 1, 0, labels)
    student.requires_grad_(True)
    found, expected = (f(student, teacher, labels, groups, sigma=sigma) for f in (mfd_loss, looped_loss))
    assert torch.allclose(found, expected, rtol=1e-10)
    slopes = [torch.autograd.grad(loss, student, retain_graph=True)[0] for loss in (found, expected)]
    assert slopes[0].abs().max() > 0 and torch.allclose(*slopes, rtol=1e-8, atol=1e-12)


def test_one_example_of_each_cell_by_hand():
    # Student and teacher are at 0 and 2 in a line: all four distances across are 4, so k = exp(-d / 8).
    student, teacher = torch.zeros(2, 1), torch.full((2, 1), 2.0)
    labels, groups = torch.zeros(2, dtype=torch.long), torch.tensor([0, 1])
    found = mfd_loss(student, teacher, labels, groups)
    assert found.item() == pytest.approx(2 * (1 + 1 - 2 * torch.tensor(-0.5).exp().item()))


def test_equal_distributions_have_no_loss_and_shifted_ones_have():
    student, _, labels, _ = batch(n=12, n_classes=2)
    rows, labels, groups = student.repeat(2, 1), labels.repeat(2), torch.arange(24) // 12
    assert mfd_loss(rows, rows, labels, groups).abs() < 1e-12
    assert mfd_loss(rows + groups[:, None], rows, labels, groups) > 0.1


def test_the_order_of_the_batch_does_not_matter_and_the_teacher_gets_no_gradient():
    student, teacher, labels, groups = batch()
    order = torch.randperm(24, generator=generator(4))
    shuffled = mfd_loss(student[order], teacher[order], labels[order], groups[order])
    assert torch.allclose(mfd_loss(student, teacher, labels, groups), shuffled)
    student.requires_grad_(True)
    teacher.requires_grad_(True)
    loss = mfd_loss(student, teacher, labels, groups)
    assert torch.autograd.grad(loss, teacher, allow_unused=True)[0] is None


def test_maps_are_flattened_and_float32_stays():
    student, teacher, labels, groups = batch(dtype=torch.float32)
    flat = mfd_loss(student, teacher, labels, groups)
    assert flat.dtype == torch.float32
    assert torch.equal(flat, mfd_loss(student[:, :, None], teacher[:, :, None], labels, groups))
    exact = mfd_loss(student.double(), teacher.double(), labels, groups)
    assert flat.item() == pytest.approx(exact.item(), rel=1e-5)


def test_batches_hold_equally_many_of_every_cell_and_the_largest_goes_by_once():
    labels = torch.tensor([0] * 30 + [1] * 20 + [2] * 10)
    groups = torch.tensor([0] * 26 + [1] * 4 + [0] * 8 + [1] * 12 + [0] * 3 + [1] * 7)
    drawn = balanced_batches(labels, groups, batch_size=20, generator=generator(0))
    assert [len(rows) for rows in drawn] == [18] * 8  # three of each of six cells, and 26 // 3 of them
    for rows in drawn:
        cell = 2 * labels[rows] + groups[rows]
        assert cell.bincount(minlength=6).tolist() == [3] * 6
    counts = torch.cat(drawn).bincount(minlength=60)
    assert counts[:26].tolist().count(1) == 24 and counts[:26].max() == 1
    assert set(counts[26:30].tolist()) == {6}
    assert set(counts[30:38].tolist()) == {3}
    # 24 of 12, of 3 and of 7: never more than once more than another of the cell.
    for start, stop in ((38, 50), (50, 53), (53, 60)):
        assert counts[start:stop].max() - counts[start:stop].min() <= 1


def test_a_batch_larger_than_every_cell_is_still_filled():
    labels, groups = torch.tensor([0, 0, 0, 1, 1, 1]), torch.tensor([0, 0, 1, 0, 1, 1])
    drawn = balanced_batches(labels, groups, batch_size=16, generator=generator(0))
    assert len(drawn) == 1
    assert drawn[0].bincount().tolist() == [2, 2, 4, 4, 2, 2]


def test_training_sees_the_balanced_batches(biased_rows):
    rows, labels, groups = biased_rows(60)
    teacher = standard((rows, labels, groups))
    seen = []

    class Listening(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = mlp(3, 2, hidden=(16,), seed=1)

        def encode(self, inputs):
            if self.training:
                places = (inputs[:, None] == rows).all(2).nonzero()[:, 1]
                seen.append((2 * labels[places] + groups[places]).bincount().tolist())
            return self.inner.encode(inputs)

        def head(self, features):
            return self.inner.head(features)

        def forward(self, inputs):
            return self.head(self.encode(inputs))

    mfd(
        Listening(), rows, labels, groups, teacher=teacher, epochs=2, batch_size=11, learning_rate=0.01,
        generator=generator(0),
    )  # fmt: skip
    largest = (2 * labels + groups).bincount().max().item()
    assert seen == [[2, 2, 2, 2]] * (2 * (largest // 2))


def test_the_student_is_less_biased_than_its_teacher_which_is_left_as_it_was(biased_rows, odds_of):
    data, test = biased_rows(), biased_rows(4000, seed=1)
    teacher = standard(data)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    # In plain batches, so that nothing but the loss can do it.
    result = trained(*data, teacher, feature_weight=30.0, balanced=False, epochs=40)
    assert isinstance(result, GroupTraining)
    with torch.no_grad():
        accuracy = (result.model(test[0]).argmax(1) == test[1]).double().mean()
    assert accuracy > 0.7
    assert odds_of(result.model, *test) < odds_of(teacher, *test) / 2
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_the_loss_of_an_epoch_is_the_weighed_sum(biased_rows):
    rows, labels, groups = data = biased_rows(40)
    teacher, student = standard(data), mlp(3, 2, hidden=(16,), seed=1)
    with torch.no_grad():
        discrepancy = mfd_loss(student.encode(rows), teacher.encode(rows), labels, groups)
        expected = F.cross_entropy(student(rows), labels) + 5.0 / 2 * discrepancy
    # A rate too small to move anything.
    options = {"feature_weight": 5.0, "balanced": False, "epochs": 1, "batch_size": 40, "learning_rate": 1e-12}
    record = trained(*data, teacher, **options).history[0]
    assert record["loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_options_and_seeds_change_the_outcome(biased_rows):
    data = biased_rows(60)
    teacher = standard(data)

    def result(teacher=teacher, **options):
        return weights(trained(*data, teacher, **({"epochs": 2} | options)))

    assert torch.equal(result(), result())
    other = mlp(3, 2, hidden=(16,), seed=3)
    for changed in (
        {"seed": 1}, {"feature_weight": 7.0}, {"sigma": 0.2}, {"teacher": other}, {"weight_decay": 0.1},
        {"balanced": False},
    ):  # fmt: skip
        assert not torch.equal(result(), result(**changed))
    alone = weights(erm(mlp(3, 2, hidden=(16,), seed=1), *data, generator=generator(0), **(SETTINGS | {"epochs": 2})))
    assert torch.equal(result(feature_weight=0.0, balanced=False), alone)


def test_bad_arguments_are_refused(biased_rows):
    data = biased_rows(20)
    teacher = mlp(3, 2, hidden=(16,), seed=0)
    for options, error, message in (
        ({"feature_weight": -1.0}, ValueError, "feature_weight: expected a finite number >= 0"),
        ({"sigma": 0.0}, ValueError, "sigma: expected a finite number > 0"),
        ({"teacher": mlp(3, 2, hidden=(9,), seed=0)}, ValueError, "teacher: expected as many features .* 16, got 9"),
        ({"teacher": torch.nn.Sequential(teacher)}, TypeError, r"teacher: expected one with \.encode"),
        ({"batch_size": 3}, ValueError, "batch_size: expected a finite number >= 4"),
        ({"teacher": None}, TypeError, "teacher: expected a trained torch module, got NoneType"),
    ):
        with pytest.raises(error, match=message):
            trained(*data, **({"teacher": teacher} | options))
    with pytest.raises(ValueError, match="got none with label 1 in group 0"):
        trained(data[0], data[1], data[1], teacher)
    student, other, labels, groups = batch()
    for arguments, message in (
        ((student, other[:, :4], labels, groups), "teacher_features: expected the student's shape"),
        ((student, other, labels[:4], groups), "labels: expected shape"),
        ((student, other, labels, groups + 1), "groups: expected two values, 0 and 1"),
    ):
        with pytest.raises(ValueError, match=message):
            mfd_loss(*arguments)
    with pytest.raises(ValueError, match="batch_size: expected a finite number >= 6"):
        balanced_batches(labels, groups, batch_size=5, generator=generator(0))
    with pytest.raises(ValueError, match="sigma: expected a finite number > 0"):
        mfd_loss(student, other, labels, groups, sigma=-1.0)


def test_there_may_be_more_classes_than_two():
    rows = torch.randn(60, 3, generator=generator(6))
    data = rows, torch.arange(60) % 3, torch.arange(60) // 3 % 2
    models = [mlp(3, 3, hidden=(16,), seed=seed) for seed in (0, 1)]
    result = mfd(models[0], *data, teacher=models[1], generator=generator(0), **(SETTINGS | {"epochs": 2}))
    assert len(result.states) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_answer_is_that_of_the_cpu(biased_rows):
    data = biased_rows(60)
    settings = SETTINGS | {"epochs": 1}
    here, there = mlp(3, 2, hidden=(16,), seed=0), mlp(3, 2, hidden=(16,), seed=0).cuda()
    for model in (here, there):
        teacher = mlp(3, 2, hidden=(16,), seed=1).to(next(model.parameters()).device)
        mfd(model, *data, teacher=teacher, generator=generator(0), **settings)
    found, expected = there.state_dict(), here.state_dict()
    assert all(torch.allclose(value.cpu(), expected[name], atol=1e-4) for name, value in found.items())
