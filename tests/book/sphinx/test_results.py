"""Where records are found, what a missing one says, and which pages a change renews."""

import json
import os
import types

import pytest

from blindspots.book.sphinx.results import Store, configure, find, read


def touch_later(path, text):
    """Write a file so that its time is surely later than a build's, whatever the clock's grain."""
    path.write_text(text)
    later = path.stat().st_mtime + 5
    os.utime(path, (later, later))


def test_the_folders_come_from_the_environment_when_nothing_is_set(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_RESULTS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("BLINDSPOTS_PROFILE", "smoke")
    names = ("profile", "results", "recorded", "claims", "benchmarks")
    config = types.SimpleNamespace(**{f"blindspots_{name}": None for name in names})
    configure(types.SimpleNamespace(srcdir=str(tmp_path / "book")), config)
    assert config.blindspots_results == str(tmp_path / "elsewhere" / "smoke")
    assert config.blindspots_recorded == str(tmp_path / "results")
    assert config.blindspots_benchmarks == str(tmp_path / "_build" / "benchmarks" / "smoke")


def test_this_builds_profile_is_read_from_the_build_and_others_from_the_recorded_runs(tmp_path):
    store = Store("real", tmp_path / "b", tmp_path / "r", tmp_path, tmp_path)
    assert store.folder("real") == store.folder() == tmp_path / "b"
    assert store.folder("paper") == tmp_path / "r" / "paper"


def test_a_missing_record_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"no record at attacks/step\.json; run the notebook"):
        read(tmp_path / "attacks" / "step.json")


def test_a_malformed_reference_is_named():
    with pytest.raises(ValueError, match="expected part/notebook#key, got 'attacks'"):
        find(None, "attacks", "values")


def test_a_changed_record_renews_exactly_the_pages_that_use_it(book, record):
    path = book.record()
    book.page("uses", "# Uses\n\nIt is {record}`attacks/step#success`.\n")
    book.page("prose", "# Prose\n\nNo number.\n")
    assert book.build() == ""
    assert "0.970" in book.html("uses")
    record["values"]["success"]["value"] = 0.25
    touch_later(path, json.dumps(record))
    assert book.build() == ""
    assert "0.250" in book.html("uses") and "0.970" not in book.html("uses")
    assert "prose" not in book.read and "uses" in book.read


def test_nothing_is_read_again_when_nothing_changed(book):
    book.record()
    book.page("uses", "# Uses\n\nIt is {record}`attacks/step#success`.\n\n```{scorecard}\n```\n")
    book.build()
    book.build()
    assert book.read == []


def test_a_new_claim_renews_the_scorecard_only(book):
    book.record()
    book.page("card", "# Card\n\n```{scorecard}\n```\n")
    book.page("prose", "# Prose\n\nNo number.\n")
    book.build()
    more = (book.source / "claims" / "p0.yml").read_text().replace("p0-", "p1-").replace("paper: p0", "paper: p1")
    (book.source / "claims" / "p1.yml").write_text(more)
    assert book.build() == ""
    assert "4 of 4 claims" in book.html("card")
    assert "card" in book.read and "prose" not in book.read


def test_another_profile_is_another_book(book, record):
    book.record()
    record["profile"], record["values"]["success"]["value"] = "smoke", 0.5
    book.record(record, folder="_build/results/smoke")
    book.page("uses", "# Uses\n\nIt is {record}`attacks/step#success`.\n")
    book.build()
    book.build(blindspots_profile="smoke")
    assert "0.500" in book.html("uses")


def test_a_changed_style_sheet_reaches_the_site_without_another_change(book):
    (book.source / "_static").mkdir()
    (book.source / "_static" / "own.css").write_text("p { color: red; }")
    book.page("prose", "# Prose\n\nText.\n")
    book.build(html_static_path=["_static"])
    touch_later(book.source / "_static" / "own.css", "p { color: green; }")
    book.build(html_static_path=["_static"])
    assert "green" in (book.root / "html" / "_static" / "own.css").read_text()
    assert "prose" not in book.read
