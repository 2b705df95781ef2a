"""The small training loop: a quadratic it must solve, its record, its seed and what it leaves behind."""

import itertools
import math

import pytest
import torch
from torch import nn

from blindspots.purify.batch_descent import descend, drawn

OPTIONS = dict(seed=0, epochs=200, batch_size=4, learning_rate=0.05)


class Point(nn.Module):
    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.zeros(2, dtype=torch.float64))


def pull(point, targets):
    return lambda indices: (targets[indices] - point.place).square().sum(dim=1).mean()


def test_it_finds_the_mean_of_the_targets():
    # Each loss is a square, so the minimum of their mean is at the mean of the targets.
    targets = torch.tensor([[1.0, 0.0], [3.0, 2.0], [2.0, 4.0]], dtype=torch.float64)
    point = Point()
    history = descend(point, 3, pull(point, targets), **OPTIONS)
    torch.testing.assert_close(point.place.detach(), targets.mean(0), atol=1e-2, rtol=0)
    assert len(history) == 200 and history[-1] < history[0] == pytest.approx(34 / 3)
    assert point.place.grad is None and not point.training


def test_each_epoch_sees_every_example_once_in_batches_of_the_given_size():
    seen, point = [], Point()

    def loss(indices):
        seen.append(indices.tolist())
        return point.place.square().sum()

    descend(point, 10, loss, seed=3, epochs=2, batch_size=4, learning_rate=0.1)
    assert [len(batch) for batch in seen] == [4, 3, 3] * 2
    epochs = [[index for batch in part for index in batch] for part in (seen[:3], seen[3:])]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs) and epochs[0] != epochs[1]


def test_the_learning_rate_falls_to_its_share():
    # Adam's step along a constant gradient is the learning rate, but for the constant under its root.
    point, places = Point(), []

    def loss(indices):
        places.append(point.place.detach()[0].item())
        return point.place.sum()

    descend(point, 1, loss, seed=0, epochs=5, batch_size=1, learning_rate=0.1, final_share=0.0001)
    places.append(point.place[0].item())
    steps = [before - after for before, after in itertools.pairwise(places)]
    assert steps == pytest.approx([0.1, 0.01, 0.001, 0.0001, 0.00001], rel=1e-4)


def test_first_weights_come_from_the_seed_and_are_glorots():
    make = lambda seed: drawn(lambda: nn.Conv2d(16, 32, 3), seed)  # noqa: E731
    first, again, other = make(0), make(0), make(1)
    assert torch.equal(first.weight, again.weight) and not torch.equal(first.weight, other.weight)
    bound = math.sqrt(6 / (9 * (16 + 32)))
    assert 0.95 * bound < first.weight.abs().max() <= bound and (first.bias == 0).all()


def test_a_loss_that_is_not_finite_is_named():
    point = Point()
    with pytest.raises(ValueError, match="learning_rate: training diverged in epoch 1"):
        descend(point, 2, lambda indices: point.place.sum() * float("nan"), **OPTIONS)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate", "final_share"])
def test_bad_options_are_named(name):
    point = Point()
    with pytest.raises(ValueError, match=f"{name}: expected a finite number"):
        descend(point, 1, lambda indices: point.place.sum(), **(OPTIONS | {name: 0}))
