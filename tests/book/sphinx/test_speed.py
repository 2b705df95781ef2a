"""The speed page: contestants under their work, ratios, and what they were measured on."""

import json

import pytest

from blindspots.book.sphinx.speed import time_text


@pytest.mark.parametrize(
    ("ms", "text"), [(0.0123, "12.3 µs"), (4.5678, "4.57 ms"), (999.0, "999 ms"), (1500.0, "1.5 s")]
)
def test_times_read_well(ms, text):
    assert time_text(ms) == text


def recorded(book):
    common = {"best_ms": 1.0, "rounds": 3, "best_ratio": None, "note": ""}
    rows = [
        {"group": "16 images", "contestant": "ours", "median_ms": 4.0, "ratio": None, "goal": None, **common},
        {"group": "16 images", "contestant": "the peer", "median_ms": 40.0, "ratio": 10.0, "goal": "goal 5x", **common},
    ]
    benchmark = {
        "about": "Coding against a peer.", "rows": rows, "git": {"commit": "0123456789abcdef", "clean": True},
        "device_name": "a processor", "threads": 1, "load_before": 0.25, "finished": "2026-01-02T03:04:05Z",
        "versions": {"torch": "2.6.0"},
    }  # fmt: skip
    path = book.root / "results" / "speed.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"schema": 1, "benchmarks": {"sparse_coding": benchmark}}))


def test_a_benchmark_has_a_section_with_its_contestants_and_conditions(book):
    recorded(book)
    book.page("page", "# Page\n\n```{speed}\n```\n")
    assert book.build() == ""
    html = book.html("page")
    assert "Sparse coding" in html and "Coding against a peer." in html
    assert html.count("16 images") == 1, "the work is named once"
    assert "40 ms" in html and ">10<" in html and "goal 5x" in html
    assert "load before the start 0.2" in html and "code 0123456789" in html


def test_a_damaged_file_warns_with_file_and_line(book):
    recorded(book)
    (book.root / "results" / "speed.json").write_text("{")
    book.page("page", "# Page\n\n```{speed}\n```\n")
    assert "page.md:3: WARNING: speed:" in book.build()


def test_where_nothing_is_recorded_the_page_says_so(book):
    book.page("page", "# Page\n\n```{speed}\n```\n")
    assert book.build() == ""
    assert "No benchmark has been recorded." in book.html("page")
