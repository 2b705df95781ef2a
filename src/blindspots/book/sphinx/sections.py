"""Where every section of the five papers is treated: book/sections.yml as a table."""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from blindspots.book.sphinx.results import note_file
from blindspots.book.sphinx.tables import build_table, page_link, paragraph

logger = logging.getLogger(__name__)
FIELDS = {"section", "title", "where"}


def read_sections(path: Path) -> list[dict]:
    """Read the table of sections: a list of papers, each with its sections in the paper's order.

    Raises:
        ValueError: a paper or section lacks a field; the message names it.
    """
    papers = yaml.safe_load(path.read_text(encoding="utf-8"))["papers"]
    for paper in papers:
        for field in ("id", "title", "sections"):
            if not paper.get(field):
                raise ValueError(f"{path.name}: paper {paper.get('id')!r} has no {field}")
        for row in paper["sections"]:
            if set(row) != FIELDS or not all(str(row[field]).strip() for field in FIELDS):
                raise ValueError(f"{path.name}: {paper['id']}: expected {sorted(FIELDS)} in {row}")
    return papers


def place(where: str) -> tuple[str, str]:
    """Split `page#target` or `planned: part` into a kind ("page" or "planned") and its name."""
    kind, _, rest = where.partition(":")
    return ("planned", rest.strip()) if kind == "planned" else ("page", where)


class Sections(SphinxDirective):
    """The directive {sections}: one table a paper, each section with the page that treats it."""

    def run(self):
        """Return a rubric and a table for each paper; a page that does not exist warns."""
        path = Path(self.env.srcdir, "sections.yml")
        note_file(self.env, path)
        try:
            papers = read_sections(path)
        except (ValueError, KeyError, OSError, yaml.YAMLError) as error:
            logger.warning("sections: %s", error, location=self.get_location(), type="blindspots")
            return []
        result = []
        for paper in papers:
            rows = [[row["section"], row["title"], self.target(row["where"])] for row in paper["sections"]]
            done = sum(place(row["where"])[0] == "page" for row in paper["sections"])
            name = f"{paper['id'].upper()}. {paper['title']}"
            result.append(nodes.rubric(name, name))
            result.append(paragraph(f"{done} of {len(rows)} sections have a page in this edition."))
            result.append(build_table(["Section", "Title", "Where"], rows, classes=["sections"]))
        return result

    def target(self, where: str):
        """Link to the page, or say for which part a section is planned."""
        kind, name = place(where)
        if kind == "planned":
            mark = nodes.inline("", f"planned: {name}", classes=["planned"])
            return [paragraph(mark)]
        if name not in self.env.found_docs:
            logger.warning("sections: no page %s", name, location=self.get_location(), type="blindspots")
        kind = "notebook" if name.startswith("notebooks/") else "page"
        return [paragraph(page_link(self.env, name), f" ({kind})")]
