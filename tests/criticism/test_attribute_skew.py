"""Shares and exact tests of small tables."""

import pytest
import torch

from blindspots.criticism import Exemplars, attribute_skew

# 20 examples, the first ten with the attribute.
ATTRIBUTE = (torch.arange(20) < 10).long()


def exemplars(prototypes, criticisms=()):
    first, second = torch.tensor(prototypes), torch.tensor(criticisms, dtype=torch.long)
    return Exemplars(first, second, len(first), len(second))


def test_shares_and_the_gap():
    skew = attribute_skew(ATTRIBUTE, exemplars([0, 1, 2, 15], [3, 16, 17, 18]))
    assert (skew.class_share, skew.prototype_share, skew.criticism_share, skew.gap) == (0.5, 0.75, 0.25, 0.5)
    assert (skew.n_prototypes, skew.n_criticisms) == (4, 4)
    # Fisher: 2 of the 70 tables with these margins have four of four, 32 have three of four: 34 / 70.
    assert skew.p_value == pytest.approx(34 / 70)


def test_a_perfect_split_of_five_and_five_is_significant_and_has_a_direction():
    typical = attribute_skew(ATTRIBUTE, exemplars([0, 1, 2, 3, 4], [10, 11, 12, 13, 14]))
    assert typical.p_value == pytest.approx(2 / 252) and typical.gap == 1.0
    assert (
        typical.recovers(1)
        and typical.recovers(0)
        and not typical.recovers(-1)
        and not typical.recovers(1, alpha=0.005)
    )
    untypical = attribute_skew(ATTRIBUTE, exemplars([10, 11, 12, 13, 14], [0, 1, 2, 3, 4]))
    assert untypical.gap == -1.0 and untypical.recovers(-1) and not untypical.recovers(1)


def test_without_criticisms_the_prototypes_are_a_draw_from_the_class():
    skew = attribute_skew(ATTRIBUTE, exemplars([0, 1, 2, 3, 4]))
    assert skew.criticism_share is None and skew.gap == 0.5 and skew.n_criticisms == 0
    # All five of ten: C(10, 5) / C(20, 5) = 252 / 15504 on each side.
    assert skew.p_value == pytest.approx(2 * 252 / 15504)


def test_no_gap_is_no_bias():
    skew = attribute_skew(ATTRIBUTE.bool(), exemplars([0, 1, 10, 11], [2, 3, 12, 13]))
    assert skew.gap == 0 and skew.p_value == 1.0 and not any(skew.recovers(d) for d in (-1, 0, 1))


def test_random_exemplars_raise_a_false_alarm_as_seldom_as_the_level_says():
    generator, alarms = torch.Generator().manual_seed(0), 0
    for _ in range(400):
        order = torch.randperm(20, generator=generator).tolist()
        alarms += attribute_skew(ATTRIBUTE, exemplars(order[:6], order[6:12])).recovers(0)
    # Fisher's test keeps below 5 %: 20 of 400.
    assert alarms <= 20


@pytest.mark.parametrize(
    ("attribute", "chosen", "error", "message"),
    [
        (ATTRIBUTE * 2, exemplars([0]), ValueError, "attribute: expected 0 or 1 for each example, got other values"),
        (ATTRIBUTE, exemplars([20]), ValueError, "exemplars.prototypes: expected indices from 0 to 19"),
        (ATTRIBUTE, exemplars([0], [-1]), ValueError, "exemplars.criticisms: expected indices from 0 to 19"),
    ],
)
def test_bad_arguments_are_named(attribute, chosen, error, message):
    with pytest.raises(error, match=message):
        attribute_skew(attribute, chosen)


def test_bad_directions_and_levels_are_named():
    skew = attribute_skew(ATTRIBUTE, exemplars([0]))
    with pytest.raises(ValueError, match="direction: expected -1, 0 or 1, got 2"):
        skew.recovers(2)
    with pytest.raises(ValueError, match="alpha: expected a finite number > 0"):
        skew.recovers(1, alpha=0.0)
