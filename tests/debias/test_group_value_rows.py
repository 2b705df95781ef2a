"""Means by group over seeds: the definitions, intervals that cover, and paired differences."""

import pytest
import torch

from blindspots.debias.group_value_rows import group_value_rows
from blindspots.seeding import generator

GROUPS = torch.tensor([0, 0, 0, 1, 1, 1, 1, 0])
STRATA = torch.tensor([0, 0, 1, 0, 1, 1, 1, 1])
VALUES = torch.tensor([1.0, 3.0, 5.0, 2.0, 8.0, 9.0, 13.0, 7.0])


def rows_of(values, groups=GROUPS, strata=STRATA, resamples=200, seed=0):
    return group_value_rows(values, groups, strata=strata, resamples=resamples, generator=generator(seed))


def test_the_measures_are_what_they_are_said_to_be():
    row = rows_of({("a", 0): VALUES})["a"]
    wanted = {"all": 6.0, "group_0": 4.0, "group_1": 8.0, "gap": 4.0, "apart": 4.0}
    # Stratum 0: 2 in group 0 and 2 in group 1; stratum 1: 6 and 10.
    wanted |= {"within": 2.0, "within_apart": 2.0}
    assert {name: row.value(name) for name in wanted} == pytest.approx(wanted)


def test_signs_cancel_in_gap_and_within_only():
    row = rows_of({("a", 0): VALUES, ("a", 1): -VALUES})["a"]
    assert row.by_seed("gap") == (4.0, -4.0) and row.by_seed("apart") == (4.0, 4.0)
    assert row.value("gap") == row.value("within") == 0.0
    assert row.value("apart") == 4.0 and row.value("within_apart") == 2.0


def test_without_strata_the_two_ways_agree():
    row = rows_of({("a", 0): VALUES}, strata=None)["a"]
    assert row.value("within") == row.value("gap") == 4.0


def test_a_constant_has_no_interval_and_a_shift_is_found_exactly():
    rows = rows_of({("a", 0): VALUES, ("b", 0): VALUES + 3, ("c", 0): torch.ones(8)})
    assert rows["c"].interval("all") == (1.0, 1.0)
    # Paired: the same resamples, so the difference is the shift in each of them.
    assert rows["b"].minus(rows["a"], "all") == pytest.approx((3.0, 3.0, 3.0))
    assert rows["b"].minus(rows["a"], "gap") == pytest.approx((0.0, 0.0, 0.0))


def test_intervals_are_as_wide_as_the_standard_error_says():
    draws = generator(3)
    values, groups = torch.randn(2000, generator=draws), torch.arange(2000) % 2
    row = rows_of({("a", 0): values}, groups, None, resamples=2000)["a"]
    low, high = row.interval("gap")
    expected = 2 * 1.96 * (2 / 1000) ** 0.5
    # 2000 resamples know a 2.5 % quantile to about 4 % of the width.
    assert high - low == pytest.approx(expected, rel=0.12)


def test_seeds_widen_the_interval():
    draws = generator(4)
    values, groups = torch.randn(400, generator=draws), torch.arange(400) % 2
    alone = rows_of({("a", 0): values, ("a", 1): values}, groups, None)["a"].interval("all")
    apart = rows_of({("a", 0): values, ("a", 1): values + 1}, groups, None)["a"].interval("all")
    assert apart[1] - apart[0] > 2 * (alone[1] - alone[0])


def test_the_same_generator_gives_the_same_intervals():
    once, again, other = (rows_of({("a", 0): VALUES}, seed=s)["a"].interval("gap") for s in (0, 0, 1))
    assert once == again != other


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ({}, {}, "values: expected at least one"),
        ({("a", 0): VALUES[:3]}, {}, "one per example"),
        ({("a", 0): VALUES, ("b", 1): VALUES}, {}, "the same seeds"),
        ({("a", 0): VALUES * float("nan")}, {}, "values"),
        ({("a", 0): VALUES}, {"strata": 1 - GROUPS}, "examples of every class in both groups"),
        ({("a", 0): VALUES}, {"groups": torch.zeros(8, dtype=torch.long)}, "both groups"),
        ({("a", 0): VALUES}, {"resamples": 10}, "resamples"),
    ],
)
def test_bad_arguments_are_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        rows_of(values, **options)


def test_an_unknown_measure_and_a_row_of_another_call_are_refused():
    row, other = (rows_of({("a", 0): VALUES}, seed=s)["a"] for s in (0, 1))
    with pytest.raises(ValueError, match="measure"):
        row.value("mean")
    with pytest.raises(ValueError, match="same call"):
        row.minus(rows_of({("a", 0): VALUES}, resamples=150)["a"], "all")
    assert other.seeds == row.seeds
