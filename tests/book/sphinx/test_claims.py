"""The claims tables and the scorecard: rows, verdicts in words, a filter that works for everyone."""

import re

import pytest

from blindspots.book.sphinx.claims import chip
from blindspots.reports.claims import PART_TITLES, PARTS, VERDICTS


def test_every_part_has_a_title():
    assert set(PART_TITLES) == set(PARTS)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_is_a_word_not_only_a_color(verdict):
    assert chip(verdict).astext() == verdict


def test_every_verdict_has_its_shape_and_color_in_both_themes():
    from blindspots.book.sphinx_extension import STATIC

    style = (STATIC / "blindspots-records.css").read_text()
    for verdict in VERDICTS:
        name = verdict.replace(" ", "-")
        assert f".verdict-{name} {{" in style and f".verdict-{name}::before {{" in style
    light, dark = style.split('html[data-theme="dark"]')[:2]
    for name in ("good", "part", "bad", "none"):
        assert f"--verdict-{name}:" in light and f"--verdict-{name}:" in dark


def test_a_chapters_table_sets_the_paper_beside_ours(book):
    book.record()
    book.page("page", "# Page\n\n```{claims}\n:notebook: attacks/step\n```\n")
    assert book.build() == ""
    html = book.html("page")
    shown = ("The step succeeds on most digits.", "P0, Section 3.1", "most", "0.970", "at least 0.9; partly from 0.5")
    for text in shown:
        assert text in html
    assert '<span class="verdict verdict-reproduced">reproduced</span>' in html
    assert "This build (quick)" in html and "Ours: 100 digits" in html
    assert "People do not notice." not in html, "no notebook answers that claim"


def test_a_parts_table_has_the_claims_that_were_not_attempted_with_the_reason(book):
    book.record()
    book.page("page", "# Page\n\n```{claims}\n:part: attacks\n```\n")
    assert book.build() == ""
    assert "needs people" in book.html("page") and "verdict-not-attempted" in book.html("page")


def test_a_table_without_claims_warns_with_file_and_line(book):
    book.record()
    book.page("page", "# Page\n\n```{claims}\n:part: latent\n```\n")
    assert "page.md:3: WARNING: claims: no claim of part latent" in book.build()


def test_a_missing_record_warns_with_file_and_line(book):
    book.page("page", "# Page\n\n```{scorecard}\n```\n")
    warnings = book.build()
    assert "page.md:3: WARNING: scorecard: " in warnings
    assert "claim p0-3.1-success: no record of attacks/step; run that notebook" in warnings
    assert "verdict-no-record" in book.html("page")


def test_a_renamed_key_warns(book, record):
    record["values"]["renamed"] = record["values"].pop("success")
    book.record(record)
    book.page("page", "# Page\n\n```{scorecard}\n```\n")
    assert "has no value 'success'" in book.build()


def test_the_scorecard_can_be_filtered_and_stands_without_the_script(book):
    book.record()
    book.page("card", "# Card\n\n```{scorecard}\n```\n")
    book.page("prose", "# Prose\n\nText.\n")
    assert book.build() == ""
    html = book.html("card")
    assert re.search(r'<form class="scorecard-filter" hidden>', html), "the script shows the form"
    assert html.count("<label>") == 3 and html.count("<select") == 2 and html.count('<input type="search"') == 1
    assert html.count('<details class="chapter-claims">') == 2 and "<h2>" in html
    assert '<output aria-live="polite">2 of 2 claims</output>' in html
    assert '<option value="not-attempted">not attempted</option>' in html
    rows = re.findall(r'<tr class="[^"]*claim[^"]*"[^>]*>', html)
    assert len(rows) == 2 and all("part-attacks" in row and "is-" in row and "hidden" not in row for row in rows)
    assert 'id="claim-p0-3.1-success"' in html
    assert "blindspots-scorecard.js" in html
    assert "blindspots-scorecard.js" not in book.html("prose")


def test_the_summary_counts_each_part_and_says_planned_for_the_others(book):
    book.record()
    book.page("intro", "# Intro\n\n```{scorecard-summary}\n```\n")
    assert book.build() == ""
    text = re.sub(r"<[^>]+>|\s+", " ", book.html("intro"))
    assert re.search(r"I · Attacks +1 +· +· +1 +2", text)
    assert re.search(r"V · Debiasing +· +· +· +· +planned", text)
    assert "scorecard.html" not in book.html("intro"), "there is none in this book"


def test_a_count_links_to_its_rows_of_the_scorecard(book):
    book.record()
    book.page("intro", "# Intro\n\n```{scorecard-summary}\n```\n")
    book.page("scorecard", "# Card\n\n```{scorecard}\n```\n")
    assert book.build() == ""
    assert 'href="scorecard.html?part=attacks&amp;is=reproduced" aria-label="I · Attacks, reproduced: 1"' in book.html(
        "intro"
    )


def test_a_claim_links_to_the_notebook_that_answers_it(book):
    import nbformat

    book.record()
    book.notebook([nbformat.v4.new_markdown_cell("# A claim")])
    book.page("card", "# Card\n\n```{scorecard}\n```\n")
    assert book.build() == ""
    assert 'href="notebooks/attacks/step.html"' in book.html("card")
