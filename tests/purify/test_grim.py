"""GRIM: by enumeration, and the counts found in the tables of P1 and P0."""

from fractions import Fraction

import pytest

from blindspots.purify import grim, grim_base_rate, grim_hits

# P1: Table 2 (ACSR, four networks), Table 3 (its ACSR row), Table 4 at 64 x 64, Table 5, and the rows of the baselines.
TABLE_2 = (
    91.07, 73.07, 76.78, 83.92, 82.69, 86.53, 94.23, 78.57, 75.00, 76.78, 83.92, 87.05,
    95.19, 76.78, 86.53, 84.61, 90.38, 90.78, 90.38, 79.80, 83.65, 87.5, 88.5, 85.57,
)  # fmt: skip
TABLE_3 = (94.23, 78.57, 75.00, 76.78, 83.92, 87.50)
TABLE_4 = (87.50, 84.37, 78.12, 87.50, 84.37, 81.25)
TABLE_5 = (
    86.87, 61.82, 69.23, 53.84, 83.89, 76.34, 75.07, 82.69, 94.23, 69.23, 71.15, 5.76, 94.21, 82.75, 82.69, 80.76,
)  # fmt: skip
BASELINES_3 = (
    94.23, 58.16, 65.23, 18.03, 17.60, 9.36, 90.35, 61.45, 65.21, 43.12, 65.35, 48.45,
    85.26, 68.10, 73.29, 77.29, 74.14, 75.79, 83.60, 71.03, 75.47, 75.31, 79.59, 79.06,
)  # fmt: skip
BASELINES_4 = (
    86.65, 28.16, 30.8, 18.83, 8.11, 7.51, 75.55, 59.97, 69.3, 71.56, 72.1, 71.87, 77.41, 73.04, 74.18, 76.42, 76.46,
    76.62, 75.08, 69.68, 72.21, 73.69, 74.01, 73.04, 82.5, 66.34, 76.07, 79.03, 79.55, 78.13, 84.21, 75.14, 80.38,
    81.03, 82.21, 81.22,
)  # fmt: skip


def count(values, *sizes):
    return sum(any(flags) for flags in zip(*(grim_hits(values, n) for n in sizes), strict=True))


@pytest.mark.parametrize("value", [0, 0.01, 3.12, 3.13, 5.76, 33.33, 33.34, 66.66, 66.67, 84.37, 84.38, 99.99, 100])
def test_it_is_the_enumeration_of_all_fractions(value):
    printed, last = Fraction(str(value)), Fraction(1, 100)
    shares = {n: [Fraction(100 * k, n) for k in range(n + 1)] for n in range(1, 121)}
    rounded = {n for n in shares if any(abs(share - printed) <= last / 2 for share in shares[n])}
    truncated = {n for n in shares if any(printed <= share < printed + last for share in shares[n])}
    assert set(grim(value, max_n=120, rule="rounded")) == rounded
    assert set(grim(value, max_n=120, rule="truncated")) == truncated
    assert list(grim(value, max_n=120)) == sorted(rounded | truncated)


def test_a_tie_may_be_rounded_either_way():
    # 1 / 32 is 3.125 %.
    assert 32 in grim(3.12, rule="rounded") and 32 in grim(3.13, rule="rounded")
    assert 32 in grim(3.12, rule="truncated") and 32 not in grim(3.13, rule="truncated")


def test_a_third_is_known_from_its_last_decimal():
    assert grim(33.33, max_n=10) == (3, 6, 9) == grim(33.33, max_n=10, rule="rounded")
    assert grim(66.67, max_n=10, rule="rounded") == (3, 6, 9) and grim(66.67, max_n=10, rule="truncated") == ()
    assert grim(66.66, max_n=10, rule="truncated") == (3, 6, 9) and grim(66.66, max_n=10, rule="rounded") == ()
    assert grim(50, decimals=0, max_n=4) == (2, 4) and grim(12.5, decimals=1, max_n=20) == (8, 16)


def test_enough_images_can_print_anything():
    assert grim(12.34, max_n=10_100)[-101:] == tuple(range(10_000, 10_101))
    assert grim_base_rate(10_000) == 1.0


def test_table_4_is_made_of_thirty_seconds():
    assert count(TABLE_4, 32) == 6
    assert count(TABLE_4, 500) == 0, "although the text speaks of 500 test images"


def test_table_2_is_made_of_fifty_sixths_and_hundred_and_fourths():
    assert count(TABLE_2, 56) == 9 and count(TABLE_2, 104) == 14
    assert count(TABLE_2, 56, 104) == 21
    misses = [v for v, a, b in zip(TABLE_2, grim_hits(TABLE_2, 56), grim_hits(TABLE_2, 104), strict=True) if not a | b]
    assert misses == [87.05, 90.78, 88.5] and 224 in grim(87.05)


def test_table_3_and_table_5_lie_on_the_same_grids():
    assert count(TABLE_3, 56) == 5 and not grim_hits(TABLE_3[:1], 56)[0] and grim_hits(TABLE_3[:1], 104)[0]
    assert count(TABLE_5, 52, 104) == 9


def test_the_copied_baselines_do_not():
    both = BASELINES_3 + BASELINES_4
    assert len(both) == 60
    assert [count(both, n) for n in (32, 52, 56, 104)] == [2, 1, 0, 2]
    assert [count(BASELINES_4, n) for n in (32, 52, 56, 104)] == [2, 0, 0, 1]


def test_the_counterexample_of_the_text_is_on_no_grid():
    assert not any(grim_hits([88.25], n)[0] for n in (32, 52, 56, 104))


@pytest.mark.parametrize(("n", "percent"), [(32, 0.5), (56, 0.8), (104, 1.5)])
def test_chance_hits_are_rare(n, percent):
    assert 100 * grim_base_rate(n) == pytest.approx(percent, abs=0.08)
    if n != 32:  # some thirty-seconds are ties, which may be printed in two ways
        assert grim_base_rate(n, rule="rounded") == pytest.approx((n + 1) / 10001)


def test_p0s_two_success_rates_leave_four_sizes():
    def common(rule):
        sizes = (set(grim(value, rule=rule)) for value in (95.75, 99.78))
        return sorted(n for n in set.intersection(*sizes) if n >= 700)

    assert common("rounded") == [894, 895, 917, 918]
    assert sorted(set(common("either")) - set(common("rounded"))) == [896, 919, 941, 942, 943]


def test_the_chance_rate_is_the_share_of_hits():
    printable = [units / 10 for units in range(1001)]
    for rule in ("either", "rounded", "truncated"):
        hits = grim_hits(printable, 7, decimals=1, rule=rule)
        assert grim_base_rate(7, decimals=1, rule=rule) == sum(hits) / 1001


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grim(101), "value: expected a finite number >= 0 and <= 100"),
        (lambda: grim(12.345), "value: expected at most 2 decimals, got 12.345"),
        (lambda: grim(1.0, max_n=0), "max_n: expected a finite number >= 1"),
        (lambda: grim(1.0, decimals=-1), "decimals: expected a finite number >= 0"),
        (lambda: grim(1.0, rule="up"), "rule: expected one of either, rounded, truncated"),
        (lambda: grim_hits([120], 3), "values: expected a finite number"),
        (lambda: grim_hits([12], 0), "n: expected a finite number >= 1"),
        (lambda: grim_base_rate(0), "n: expected a finite number >= 1"),
        (lambda: grim_base_rate(3, decimals=7), "decimals: expected a finite number <= 6"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
