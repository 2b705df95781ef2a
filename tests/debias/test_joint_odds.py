"""Odds of several variables: equal to the single measure and to a loop, fair models judged fair, errors by name."""

import pytest
import torch

from blindspots.debias.group_metrics import equalized_odds
from blindspots.debias.joint_odds import joint_odds
from blindspots.seeding import generator

N = 2000
LABELS = torch.arange(N) % 2
GROUPS = torch.randint(2, (N, 2), generator=generator(0))
PREDICTIONS = torch.randint(2, (3, N), generator=generator(1))
BIASED = torch.where(GROUPS[:, 0] + GROUPS[:, 1] == 2, LABELS, PREDICTIONS[0])  # right on one joint group only


def measure(predictions, seed=0, groups=GROUPS, **options):
    return joint_odds(predictions, LABELS, groups, generator=generator(seed), **options)


def test_each_variables_odds_are_those_of_the_single_measure():
    found = measure(PREDICTIONS)
    for k in range(2):
        single = [equalized_odds(row, LABELS, GROUPS[:, k]) for row in PREDICTIONS]
        assert found.odds[k] == pytest.approx(sum(single) / 3)
    assert found.mean == pytest.approx(sum(found.odds) / 2)


def test_joint_odds_are_those_of_a_loop():
    gaps = []
    for label in (0, 1):
        recalls = []
        for first in (0, 1):
            for second in (0, 1):
                mine = (label == LABELS) & (GROUPS[:, 0] == first) & (GROUPS[:, 1] == second)
                recalls.append((label == BIASED)[mine].double().mean().item())
        gaps.append(max(recalls) - min(recalls))
    assert measure(BIASED[None]).joint == pytest.approx(100 * sum(gaps) / 2)


def test_one_variable_makes_joint_and_single_the_same():
    found = measure(PREDICTIONS, groups=GROUPS[:, :1])
    assert found.joint == pytest.approx(found.odds[0])
    assert found.joint_groups == 2


def test_a_fair_model_lies_in_its_fair_interval_and_a_biased_one_above():
    fair, biased = measure(PREDICTIONS[:1]), measure(BIASED[None])
    assert fair.joint_if_fair[0] <= fair.joint <= fair.joint_if_fair[1]
    assert biased.joint > biased.joint_if_fair[1]


def test_intervals_hold_the_value_of_a_clear_bias_and_narrow_with_more_examples():
    found = measure(BIASED[None])
    assert found.joint_interval[0] <= found.joint <= found.joint_interval[1]
    few = joint_odds(BIASED[None, :200], LABELS[:200], GROUPS[:200], generator=generator(0))
    assert few.joint_interval[1] - few.joint_interval[0] > found.joint_interval[1] - found.joint_interval[0]


def test_the_same_seed_gives_the_same_draws():
    assert torch.equal(measure(PREDICTIONS).draws, measure(PREDICTIONS).draws)
    assert not torch.equal(measure(PREDICTIONS).draws, measure(PREDICTIONS, seed=1).draws)


def test_joint_groups_with_too_few_examples_are_left_out():
    groups = GROUPS.clone()
    rare = (groups.sum(1) == 2).nonzero().flatten()
    groups[rare[4:], 0] = 0
    found = measure(PREDICTIONS, groups=groups, smallest=10)
    assert found.joint_groups == 3


@pytest.mark.parametrize(
    ("predictions", "options", "message"),
    [
        (PREDICTIONS[0], {}, "predictions: expected shape"),
        (PREDICTIONS + 3, {}, "predictions"),
        (PREDICTIONS, {"smallest": 1500}, "smallest: expected two joint groups"),
        (PREDICTIONS, {"resamples": 10}, "resamples"),
        (PREDICTIONS, {"groups": GROUPS[:, 0]}, "groups: expected shape"),
    ],
)
def test_bad_input_is_named(predictions, options, message):
    with pytest.raises(ValueError, match=message):
        measure(predictions, **options)
