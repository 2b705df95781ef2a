"""Every group is drawn equally often, and a group that nobody can draw is named."""

import pytest
import torch

from blindspots.fairness.dro_train import dro_train
from blindspots.fairness.group_balanced import group_balanced, group_sizes
from blindspots.fairness.weighted_images import draw_rows
from blindspots.seeding import generator

GROUPS = torch.tensor([0] * 7 + [1] * 4 + [2])


def test_weights_by_hand(task):
    data = task()
    made = group_balanced(data, GROUPS)
    assert made.weights.tolist() == pytest.approx([12 / 21] * 7 + [1.0] * 4 + [4.0])
    assert made.images is data.images and made.labels is data.labels
    assert made.weights.mean().item() == pytest.approx(1.0)
    assert group_sizes(GROUPS, 12).tolist() == [7, 4, 1]


def test_draws_are_uniform_over_groups(task):
    rows = draw_rows(group_balanced(task(), GROUPS).weights, 30000, generator(0))
    shares = torch.bincount(GROUPS[rows]) / 30000
    assert ((shares - 1 / 3).abs() < 4 * (2 / 9 / 30000) ** 0.5).all()


def test_equal_groups_are_plain_training(network, task, flat_weights):
    data, groups = task(), torch.arange(12) % 3
    trained = []
    for given in (data, group_balanced(data, groups)):
        model = network()
        dro_train(model, given, steps=20, learning_rate=0.05, generator=generator(0))
        trained.append(flat_weights(model.state_dict()))
    assert torch.equal(*trained)


@pytest.mark.parametrize(
    ("groups", "options", "message"),
    [
        (torch.zeros(12, dtype=torch.long), {}, "groups: expected at least two groups, got group 0 only"),
        (GROUPS * 2, {}, r"groups: expected images of every group from 0 to 4, got none of group 1, 3"),
        (GROUPS, {"n_groups": 4}, "got none of group 3"),
        (GROUPS, {"n_groups": 2}, "groups: expected classes from 0 to 1"),
        (GROUPS[:5], {}, r"groups: expected shape \(12,\)"),
        (GROUPS - 1, {}, "groups: expected classes from 0"),
    ],
)
def test_bad_groups_are_named(task, groups, options, message):
    with pytest.raises(ValueError, match=message):
        group_balanced(task(), groups, **options)
