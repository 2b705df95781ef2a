"""The scan over sizes: the same answers as `grim`, exact tails, and P1's Table 4."""

from math import comb

import pytest
import torch

from blindspots.purify import grim, grim_base_rate, grim_hits, grim_scan, grim_table
from blindspots.purify.grim_scan import distinct_hits, tail_chances


@pytest.mark.parametrize("rule", ["either", "rounded", "truncated"])
@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_the_table_is_grim_for_every_size_and_value(rule, decimals):
    table = grim_table(40, decimals=decimals, rule=rule)
    step = 10**decimals
    assert table.shape == (40, 100 * step + 1)
    for units in range(0, 100 * step + 1, 1 if decimals < 2 else 7):
        sizes = grim(units / step, decimals=decimals, max_n=40, rule=rule)
        assert tuple((table[:, units].nonzero()[:, 0] + 1).tolist()) == sizes


def test_the_share_of_a_row_is_the_base_rate():
    for rule in ("either", "rounded", "truncated"):
        shares = grim_table(60, rule=rule).double().mean(1)
        assert shares[55].item() == grim_base_rate(56, rule=rule)


def test_hits_are_those_of_the_distinct_values():
    values = [87.50, 84.37, 78.12, 87.50, 84.37, 81.25]
    scan = grim_scan(values, max_n=130)
    assert scan.n_values == 4 and scan.best == 32
    for n in (32, 56, 64, 104):
        assert scan.hits[n - 1] == sum(grim_hits(set(values), n))
    assert [n for n, hits in zip(scan.sizes.tolist(), scan.hits.tolist(), strict=True) if hits == 4] == [
        32,
        64,
        96,
        128,
    ]
    assert scan.tails[31].item() == pytest.approx(grim_base_rate(32) ** 4)


def test_tails_are_the_sums_of_binomial_chances():
    rates = torch.tensor([0.1, 0.4], dtype=torch.float64)
    tails = tail_chances(torch.tensor([[0, 2], [1, 3]]), torch.tensor([3, 5]), rates)
    for row, (tries, hits) in enumerate([(3, (0, 2)), (5, (1, 3))]):
        for column, least in enumerate(hits):
            rate = rates[column].item()
            exact = sum(comb(tries, k) * rate**k * (1 - rate) ** (tries - k) for k in range(least, tries + 1))
            assert tails[row, column].item() == pytest.approx(exact, rel=1e-12)


def test_lists_in_a_batch_are_lists_alone_and_order_does_not_matter():
    table = grim_table(50)
    units = torch.tensor([[5000, 5000, 1250], [3333, 6667, 9999]])
    hits, counts = distinct_hits(units, table)
    assert counts.tolist() == [2, 3]
    for row in range(2):
        alone, count = distinct_hits(units[row : row + 1].flip(1), table)
        assert torch.equal(alone[0], hits[row]) and count.item() == counts[row]


def test_each_option_changes_the_answer():
    values = [76.78, 83.92]
    assert grim_scan(values).hits[55] == 2 and grim_scan(values, rule="rounded").hits[55] < 2
    assert grim_scan([33.3], decimals=1).hits[2] == 1 and grim_scan([33.3]).hits[2] == 0
    assert len(grim_scan(values, max_n=7).sizes) == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grim_scan([]), "values: expected at least one percentage, got none"),
        (lambda: grim_scan([101]), "values: expected a finite number"),
        (lambda: grim_scan([12.345]), "values: expected at most 2 decimals"),
        (lambda: grim_scan([12], max_n=0), "max_n: expected a finite number >= 1"),
        (lambda: grim_table(10, decimals=4), "decimals: expected a finite number <= 3"),
        (lambda: grim_table(10, rule="up"), "rule: expected one of either, rounded, truncated"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
