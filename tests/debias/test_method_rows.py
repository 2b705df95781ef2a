"""Rows over seeds: means, intervals over examples and seeds, paired differences."""

from dataclasses import replace

import pytest
import torch

from blindspots.debias.group_metrics import equalized_accuracy, equalized_odds, group_intervals
from blindspots.debias.method_rows import method_rows
from blindspots.debias.method_runs import MethodRun
from blindspots.seeding import generator

LABELS = torch.arange(400) % 2
GROUPS = torch.arange(400) // 2 % 2


def predictions(seed, gap=0.3):
    """Right with probability 0.9 in group 0 and 0.9 - gap in group 1."""
    chance = 0.9 - gap * GROUPS
    right = torch.rand(400, generator=generator(seed)) < chance
    return torch.where(right, LABELS, 1 - LABELS)


def run(method, seed, shown, seconds=1.0):
    return MethodRun(
        method=method, seed=seed, options={}, spec={}, state={}, history=({"test_odds": 0.0},),
        predictions={"test": shown[None].to(torch.uint8)}, epoch=1, from_test={}, from_test_predictions=1 - shown,
        seconds=seconds, search_seconds=2 * seconds,
    )  # fmt: skip


def runs(n_seeds=3):
    found = {("biased", s): run("biased", s, predictions(s), 1.0 + s) for s in range(n_seeds)}
    return found | {("fair", s): run("fair", s, predictions(s, gap=0.0)) for s in range(n_seeds)}


def rows_of(given, **options):
    return method_rows(given, LABELS, GROUPS, generator=generator(0), **options)


def test_means_are_those_of_the_metrics_over_seeds():
    rows = rows_of(runs())
    for name, gap in (("biased", 0.3), ("fair", 0.0)):
        odds = [equalized_odds(predictions(s, gap), LABELS, GROUPS) for s in range(3)]
        eacc = [equalized_accuracy(predictions(s, gap), LABELS, GROUPS) for s in range(3)]
        right = [100 * (predictions(s, gap) == LABELS).double().mean().item() for s in range(3)]
        assert rows[name].odds == pytest.approx(sum(odds) / 3)
        assert rows[name].eacc == pytest.approx(sum(eacc) / 3)
        assert rows[name].accuracy == pytest.approx(sum(right) / 3)
    assert rows["biased"].seconds == 2.0
    assert rows["biased"].search_seconds == 4.0


def test_with_one_seed_the_interval_is_that_of_the_examples_alone():
    row = rows_of(runs(1), resamples=4000)["biased"]
    alone = group_intervals(predictions(0), LABELS, GROUPS, resamples=4000, generator=generator(1))
    # Ends of 95 % intervals from 4,000 resamples of a spread of about 4 points err by about 0.15 points.
    assert row.odds_interval == pytest.approx(alone.odds, abs=0.6)
    assert row.eacc_interval == pytest.approx(alone.eacc, abs=0.6)
    assert row.by_seed[0].eacc == pytest.approx(alone.eacc, abs=0.6)


def test_a_fair_method_cannot_be_told_from_fair_and_a_biased_one_can():
    rows = rows_of(runs())
    assert rows["fair"].odds < rows["fair"].odds_if_fair[1]
    assert rows["biased"].odds > rows["biased"].odds_if_fair[1]


def test_differences_are_paired_and_of_opposite_signs():
    rows = rows_of(runs())
    value, low, high = rows["biased"].minus(rows["fair"], "odds")
    assert value == pytest.approx(rows["biased"].odds - rows["fair"].odds)
    assert 0 < low < value < high
    assert rows["fair"].minus(rows["biased"], "odds") == pytest.approx((-value, -high, -low))
    assert rows["fair"].minus(rows["fair"], "eacc") == (0.0, 0.0, 0.0)


def test_selection_on_test_reads_the_other_predictions():
    rows = rows_of(runs(), selected_on="test")
    assert rows["biased"].eacc == pytest.approx(100 - rows_of(runs())["biased"].eacc)


def test_unlike_seeds_and_lengths_are_refused():
    given = runs()
    with pytest.raises(ValueError, match="runs: expected the same seeds"):
        rows_of({key: value for key, value in given.items() if key != ("fair", 1)})
    with pytest.raises(ValueError, match="runs: expected at least one"):
        rows_of({})
    short = {"test": torch.zeros(1, 7, dtype=torch.uint8)}
    with pytest.raises(ValueError, match="runs: expected 400 test predictions"):
        rows_of({("fair", 0): replace(given["fair", 0], predictions=short)})
    with pytest.raises(ValueError, match="other: expected a row of the same call"):
        rows_of(given)["fair"].minus(rows_of(given, resamples=200)["fair"], "odds")
