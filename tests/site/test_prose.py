"""The prose: every page exists, planned parts claim no result, terms and citations are there."""

import re
from pathlib import Path

import pytest
import yaml

BOOK = Path(__file__).resolve().parents[2] / "book"
TOC = yaml.safe_load((BOOK / "_toc.yml").read_text())
CHAPTERS = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]
PROSE = [name for name in CHAPTERS if not name.startswith("notebooks/")]
BUILT = ["attacks", "fairness", "purify", "latent", "debias", "criticism"]
PLANNED = ["crossings"]
PAPERS = ["hua2021", "silva2022", "buzhinsky2023", "wu2023", "stock2018"]


@pytest.mark.parametrize("name", PROSE)
def test_a_page_of_the_contents_exists_and_starts_with_its_title(name):
    text = re.sub(r"\A---\n.*?\n---\n", "", (BOOK / f"{name}.md").read_text(), flags=re.DOTALL)
    assert re.match(r"\n*(\([\w-]+\)=\n)?# \S", text)


def test_no_page_is_left_out_of_the_contents():
    pages = {path.relative_to(BOOK).with_suffix("").as_posix() for path in BOOK.rglob("*.md")}
    assert pages == set(PROSE)


def test_no_text_holds_the_marks_of_an_unfinished_merge():
    folders = [BOOK, BOOK.parent / "notebooks", BOOK.parent / "profiles"]
    texts = [path for folder in folders for kind in ("md", "yml", "py") for path in folder.rglob(f"*.{kind}")]
    assert len(texts) > 80
    assert not [str(path) for path in texts if re.search(r"^(<{7} |>{7} |={7}$)", path.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("part", PLANNED)
def test_a_planned_part_says_so_and_claims_no_result(part):
    text = (BOOK / "parts" / f"{part}.md").read_text()
    assert "Not yet built in this edition" in text
    assert "No result of this part exists yet" in text
    assert "{record" not in text and "{claims}" not in text


@pytest.mark.parametrize("part", BUILT)
def test_a_built_part_links_its_chapters_and_shows_its_claims(part):
    text = (BOOK / "parts" / f"{part}.md").read_text()
    chapters = _chapters(part)
    assert chapters and all(f"../{chapter}" in text for chapter in chapters)
    assert f"```{{claims}}\n:part: {part}" in text and "Not yet built" not in text


def _chapters(part):
    groups = [[chapter["file"] for chapter in group["chapters"]] for group in TOC["parts"]]
    return next(group[1:] for group in groups if group[0] == f"parts/{part}")


@pytest.mark.parametrize("part", [*BUILT, *PLANNED])
def test_a_part_asks_its_question_and_cites_its_paper(part):
    text = (BOOK / "parts" / f"{part}.md").read_text()
    assert re.search(r"^> .+\?", text, re.MULTILINE | re.DOTALL)
    assert any(f"{{cite:t}}`{key}`" in text for key in PAPERS)


def test_the_introductions_treat_all_five_papers():
    text = (BOOK / "introductions.md").read_text()
    assert all(key in text for key in PAPERS)


def test_the_glossary_is_sorted_and_has_its_terms():
    lines = (BOOK / "glossary.md").read_text().split(":::{glossary}\n")[1].split("\n:::")[0].split("\n")
    terms = [line for line in lines if line and not line.startswith(" ")]
    assert len(terms) >= 25
    assert terms == sorted(terms, key=str.casefold)


def test_every_citation_is_in_the_bibliography_and_no_key_is_there_twice():
    keys = re.findall(r"^@\w+\{(\w+),", (BOOK / "references.bib").read_text(), re.MULTILINE)
    assert len(keys) == len(set(keys))
    cited = set()
    for name in PROSE:
        for group in re.findall(r"\{cite:[pt]\}`([^`]+)`", (BOOK / f"{name}.md").read_text()):
            cited |= {key.strip() for key in group.split(",")}
    assert cited <= set(keys), cited - set(keys)


def test_prose_types_no_verdict():
    for name in PROSE:
        if name not in ("glossary", "scorecard", "intro"):
            text = (BOOK / f"{name}.md").read_text()
            assert not re.search(r"\*\*(reproduced|not reproduced|partly)\*\*", text), name
