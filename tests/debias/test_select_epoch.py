"""Epochs chosen by rule: each rule picks its own, on the split it is given."""

import pytest

from blindspots.debias.select_epoch import select_epoch

ODDS = [9.0, 3.0, 5.0, 1.0, 5.0]
EACC = [80.0, 70.0, 79.5, 60.0, 79.0]
HISTORY = [
    {"epoch": epoch, "validation_odds": odds, "validation_eacc": eacc, "validation_mse": odds + eacc, "test_odds": 1.0}
    | {"test_eacc": 100 - eacc}
    for epoch, (odds, eacc) in enumerate(zip(ODDS, EACC, strict=True), start=1)
]


@pytest.mark.parametrize(
    ("rule", "epoch"),
    [
        ("least_odds_near_best_eacc", 3),  # epochs 1, 3 and 5 are near; 3 and 5 are equal, the first is taken
        ("best_eacc", 1),
        ("least_odds", 4),
        ("largest_area", 3),  # 72.8, 67.9, 75.5, 59.4, 75.05 (times 100)
        ("least_error", 4),
        ("last", 5),
    ],
)
def test_each_rule_picks_its_epoch(rule, epoch):
    assert select_epoch(HISTORY, rule=rule) == epoch


def test_the_default_is_the_least_odds_near_the_best_accuracy():
    assert select_epoch(HISTORY) == select_epoch(HISTORY, rule="least_odds_near_best_eacc")


def test_the_margin_decides_which_epochs_are_near():
    assert select_epoch(HISTORY, margin=0) == 1
    assert select_epoch(HISTORY, margin=0.5) == 3
    assert select_epoch(HISTORY, margin=10) == 2
    assert select_epoch(HISTORY, margin=100) == 4


def test_the_split_decides_whose_measures_are_read():
    assert select_epoch(HISTORY, rule="best_eacc", split="test") == 4
    assert select_epoch(HISTORY, split="test") == 4


def test_a_single_epoch_is_chosen_by_every_rule():
    rules = ("least_odds_near_best_eacc", "best_eacc", "least_odds", "largest_area", "least_error", "last")
    assert {select_epoch(HISTORY[:1], rule=rule) for rule in rules} == {1}


@pytest.mark.parametrize(
    ("history", "options", "message"),
    [
        ([], {}, "history: expected at least one epoch"),
        (HISTORY, {"rule": "newest"}, "rule: expected one of least_odds_near_best_eacc"),
        (HISTORY, {"margin": -1}, "margin: expected a finite number >= 0"),
        (HISTORY, {"split": "train"}, 'history: expected "train_eacc" in each record'),
        (HISTORY, {"rule": "least_error", "split": "test"}, 'history: expected "test_mse" in each record'),
        ([HISTORY[0] | {"validation_odds": float("nan")}], {}, 'history: expected a finite "validation_odds"'),
    ],
)
def test_bad_arguments_are_refused(history, options, message):
    with pytest.raises(ValueError, match=message):
        select_epoch(history, **options)


REGRESSION = [
    {"validation_mse": mse, "validation_mse_0": mse - apart, "validation_mse_1": mse + apart}
    for mse, apart in ((0.20, 0.00), (0.104, -0.01), (0.100, 0.03), (0.11, 0.005))
]


@pytest.mark.parametrize(("margin", "epoch"), [(0, 3), (5, 2), (10.1, 4), (100, 1)])
def test_a_regressions_epoch_has_the_least_gap_near_the_least_error(margin, epoch):
    assert select_epoch(REGRESSION, rule="least_gap_near_least_error", margin=margin) == epoch


def test_a_regressions_epoch_needs_both_groups_errors():
    with pytest.raises(ValueError, match='expected "validation_mse_0" in each record'):
        select_epoch([{"validation_mse": 1.0}], rule="least_gap_near_least_error")
