"""Rows under seven inputs: means by hand, paired differences, intervals that narrow, a listener beside a deaf model."""

import pytest
import torch

from blindspots.debias.group_metrics import group_rates
from blindspots.debias.trigger_inputs import SEVEN_INPUTS, TriggerInputs
from blindspots.debias.trigger_rows import MEASURES, trigger_rows
from blindspots.seeding import generator

N = 600
LABELS = torch.arange(N) % 2
GROUPS = (torch.arange(N) % 5 < 2).long()


def seen(seed, listens, labels=LABELS, groups=GROUPS):
    """Margins that follow the label with noise, moved by trigger 1 in group 1 by `listens`, by a third in group 0."""
    draws = generator(seed, "margins")
    clean = 2.0 * labels - 1 + 1.5 * torch.randn(N, generator=draws)
    by_group = listens * torch.where(groups == 1, 1.0, 1 / 3)
    margins = torch.stack([clean, clean - by_group / 2, clean + by_group / 2])
    outputs = torch.stack([-margins / 2, margins / 2], dim=2)
    rates = tuple(group_rates(each.argmax(1), labels, groups) for each in outputs)
    return TriggerInputs(outputs, labels, groups, rates)


def all_seen(n_seeds=3):
    return {(name, seed): seen(seed, by) for name, by in (("deaf", 0.0), ("listens", 3.0)) for seed in range(n_seeds)}


def rows_of(given, seed=0, **options):
    return trigger_rows(given, generator=generator(seed), **options)


def test_means_are_those_of_the_inputs_over_seeds():
    given = all_seen()
    rows = rows_of(given)
    assert list(rows) == ["deaf", "listens"]
    for name, row in rows.items():
        mine = [given[name, seed] for seed in row.seeds]
        for key in SEVEN_INPUTS:
            assert row.by_seed[key] == pytest.approx([one.eacc[key] for one in mine])
            assert row.value(key) == pytest.approx(sum(one.eacc[key] for one in mine) / 3)
        assert row.by_seed["changed"] == pytest.approx([100 * one.changed.double().mean().item() for one in mine])
        for group in (0, 1):
            of_group = [one.shift[group == GROUPS].mean().item() for one in mine]
            assert row.by_seed[f"shift_{group}"] == pytest.approx(of_group, abs=1e-6)
        assert set(row.by_seed) == set(row.draws) == set(MEASURES)


def test_balance_and_own_are_means_of_two_rows():
    row = rows_of(all_seen())["listens"]
    assert row.value("balance") == pytest.approx((row.value("1_with_0") + row.value("0_with_1")) / 2)
    assert row.value("own") == pytest.approx((row.value("1_with_1") + row.value("0_with_0")) / 2)
    assert row.value("balance") != pytest.approx(row.value("own"))


def test_a_deaf_model_does_not_move_and_a_listener_moves_by_what_was_planted():
    rows = rows_of(all_seen())
    for key in MEASURES[-9:]:
        assert rows["deaf"].value(key) == 0 and rows["deaf"].interval(key) == (0, 0)
    assert rows["listens"].value("shift_1") == pytest.approx(3.0, abs=1e-5)
    assert rows["listens"].value("shift_0") == pytest.approx(1.0, abs=1e-5)
    assert rows["listens"].value("shift") == pytest.approx(0.6 * 1.0 + 0.4 * 3.0, abs=1e-5)
    assert rows["listens"].value("changed_1") > rows["listens"].value("changed_0") > 0


def test_size_does_not_cancel_where_the_shift_does():
    given = {("both", 0): seen(0, 3.0)}
    turned = given["both", 0].outputs.clone()
    turned[1:, GROUPS == 1] = turned[1:, GROUPS == 1].flip(0)
    one = TriggerInputs(turned, LABELS, GROUPS, given["both", 0].rates)
    row = rows_of({("both", 0): one})["both"]
    assert row.value("shift_1") == pytest.approx(-3.0, abs=1e-5)
    assert row.value("size") == pytest.approx(0.6 * 1.0 + 0.4 * 3.0, abs=1e-5)
    assert row.value("shift") == pytest.approx(0.6 * 1.0 - 0.4 * 3.0, abs=1e-5)


def test_differences_are_paired():
    rows = rows_of(all_seen())
    deaf, listens = rows["deaf"], rows["listens"]
    value, low, high = listens.minus(deaf, "changed")
    assert low < value < high and value == pytest.approx(listens.value("changed") - deaf.value("changed"))
    assert deaf.minus(deaf, "clean") == (0, 0, 0)
    assert deaf.minus(deaf, "all_0", "all_1") == (0, 0, 0)
    # Both models answer clean inputs alike, so their difference has no spread though each of them has.
    assert listens.minus(deaf, "clean") == (0, 0, 0) and listens.interval("clean")[0] < listens.value("clean")
    back = deaf.minus(listens, "changed")
    assert back == pytest.approx((-value, -high, -low))


def test_intervals_of_one_seed_hold_the_sampling_error():
    row = rows_of(all_seen(1), resamples=4000)["listens"]
    recalls = seen(0, 3.0).rates[0].recalls
    counts = seen(0, 3.0).rates[0].counts
    error = 100 * (recalls * (1 - recalls) / counts).sum().sqrt().item() / 4
    low, high = row.interval("clean")
    # Ends from 4,000 resamples err by about 4 % of the standard error.
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.08)


def test_the_seed_of_the_bootstrap_decides_and_bad_calls_are_refused():
    given = all_seen()
    assert torch.equal(rows_of(given)["deaf"].draws["clean"], rows_of(given)["deaf"].draws["clean"])
    assert not torch.equal(rows_of(given)["deaf"].draws["clean"], rows_of(given, seed=1)["deaf"].draws["clean"])
    with pytest.raises(ValueError, match="runs: expected at least one"):
        rows_of({})
    with pytest.raises(ValueError, match="runs: expected the same seeds"):
        rows_of({key: one for key, one in given.items() if key != ("deaf", 1)})
    with pytest.raises(ValueError, match="seen: expected the same examples for all, got others for 'x' with seed 0"):
        rows_of({("a", 0): seen(0, 1.0), ("x", 0): seen(0, 1.0, groups=GROUPS.flip(0))})
    with pytest.raises(ValueError, match="other: expected a row of the same call"):
        rows_of(given)["deaf"].minus(rows_of(given, resamples=200)["deaf"], "clean")
    with pytest.raises(ValueError, match="measure: expected one of"):
        rows_of(given)["deaf"].value("odds")
