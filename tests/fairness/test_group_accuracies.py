"""Accuracies by group, counted by hand."""

import pytest
import torch

from blindspots.fairness.group_accuracies import group_accuracies
from blindspots.fairness.group_slope_test import group_slope_test
from blindspots.seeding import generator

LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
GROUPS = torch.tensor([0, 0, 0, 1, 2, 2])


def test_by_hand():
    found = group_accuracies(torch.tensor([0, 1, 0, 0, 0, 0]), LABELS, GROUPS)
    assert found.by_group.tolist() == pytest.approx([2 / 3, 1.0, 0.0])
    assert found.counts.tolist() == [3, 1, 2]
    assert found.overall.item() == pytest.approx(0.5) and found.worst.item() == 0


def test_rows_are_models_and_feed_the_slope_test():
    draws = generator(0)
    labels, groups = torch.randint(0, 3, (500,), generator=draws), torch.randint(0, 7, (500,), generator=draws)
    predictions = torch.randint(0, 3, (4, 500), generator=draws)
    found = group_accuracies(predictions, labels, groups)
    for row in range(4):
        alone = group_accuracies(predictions[row], labels, groups)
        assert torch.equal(found.by_group[row], alone.by_group) and alone.worst == alone.by_group.min()
        assert found.overall[row].item() == pytest.approx((alone.by_group * alone.counts).sum().item() / 500)
        for g in range(7):
            expected = (predictions[row] == labels)[groups == g].double().mean()
            torch.testing.assert_close(alone.by_group[g], expected)
    assert group_slope_test(found.by_group, torch.arange(7.0), found.counts).slope.shape == (4,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(groups=GROUPS * 2), "groups: expected images of every group from 0 to 4, got none of group 1, 3"),
        (dict(groups=GROUPS * 0), "groups: expected at least two groups"),
        (dict(n_groups=5), "got none of group 3, 4"),
        (dict(labels=LABELS[:3]), r"labels: expected shape \(6,\)"),
        (dict(predictions=torch.zeros(0, 6, dtype=torch.long)), r"predictions: expected \(N,\) or \(S, N\)"),
    ],
)
def test_bad_input_is_named(changes, message):
    arguments = dict(predictions=LABELS, labels=LABELS, groups=GROUPS) | changes
    with pytest.raises(ValueError, match=message):
        group_accuracies(**arguments)
