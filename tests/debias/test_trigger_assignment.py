"""Triggers: as often as the group for each label, independent of the group itself, frozen by the seed."""

import pytest
import torch
from scipy.stats import chi2, chi2_contingency

from blindspots.debias.trigger_assignment import assign_triggers, inverted_triggers, trigger_rates
from blindspots.seeding import generator


def biased_table(n=1000, n_classes=2, seed=0):
    draws = generator(seed)
    labels = torch.randint(0, n_classes, (n,), generator=draws)
    share = torch.linspace(0.2, 0.8, n_classes)[labels]
    return labels, (torch.rand(n, generator=draws) < share).long()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_rates_are_the_shares_of_group_0_by_label(n_classes):
    labels, groups = biased_table(n_classes=n_classes)
    expected = [(groups[labels == y] == 0).double().mean().item() for y in range(n_classes)]
    assert trigger_rates(labels, groups).tolist() == pytest.approx(expected, abs=1e-12)
    assert trigger_rates(labels.float() / 3, groups, per_class=False).tolist() == [
        pytest.approx((groups == 0).double().mean().item())
    ]


@pytest.mark.parametrize("n_classes", [2, 4])
def test_triggers_are_as_frequent_as_the_groups_for_each_label(n_classes):
    labels, groups = biased_table(n_classes=n_classes)
    assignment = assign_triggers(labels, groups, generator=generator(0))
    # More than to 1/n: the counts are the same.
    for label in range(n_classes):
        assert (assignment[labels == label] == 0).sum() == (groups[labels == label] == 0).sum()


def test_triggers_are_independent_of_the_group_given_the_label():
    labels, groups = biased_table()
    statistics = []
    for seed in range(200):
        assignment = assign_triggers(labels, groups, generator=generator(seed))
        for label in (0, 1):
            mine = labels == label
            table = torch.stack([torch.bincount(assignment[mine & (groups == g)], minlength=2) for g in (0, 1)])
            statistics.append(chi2_contingency(table.numpy(), correction=False).statistic)
    # Under independence these are chi-square with one degree of freedom: 5 % of 400 lie beyond 3.84; three standard
    # deviations of Binomial(400, 0.05) are 13. The mean is 1, with a standard error of sqrt(2 / 400) = 0.07.
    beyond = sum(statistic > chi2.ppf(0.95, 1) for statistic in statistics)
    assert 7 <= beyond <= 33
    assert sum(statistics) / 400 == pytest.approx(1, abs=0.21)


def test_a_trigger_that_followed_the_group_would_fail_the_same_test():
    labels, groups = biased_table()
    table = torch.stack([torch.bincount(groups[(labels == 0) & (groups == g)], minlength=2) for g in (0, 1)])
    assert chi2_contingency(table.numpy(), correction=False).statistic > 100


def test_each_example_of_a_label_is_as_likely_as_another():
    labels, groups = torch.tensor([0] * 10 + [1] * 10), torch.tensor([0, 0, 0] + [1] * 7 + [0, 1] * 5)
    hits = sum(1 - assign_triggers(labels, groups, generator=generator(seed)) for seed in range(1000))
    # Trigger 0 in 3 of 10 and 5 of 10; four standard deviations of Binomial(1000, 0.3) are 58, of (1000, 0.5) 63.
    assert (hits[:10] - 300).abs().max() <= 58
    assert (hits[10:] - 500).abs().max() <= 63


@pytest.mark.parametrize("rates", [(0.0, 1.0), (0.1, 0.7), torch.tensor([0.5, 0.25])])
def test_given_rates_are_met_to_half_an_example(rates):
    labels, groups = biased_table(n=301)
    assignment = assign_triggers(labels, groups, generator=generator(0), rates=rates)
    for label in (0, 1):
        mine = assignment[labels == label]
        assert abs((mine == 0).sum().item() - float(rates[label]) * len(mine)) <= 0.5


def test_given_rates_may_be_used_where_a_cell_is_empty():
    labels, groups = torch.tensor([0, 0, 1, 1]), torch.zeros(4).long()
    assert assign_triggers(labels, groups, generator=generator(0), rates=(1, 0)).tolist() == [0, 0, 1, 1]


def test_a_regression_has_one_rate_over_all():
    _, groups = biased_table()
    targets = torch.rand(1000, generator=generator(1))
    assignment = assign_triggers(targets, groups, generator=generator(0), per_class=False)
    assert assignment.sum() == groups.sum()
    assert not torch.equal(assignment, groups)
    half = assign_triggers(targets, groups, generator=generator(0), rates=(0.5,), per_class=False)
    assert half.sum() == 500


def test_the_assignment_is_frozen_by_the_seed():
    labels, groups = biased_table()
    before = labels.clone(), groups.clone()
    first = assign_triggers(labels, groups, generator=generator(0))
    assert torch.equal(first, assign_triggers(labels, groups, generator=generator(0)))
    assert not torch.equal(first, assign_triggers(labels, groups, generator=generator(1)))
    assert first.dtype == torch.long
    assert torch.equal(labels, before[0])
    assert torch.equal(groups, before[1])


def test_inverted_triggers_are_those_of_the_other_group():
    assert inverted_triggers(torch.tensor([0, 1, 1], dtype=torch.uint8)).tolist() == [1, 0, 0]


LABELS, GROUPS = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("labels", "groups", "options", "error", "message"),
    [
        (LABELS, LABELS, {}, ValueError, "none with label 1 in group 0 and none with label 0 in group 1"),
        (LABELS, GROUPS * 0, {}, ValueError, "groups: expected examples of both groups, got group 0 only"),
        (LABELS.float(), GROUPS * 0, {"per_class": False}, ValueError, "groups: expected examples of both groups"),
        (LABELS, GROUPS * 2, {}, ValueError, "groups: expected two values, 0 and 1"),
        (LABELS * 2, GROUPS, {}, ValueError, "labels: expected every class from 0 to 2, got none of class 1"),
        (LABELS.float(), GROUPS, {}, TypeError, "labels: expected an integer tensor"),
        (LABELS[:3], GROUPS, {}, ValueError, r"groups: expected shape \(3,\)"),
        (LABELS[:0], GROUPS[:0], {}, ValueError, r"labels: expected a tensor \(N,\) of at least one"),
        (LABELS, GROUPS, {"rates": (50, 50)}, ValueError, r"rates: expected shares in \[0, 1\].*percentages"),
        (LABELS, GROUPS, {"rates": (float("nan"), 0.5)}, ValueError, r"rates: expected shares in \[0, 1\]"),
        (LABELS, GROUPS, {"rates": (0.5,)}, ValueError, "rates: expected 2, one per class, got 1"),
        (
            LABELS,
            GROUPS,
            {"rates": (0.5, 0.5), "per_class": False},
            ValueError,
            "rates: expected 1, one for all, got 2",
        ),
        (LABELS, GROUPS, {"generator": 0}, TypeError, r"generator: expected a torch\.Generator"),
    ],
)
def test_bad_arguments_are_refused(labels, groups, options, error, message):
    with pytest.raises(error, match=message):
        assign_triggers(labels, groups, **({"generator": generator(0)} | options))


@pytest.mark.parametrize("groups", [torch.tensor([0, 2]), torch.tensor([-1, 1])])
def test_inverting_what_is_not_binary_is_refused(groups):
    with pytest.raises(ValueError, match="groups: expected two values, 0 and 1"):
        inverted_triggers(groups)
