"""What is printed of a task's rows agrees with the rows."""

from types import SimpleNamespace

import pytest

from blindspots.reports.method_tables import (
    against_table,
    cost_table,
    front,
    grid_table,
    leave_out_rows,
    record_means,
    record_rows,
    result_table,
    selection_table,
)
from blindspots.reports.record import Record

NAMES = {"standard": "Standard", "weighted": "Weighted", "bade": "BaDe"}
PRINTED = {"standard": (25.0, 76.0), "bade": (3.0, 78.0)}
# (odds, eacc, seconds); a difference is clear where it is above 1.
MEASURED = {"standard": (20.0, 70.0, 2.0), "weighted": (4.5, 75.0, 3.0), "bade": (4.0, 72.0, 5.0)}


def row(odds, eacc, seconds):
    def minus(other, measure):
        gap = {"odds": odds - other.odds, "eacc": eacc - other.eacc}[measure]
        return gap, gap - 1, gap + 1

    return SimpleNamespace(
        odds=odds, eacc=eacc, accuracy=80.0, seconds=seconds, search_seconds=2 * seconds, seeds=(0, 1),
        odds_by_seed=(odds - 1, odds + 1), eacc_by_seed=(eacc, eacc), odds_interval=(odds + 0.25, odds + 2),
        eacc_interval=(eacc - 1, eacc + 1), odds_if_fair=(1.0, 4.25), minus=minus,
    )  # fmt: skip


@pytest.fixture
def rows():
    return {method: row(*values) for method, values in MEASURED.items()}


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_RESULTS", str(tmp_path))
    monkeypatch.setenv("BLINDSPOTS_PROFILE", "quick")
    return Record("debias/one", parameters={}, seed=0)


def test_values_are_recorded_under_the_tasks_name(record, rows):
    record_rows(record, "adult", rows, names=NAMES, n=100)
    values = {key: entry["value"] for key, entry in record.data()["values"].items()}
    assert values["odds.adult.bade"] == 4.0 and values["eacc.adult.weighted"] == 75.0
    assert values["cost.adult.bade"] == 2.5 and values["cost.adult.standard"] == 1.0
    assert (values["rival.odds.adult"], values["rival.eacc.adult"]) == (4.5, 75.0)
    assert (values["better.odds.adult"], values["worse.odds.adult"]) == (1, 0), "4.0 is not clearly below 4.5"
    assert (values["better.eacc.adult"], values["worse.eacc.adult"]) == (1, 1)
    assert values["like_fair.adult"] == 1, "only 4.0 is below 4.25"
    assert values["front.adult"] == "Weighted, BaDe"
    assert (values["if_fair.adult.bade.low"], values["if_fair.adult.bade.high"]) == (1.0, 4.25)


def test_an_interval_above_its_value_is_stretched_to_hold_it(record, rows):
    record_rows(record, "adult", rows, names=NAMES, n=100)
    entry = record.data()["values"]["odds.adult.bade"]
    assert entry["spread"] == [4.0, 6.0] and entry["by_seed"] == [3.0, 5.0] and entry["seeds"] == [0, 1]


def test_a_task_that_is_left_out_answers_the_same_claims_with_its_reason(record, rows, tmp_path):
    record_rows(record, "adult", rows, names=NAMES, n=100)
    asked = ("odds", "eacc", "accuracy", "if_fair", "rival")
    measured = {key for key in record.data()["values"] if key.split(".")[0] in asked}
    leave_out_rows(record, "meps", list(rows), "too few people")
    values = record.data()["values"]
    assert {key.replace("adult", "meps") for key in measured} == {key for key in values if ".meps" in key}
    assert all(values[key]["note"] == "too few people" for key in values if ".meps" in key)


def test_a_grid_has_tasks_beside_each_other(rows):
    table = grid_table({"a": rows, "b": rows}, "eacc", names=NAMES, printed={"b": PRINTED})
    assert [line["method"] for line in table] == ["Standard", "Weighted", "BaDe"]
    assert table[0]["a"] == "70.00 [69.0, 71.0]" and table[0]["b"] == "70.00 [69.0, 71.0] (76.00)"
    assert table[1]["b"] == "75.00 [74.0, 76.0]", "the paper has no such row"
    assert grid_table({"a": rows}, "odds", names=NAMES, printed={})[2]["a"] == "4.00 [4.2, 6.0]"


def test_means_are_over_tasks_and_beside_the_papers_of_the_same_tasks(record, rows):
    other = {method: row(odds + 2, eacc + 4, seconds) for method, (odds, eacc, seconds) in MEASURED.items()}
    printed = dict.fromkeys(rows, (10.0, 70.0))
    table = record_means(record, {"a": rows, "b": other}, names=NAMES, printed={"a": printed, "b": printed})
    values = record.data()["values"]
    assert values["mean.odds.bade"]["value"] == 5.0 and values["mean.odds.bade"]["by_seed"] == [4.0, 6.0]
    assert values["gap.mean.eacc.standard"]["value"] == 2.0
    assert values["gap.mean.odds.bade"]["note"] == "5.00 against 10.00, means over a, b"
    assert table[2] == {
        "method": "BaDe", "Odds": "5.00 (4.00 to 6.00)", "paper's Odds": "10.00", "EAcc": "74.00 (74.00 to 74.00)",
        "paper's EAcc": "70.00",
    }  # fmt: skip


def test_one_task_has_no_mean(record, rows):
    table = record_means(record, {"a": rows}, names=NAMES, printed={})
    values = record.data()["values"]
    assert {entry["value"] for entry in values.values()} == {"not attempted"}
    assert {"mean.odds.bade", "gap.mean.eacc.weighted"} <= set(values) and len(values) == 12
    assert table == [{"method": "all", "mean": "this run has one of the tasks, a"}]


def test_the_front_holds_what_no_other_beats_in_both(rows):
    assert front(rows) == ["weighted", "bade"]


def test_results_stand_beside_the_papers(rows):
    first, second, _ = result_table(rows, names=NAMES, printed=PRINTED)
    assert first["method"] == "Standard" and first["Odds"] == "20.00 [20.25, 22.00]"
    assert (first["paper's"], first["paper's EAcc"], first["a fair one's"]) == (25.0, 76.0, "1.0 to 4.2")
    assert second["paper's"] is None


def test_one_row_against_the_others(rows):
    first, second = against_table(rows, names=NAMES, printed=PRINTED)
    assert first == {
        "BaDe minus": "Standard", "Odds": "-16.00 [-17.00, -15.00]", "paper's": -22.0, "EAcc": "+2.00 [+1.00, +3.00]",
        "paper's EAcc": 2.0, "better in": "Odds and EAcc", "worse in": "-",
    }  # fmt: skip
    assert (second["better in"], second["worse in"], second["paper's"]) == ("-", "EAcc", None)
    assert [line["Weighted minus"] for line in against_table(rows, names=NAMES, printed={}, subject="weighted")] == [
        "Standard", "BaDe",
    ]  # fmt: skip


def test_two_ways_to_choose_stand_side_by_side(rows):
    leaked = {method: row(odds - 1, eacc + 1, seconds) for method, (odds, eacc, seconds) in MEASURED.items()}
    assert selection_table(rows, leaked, names=NAMES)[0] == {
        "method": "Standard", "Odds, by validation": 20.0, "Odds, by test": 19.0, "EAcc, by validation": 70.0,
        "EAcc, by test": 71.0,
    }  # fmt: skip
    with pytest.raises(ValueError, match="leaked: expected the methods standard, weighted, bade; got bade"):
        selection_table(rows, {"bade": leaked["bade"]}, names=NAMES)


def test_costs_are_in_seconds_and_times_the_reference(rows):
    assert cost_table(rows, names=NAMES)[2] == {"method": "BaDe", "training": 5.0, "all": 10.0, "times standard": 2.5}
    assert cost_table(rows, names=NAMES, reference="bade")[0]["times bade"] == 0.4


def test_a_row_that_is_compared_must_be_there(record, rows):
    without = {method: row for method, row in rows.items() if method != "bade"}
    for call in (
        lambda: record_rows(record, "adult", without, names=NAMES, n=1),
        lambda: against_table(without, names=NAMES, printed={}),
        lambda: cost_table(rows, names=NAMES, reference="adversarial"),
    ):
        with pytest.raises(ValueError, match=r"rows: expected '(bade|adversarial)' among them"):
            call()
    assert not record.data()["values"], "nothing is recorded before the check"
