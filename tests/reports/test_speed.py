"""Recorded benchmarks: taken over whole, benchmark by benchmark, from committed code only."""

import json

import pytest

from blindspots.reports.speed import read_speed, record_speed


def row(module="cbpdn", contestant="ours", **fields):
    return {
        "module": module, "about": f"{module} against a peer.", "group": "16 images", "contestant": contestant,
        "median_ms": 12.5, "best_ms": 12.0, "rounds": 3, "ratio": None, "best_ratio": None, "goal": None, "note": "",
    } | fields  # fmt: skip


def run(tmp_path, rows, **fields):
    path = tmp_path / "medians.json"
    content = {
        "rows": rows, "git": {"commit": "0123456789abcdef", "clean": True}, "device_name": "a processor", "threads": 1,
        "load_before": 0.1, "finished": "2026-01-02T03:04:05Z", "versions": {"torch": "2.6.0"},
    } | fields  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def test_a_run_renews_its_own_benchmarks_and_no_other(tmp_path):
    target = tmp_path / "results" / "speed.json"
    both = [row(), row(contestant="peer", ratio=4.0), row("lime")]
    assert record_speed(run(tmp_path, both), target) == ("cbpdn", "lime")
    later = run(tmp_path, [row("lime", median_ms=3.0)], load_before=2.0)
    assert record_speed(later, target) == ("lime",)
    kept = read_speed(target)
    assert list(kept) == ["cbpdn", "lime"]
    assert [r["contestant"] for r in kept["cbpdn"]["rows"]] == ["ours", "peer"] and kept["cbpdn"]["load_before"] == 0.1
    assert kept["lime"]["rows"][0]["median_ms"] == 3.0 and kept["lime"]["load_before"] == 2.0
    assert kept["lime"]["about"] == "lime against a peer."


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        ([], {}, "expected rows"),
        ([row(median_ms="fast")], {}, "row 0: expected a field median_ms, got 'fast'"),
        ([row()], {"git": {"commit": "01", "clean": False}}, "uncommitted changes"),
        ([row()], {"device_name": None}, "expected a field device_name"),
    ],
)
def test_a_bad_run_is_refused_and_nothing_is_written(tmp_path, rows, fields, message):
    target = tmp_path / "speed.json"
    with pytest.raises(ValueError, match=message):
        record_speed(run(tmp_path, rows, **fields), target)
    assert not target.exists()


def test_what_is_missing_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="make bench"):
        record_speed(tmp_path / "medians.json", tmp_path / "speed.json")
    with pytest.raises(FileNotFoundError, match="record-speed"):
        read_speed(tmp_path / "speed.json")


@pytest.mark.parametrize(
    "text", ["[1]", "{", '{"schema": 2, "benchmarks": {}}', '{"schema": 1, "benchmarks": {"a": 1}}']
)
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "speed.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"speed\.json"):
        read_speed(path)
