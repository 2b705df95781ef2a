import json
import re
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from blindspots.reports import style
from blindspots.reports.record import Record, read_record, results_folder

ALT = "One straight line that rises from 0 at the left to 1 at the right."
CARD = SimpleNamespace(name="digits", split="test", sha256="ab" * 32, origin="embedded", licence="CC BY-SA 3.0")


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_RESULTS", str(tmp_path))
    monkeypatch.setenv("BLINDSPOTS_PROFILE", "quick")
    return Record("attacks/one", parameters={"epsilon": 10.0, "sizes": (1, 2)}, seed=7)


def line():
    with style.theme():
        figure = style.new_figure(height=2.0)
        figure.subplots().plot([0, 1], [0, 1])
    return figure


def test_a_written_record_reads_back_with_all_that_was_put_in(record, tmp_path):
    record.value("success", 0.5, n=100, unit="", note="planted data")
    record.figure(line(), "rise", caption="A line.", alt=ALT, n=2)
    record.table("all", [{"attack": "SSIM", "success": 0.5}], caption="All.")
    path = record.write()
    assert path == tmp_path / "quick" / "attacks" / "one.json"
    read = read_record(path)
    assert read["values"]["success"] == {
        "value": 0.5, "unit": "", "n": 100, "seeds": [7], "spread": None, "spread_kind": None, "by_seed": None,
        "note": "planted data", "format": ".3f",
    }  # fmt: skip
    assert read["figures"]["rise"]["file"] == "one/rise.svg" and read["figures"]["rise"]["seed"] == 7
    assert read["tables"]["all"]["rows"] == [["SSIM", 0.5]]
    for variant in ("file", "dark"):
        assert (path.parent / read["figures"]["rise"][variant]).read_bytes().startswith(b"<?xml")


def test_the_provenance_says_where_the_numbers_come_from(record):
    record.add_data(CARD, n=50)
    time.sleep(0.01)
    found = record.data()["provenance"]
    assert found["parameters"] == {"epsilon": 10.0, "sizes": [1, 2]} and found["seed"] == 7
    assert torch.__version__.startswith(found["versions"]["torch"].split("+")[0])
    assert found["device"] == "cpu" and found["threads"] == torch.get_num_threads()
    assert found["duration_s"] >= 0.01
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["started"])
    assert found["git"] is None or re.fullmatch(r"[0-9a-f]{40}", found["git"]["commit"])
    (data,) = found["data"]
    assert {name: data[name] for name in ("name", "split", "n", "origin")} == {
        "name": "digits", "split": "test", "n": 50, "origin": "embedded",
    }  # fmt: skip


def test_a_data_set_is_noted_once_and_counts_itself(record):
    class Loaded:
        card = CARD

        def __len__(self):
            return 12

    record.add_data(Loaded())
    record.add_data(Loaded())
    record.add_data(Loaded(), n=5)
    assert [entry["n"] for entry in record.data()["provenance"]["data"]] == [12, 5]


def test_data_without_card_count_or_fingerprint_is_refused(record):
    with pytest.raises(TypeError, match="data: expected a loaded set or its card, got ndarray"):
        record.add_data(np.zeros(3))
    with pytest.raises(ValueError, match="n: expected how many rows were used"):
        record.add_data(CARD)
    with pytest.raises(ValueError, match="expected a card with a fingerprint, got none for 'digits'"):
        record.add_data(SimpleNamespace(**{**vars(CARD), "sha256": ""}), n=5)


def test_a_value_is_returned_as_a_plain_number(record):
    assert record.value("a", torch.tensor(0.25), n=4) == 0.25
    assert record.value("b", np.int64(3), n=4) == 3
    assert record.value("c", True, n=None) is True
    assert record.value("d", "horse", n=1) == "horse"
    assert [record.data()["values"][key]["format"] for key in "abcd"] == [".3f", "d", "", ""]


def test_each_option_of_a_value_is_kept(record):
    record.value(
        "a", 0.5, n=9, unit="%", seeds=(1, 2), spread=(0.4, 0.6), spread_kind="range", by_seed=(0.4, 0.6), note="x",
        format=".1f",
    )  # fmt: skip
    assert record.data()["values"]["a"] == {
        "value": 0.5, "unit": "%", "n": 9, "seeds": [1, 2], "spread": [0.4, 0.6], "spread_kind": "range",
        "by_seed": [0.4, 0.6], "note": "x", "format": ".1f",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "options", "message"),
    [
        ("Success", 0.5, {}, "value: expected a key of lower-case letters"),
        ("../a", 0.5, {}, "value: expected a key of lower-case letters"),
        ("a", float("nan"), {}, "value 'a': expected a finite number, got nan"),
        ("a", torch.ones(2), {}, r"value 'a': expected one number, got an array of shape \(2,\)"),
        ("a", 0.5, {"n": 0}, "value 'a': n: expected a finite number >= 1, got 0"),
        ("a", 0.5, {"spread": (0.6, 0.7)}, "spread: expected low <= 0.5 <= high"),
        ("a", "text", {"spread": (0.6, 0.7)}, "spread: expected low <= text <= high"),
        ("a", 0.5, {"seeds": (0, 1), "by_seed": (0.5,)}, "by_seed: expected 2 numbers, one per seed"),
        ("a", 0.5, {"spread_kind": "range"}, "spread_kind: expected one of range, t95 beside a spread"),
        ("a", 0.5, {"format": "d"}, "value 'a': format: expected a number's format"),
    ],
)
def test_a_value_that_cannot_be_quoted_is_refused(record, key, value, options, message):
    with pytest.raises(ValueError, match=message):
        record.value(key, value, **{"n": 5, **options})
    assert not record.data()["values"]


def test_a_key_may_be_used_once(record):
    record.value("a", 1, n=1)
    with pytest.raises(ValueError, match="value 'a': this key is in use"):
        record.value("a", 2, n=1)
    assert record.data()["values"]["a"]["value"] == 1


def test_what_a_run_leaves_out_has_its_reason(record, tmp_path):
    record.not_attempted("rare", "seven  faces only")
    entry = record.data()["values"]["rare"]
    assert (entry["value"], entry["note"], entry["n"]) == ("not attempted", "seven faces only", None)
    with pytest.raises(ValueError, match="reason: expected why it is not attempted, got ' '"):
        record.not_attempted("other", " ")
    with pytest.raises(ValueError, match="rare"):
        record.not_attempted("rare", "again")


def test_seeds_give_a_mean_and_their_range(record):
    assert record.by_seed("a", {0: 0.4, 1: 0.5, 2: 0.9}, n=10) == pytest.approx(0.6)
    entry = record.data()["values"]["a"]
    assert entry["spread"] == [0.4, 0.9] and entry["spread_kind"] == "range"
    assert entry["seeds"] == [0, 1, 2] and entry["by_seed"] == [0.4, 0.5, 0.9]


def test_the_t_interval_agrees_with_scipy(record):
    numbers = [0.4, 0.5, 0.9, 0.7]
    record.by_seed("a", dict(enumerate(numbers)), n=10, spread="t95")
    expected = stats.t.interval(0.95, 3, loc=np.mean(numbers), scale=stats.sem(numbers))
    # Two ways to sum four numbers differ by rounding only.
    assert record.data()["values"]["a"]["spread"] == pytest.approx(list(expected), rel=1e-12)


def test_equal_seeds_have_a_spread_of_zero(record):
    record.by_seed("a", {0: 0.1, 1: 0.1, 2: 0.1}, n=10)
    record.by_seed("b", {0: 0.1, 1: 0.1, 2: 0.1}, n=10, spread="t95")
    assert record.data()["values"]["a"]["spread"] == [0.1, 0.1]


def test_one_seed_has_no_spread(record):
    assert record.by_seed("one", {0: 0.4}, n=10) == 0.4
    entry = record.data()["values"]["one"]
    assert (entry["spread"], entry["spread_kind"], entry["by_seed"]) == (None, None, [0.4])
    with pytest.raises(ValueError, match="expected a number for each seed"):
        record.by_seed("a", {}, n=10)
    with pytest.raises(ValueError, match="spread: expected one of range, t95; got 'sd'"):
        record.by_seed("a", {0: 0.4, 1: 0.5}, n=10, spread="sd")


def test_a_figure_needs_texts_a_free_key_and_a_figure(record):
    with pytest.raises(ValueError, match="alt: expected at least 40 characters"):
        record.figure(line(), "a", caption="A line.", alt="A line.")
    with pytest.raises(TypeError, match=r"expected a matplotlib Figure, got str; pass axes.figure"):
        record.figure("line", "a", caption="A line.", alt=ALT)
    with pytest.raises(ValueError, match="does not end in -dark"):
        record.figure(line(), "a-dark", caption="A line.", alt=ALT)
    record.figure(line(), "a", caption="A line.", alt=ALT, seed=3)
    with pytest.raises(ValueError, match="figure 'a': this key is in use"):
        record.figure(line(), "a", caption="A line.", alt=ALT)
    assert record.data()["figures"]["a"]["seed"] == 3


def test_a_figure_that_is_too_large_says_what_to_do(record, monkeypatch):
    monkeypatch.setattr("blindspots.reports.record.LARGEST_FILE", 1000)
    with pytest.raises(ValueError, match=r"expected at most 1,000 bytes, got .*; show fewer images"):
        record.figure(line(), "a", caption="A line.", alt=ALT)


def test_a_recorded_pyplot_figure_is_closed_so_that_it_is_not_shown_twice(record):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure = pyplot.figure()
    record.figure(figure, "a", caption="Nothing.", alt=ALT)
    assert not pyplot.fignum_exists(figure.number)


def test_a_table_takes_a_data_frame_or_rows(record):
    rows = [{"attack": "SSIM", "n": 3, "success": 0.51234}, {"attack": "L2", "n": 4, "success": None}]
    first = record.table("a", pd.DataFrame({"attack": ["SSIM"], "n": [3], "success": [0.5]}), caption="A.")
    second = record.table("b", rows, caption="B.", units={"success": "%"}, formats={"success": ".1f"})
    assert first.rows == (("SSIM", 3, 0.5),)
    assert second.units == ("", "", "%") and second.cell_texts() == [["SSIM", "3", "0.5"], ["L2", "4", "–"]]
    assert record.table("c", rows, caption="C.", units=["", "", "%"]).units == second.units


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "expected a DataFrame or mappings with the same keys"),
        ([{"a": 1}, {"b": 2}], {}, "expected a DataFrame or mappings with the same keys"),
        ([[1, 2]], {}, "expected a DataFrame or mappings with the same keys"),
        ([{"a": float("nan")}], {}, "table 't', row 0, a: expected a finite number"),
        ([{"a": 1}], {"caption": " "}, "caption: expected text"),
        ([{"a": 1}], {"units": ["", ""]}, "units: expected 1, one per column"),
        ([{"a": 1}], {"units": {"b": "s"}}, "units: expected columns of a; got b"),
        ([{"a": 1}], {"formats": {"b": "d"}}, "formats: expected columns of a; got b"),
        ([{"a": 1.5}], {"formats": {"a": "d"}}, "format of a: expected a number's format"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(record, rows, options, message):
    with pytest.raises(ValueError, match=message):
        record.table("t", rows, **{"caption": "T.", **options})


def test_nothing_is_written_before_the_end(record, tmp_path):
    record.value("a", 1, n=1)
    record.figure(line(), "rise", caption="A line.", alt=ALT)
    assert not list(tmp_path.iterdir())


def test_writing_again_removes_figures_that_are_no_longer_made(record):
    record.figure(line(), "old", caption="A line.", alt=ALT)
    record.write()
    again = Record("attacks/one", parameters={}, seed=7)
    again.figure(line(), "new", caption="A line.", alt=ALT)
    folder = again.write().with_suffix("")
    assert sorted(path.name for path in folder.iterdir()) == ["new-dark.svg", "new.svg"]


def test_the_same_run_writes_the_same_numbers_and_figures(record, tmp_path):
    contents = []
    for _ in range(2):
        again = Record("attacks/one", parameters={"epsilon": 1}, seed=7)
        again.value("a", 0.1, n=1)
        again.figure(line(), "rise", caption="A line.", alt=ALT)
        path = again.write()
        stored = json.loads(path.read_text())
        del stored["provenance"]["duration_s"], stored["provenance"]["started"]
        contents.append((stored, (path.parent / "one" / "rise-dark.svg").read_bytes()))
    assert contents[0] == contents[1]


def test_without_a_runner_results_go_below_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("BLINDSPOTS_RESULTS", raising=False)
    monkeypatch.delenv("BLINDSPOTS_PROFILE", raising=False)
    monkeypatch.chdir(tmp_path)
    path = Record("attacks/one", parameters={}, seed=None).write()
    assert path == tmp_path / "_build" / "results" / "local" / "attacks" / "one.json"
    assert read_record(path)["provenance"]["seed"] is None


def test_half_an_environment_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("BLINDSPOTS_RESULTS", str(tmp_path))
    monkeypatch.delenv("BLINDSPOTS_PROFILE", raising=False)
    with pytest.raises(ValueError, match="BLINDSPOTS_PROFILE: expected a value beside its partner"):
        results_folder()
    monkeypatch.setenv("BLINDSPOTS_PROFILE", "../up")
    with pytest.raises(ValueError, match="BLINDSPOTS_PROFILE: expected lower-case letters"):
        results_folder()


@pytest.mark.parametrize("name", ["one", "attacks/One", "attacks/../one", "attacks/one.py", None])
def test_a_notebook_is_named_by_part_and_name(name):
    with pytest.raises(ValueError, match="notebook: expected '<part>/<name>' in lower case"):
        Record(name, parameters={}, seed=0)


def test_parameters_and_seed_must_fit_into_json():
    with pytest.raises(TypeError, match="parameters: expected a dictionary of JSON values"):
        Record("attacks/one", parameters={"model": object()}, seed=0)
    with pytest.raises(TypeError, match="parameters: expected a dictionary of JSON values"):
        Record("attacks/one", parameters={"epsilon": float("inf")}, seed=0)
    with pytest.raises(TypeError, match="seed: expected an integer"):
        Record("attacks/one", parameters={}, seed=0.5)


def test_claims_are_judged_from_the_values_so_far(record, tmp_path, monkeypatch):
    claims = tmp_path / "claims"
    claims.mkdir()
    (claims / "p0.yml").write_text(
        "claims:\n- {id: p0-a, paper: p0, part: attacks, place: here, statement: It holds., reported: '1',\n"
        "   rule: {kind: at_least, value: 0.9}, record: 'attacks/one#success', scale: digits}\n"
    )
    monkeypatch.setenv("BLINDSPOTS_CLAIMS", str(claims))
    assert "not measured with these parameters" in record.claims_table()._repr_html_()
    record.value("success", 0.95, n=100)
    html = record.claims_table()._repr_html_()
    assert "0.950 (n = 100)" in html and "at least 0.9" in html and "reproduced" in html
    assert "quick profile" in html


def test_importing_reports_is_light():
    code = (
        "import sys, blindspots.reports, blindspots.reports.summary;"
        "print([m for m in ('torch', 'matplotlib', 'seaborn', 'numpy', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_summary_shows_values_with_what_weighs_them(record):
    record.by_seed("accuracy", {0: 0.4, 1: 0.6}, n=10, format=".1%")
    shown = record.summary({"accuracy on digits": "accuracy"})
    assert shown.cell_texts() == [["accuracy on digits", "50.0% (40.0% to 60.0%, range over seeds; 2 seeds; n = 10)"]]
    assert "summary" not in record.data()["tables"]


def test_a_summary_of_what_was_not_recorded_names_it(record):
    with pytest.raises(KeyError, match="expected keys recorded before, got speed"):
        record.summary({"how fast": "speed"})
