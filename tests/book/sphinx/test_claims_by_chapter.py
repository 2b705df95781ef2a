"""A part's claims, folded by chapter: counts, order, nothing lost."""

import re
from types import SimpleNamespace

import pytest

from blindspots.book.sphinx.claims_by_chapter import MOST_AT_ONCE, MOST_OF_CHAPTER, chapters_of, verdict_counts


def shown(*notebooks, verdict="reproduced"):
    return SimpleNamespace(claim=SimpleNamespace(notebooks=notebooks), verdict=verdict)


def test_chapters_come_in_the_order_of_the_book_and_claims_without_one_last():
    pages = dict.fromkeys(["intro", "notebooks/attacks/b", "notebooks/attacks/a"])
    claims = [
        shown(),
        shown("attacks/a"),
        shown("attacks/b", "attacks/a"),
        shown("attacks/unlisted"),
        shown("attacks/a"),
    ]
    groups = chapters_of(SimpleNamespace(external_site_map=pages), claims)
    assert list(groups) == ["attacks/b", "attacks/a", "attacks/unlisted", ""]
    assert [len(members) for members in groups.values()] == [1, 2, 1, 1]
    assert list(chapters_of(SimpleNamespace(), claims)) == ["attacks/a", "attacks/b", "attacks/unlisted", ""]


def test_counts_in_words_leave_out_what_there_is_none_of_and_hide_no_verdict():
    claims = [shown(verdict=verdict) for verdict in ("not attempted", "reproduced", "reproduced", "no record")]
    assert verdict_counts(claims) == "2 reproduced, 1 not attempted, 1 no record"


CLAIM = """  - id: p0-{number}
    paper: p0
    part: attacks
    place: "Section 3.1"
    statement: "Statement {number}."
    reported: "most"
    rule: {{kind: at_least, value: {least}}}
    record: {notebook}#success
    scale: "100 digits"
"""


@pytest.fixture
def long_part(book, record):
    """Record two notebooks and MOST_AT_ONCE + 1 claims, of which the last is the second one's."""
    rows = [CLAIM.format(number=i, least=0.9, notebook="attacks/step") for i in range(MOST_AT_ONCE)]
    rows.append(CLAIM.format(number=99, least=0.99, notebook="attacks/other"))
    (book.source / "claims" / "p0.yml").write_text("claims:\n" + "".join(rows))
    book.record()
    book.record(record | {"notebook": "attacks/other", "figures": {}})
    book.page("page", "# Page\n\n```{claims}\n:part: attacks\n```\n")
    return book


def test_a_long_part_is_counted_and_folded_and_every_claim_is_there(long_part):
    assert long_part.build() == ""
    html = long_part.html("page")
    boxes = re.findall(r'<details class="chapter-claims"><summary>(.*?)</summary>(.*?)</details>', html, flags=re.S)
    titles = [re.sub("<[^>]+>", "", title) for title, _ in boxes]
    assert titles == [f"step: {MOST_AT_ONCE} reproduced", "other: 1 not reproduced"]
    found = [re.findall(r"Statement (\d+)\.", body) for _, body in boxes]
    assert found == [[str(i) for i in range(MOST_AT_ONCE)], ["99"]]
    assert f"{MOST_AT_ONCE + 1} claims: {MOST_AT_ONCE} reproduced, 1 not reproduced." in html


def chapter(book, n):
    rows = [CLAIM.format(number=i, least=0.9, notebook="attacks/step") for i in range(n)]
    (book.source / "claims" / "p0.yml").write_text("claims:\n" + "".join(rows))
    book.record()
    book.page("page", "# Page\n\n```{claims}\n:notebook: attacks/step\n```\n")
    assert book.build() == ""
    return book.html("page")


def test_a_chapters_own_table_stands_open(book):
    html = chapter(book, MOST_OF_CHAPTER)
    assert "chapter-claims" not in html and html.count("Statement") == MOST_OF_CHAPTER


def test_a_very_long_one_is_counted_and_folded(book):
    html = chapter(book, MOST_OF_CHAPTER + 1)
    title, body = re.search(
        r'<details class="chapter-claims"><summary>(.*?)</summary>(.*?)</details>', html, re.S
    ).groups()
    assert re.sub("<[^>]+>", "", title) == f"All {MOST_OF_CHAPTER + 1} claims: {MOST_OF_CHAPTER + 1} reproduced"
    assert body.count("Statement") == MOST_OF_CHAPTER + 1
