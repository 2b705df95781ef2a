"""The table of sections: complete for the five papers, and pointing at pages that exist."""

import re
from pathlib import Path

import pytest
import yaml

from blindspots.book.sphinx.sections import place, read_sections

ROOT = Path(__file__).resolve().parents[3]
PAPERS = {paper["id"]: paper for paper in read_sections(ROOT / "book" / "sections.yml")}
# The numbered sections of the papers that number theirs, and the headings of the one that does not.
P1 = "Introduction|Related Work|Methodology|Experiments|Discussion|Conclusion|Acknowledgements"
P3 = "1|2|2.1|2.2|3|4|4.1|4.2|4.3|5|5.1|5.1.1|5.1.2|5.1.3|5.2|5.2.1|5.2.2|5.3|5.4|5.5|5.6|5.6.1|5.6.2|5.7|6"
HEADINGS = {
    "p0": ["1", "2", "3", "3.1", "3.2", "4", "5"],
    "p1": P1.split("|"),
    "p2": ["Abstract", "1"],
    "p3": P3.split("|"),
    "p4": ["1", "2", "3", "3.1", "3.2", "3.3", "3.4", "4"],
}


def pages_of_the_book():
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
    return {toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])}


@pytest.mark.parametrize("paper", HEADINGS)
def test_every_section_of_the_paper_is_listed(paper):
    listed = [row["section"] for row in PAPERS[paper]["sections"]]
    assert set(HEADINGS[paper]) <= set(listed)
    assert [name for name in dict.fromkeys(listed) if name in HEADINGS[paper]] == HEADINGS[paper], "the paper's order"


@pytest.mark.parametrize("paper", HEADINGS)
def test_every_section_has_a_page_or_names_its_part(paper):
    known = pages_of_the_book()
    for row in PAPERS[paper]["sections"]:
        kind, name = place(row["where"])
        if kind == "planned":
            assert re.fullmatch("part (I|II|III|IV|V|VI|VII)", name), row
        else:
            assert name in known, row
            assert name.startswith("notebooks/") or (ROOT / "book" / f"{name}.md").is_file(), row


def test_introductions_and_related_work_are_prose_of_the_book():
    for paper in ("p0", "p1", "p2", "p3", "p4"):
        rows = {row["title"]: row["where"] for row in PAPERS[paper]["sections"]}
        assert rows["Introduction"] == "introductions"
    for paper, section in (("p0", "2"), ("p3", "2"), ("p4", "2")):
        assert {row["section"]: row["where"] for row in PAPERS[paper]["sections"]}[section] == "related-work"


def test_a_section_without_a_place_is_an_error(tmp_path):
    path = tmp_path / "sections.yml"
    path.write_text("papers:\n  - {id: p0, title: T, sections: [{section: '1', title: Intro}]}\n")
    with pytest.raises(ValueError, match=r"sections\.yml: p0: expected"):
        read_sections(path)


def test_the_directive_links_pages_and_marks_what_is_planned(book):
    rows = "[{section: '1', title: Intro, where: page}, {section: '2', title: Rest, where: 'planned: part IV'}]"
    (book.source / "sections.yml").write_text(f"papers:\n  - {{id: p0, title: T, sections: {rows}}}\n")
    book.page("page", "# A page of ours\n\nText.\n")
    book.page("table", "# Table\n\n```{sections}\n```\n")
    assert book.build() == ""
    html = book.html("table")
    assert 'href="page.html"' in html and "A page of ours" in html and "planned: part IV" in html
    assert "1 of 2 sections have a page in this edition." in html


def test_a_page_that_does_not_exist_warns_with_file_and_line(book):
    rows = "[{section: '1', title: Intro, where: gone}]"
    (book.source / "sections.yml").write_text(f"papers:\n  - {{id: p0, title: T, sections: {rows}}}\n")
    book.page("table", "# Table\n\n```{sections}\n```\n")
    assert "table.md:3: WARNING: sections: no page gone" in book.build()
