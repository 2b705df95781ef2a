"""The claims of the papers beside what we measured: a chapter's table, the scorecard, and its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from blindspots.book.sphinx.claims_by_chapter import MOST_AT_ONCE, chapter_boxes, claims_by_chapter, claims_of_chapter
from blindspots.book.sphinx.judgements import ShownClaim, judged
from blindspots.book.sphinx.results import note_whole_book, store_of
from blindspots.book.sphinx.tables import build_table, page_link, paragraph
from blindspots.reports.claims import PART_TITLES, PARTS, VERDICTS

logger = logging.getLogger(__name__)


def slug(verdict: str) -> str:
    """Write a verdict as a class name."""
    return verdict.replace(" ", "-")


def chip(verdict: str) -> nodes.inline:
    """Show a verdict in words; the style sheet adds a shape and a color."""
    return nodes.inline(verdict, verdict, classes=["verdict", f"verdict-{slug(verdict)}"])


def small_print(text: str) -> list[nodes.Node]:
    """Return a paragraph of small print, or nothing."""
    return [paragraph(text, classes=["claim-detail"])] if text else []


def read_claims(directive: SphinxDirective) -> list[ShownClaim]:
    """Judge every claim for the page that asks; a file of claims that cannot be read warns with file and line."""
    note_whole_book(directive.env)
    where = directive.get_location()
    try:
        return judged(store_of(directive.env))
    except (ValueError, OSError) as error:
        logger.warning("%s: %s", directive.name, error, location=where, type="blindspots")
        return []


def warn_of_problems(directive: SphinxDirective, shown: Sequence[ShownClaim]) -> None:
    """Warn, with file and line, of the claims a page shows that could not be judged, such as for want of a record."""
    for one in shown:
        if one.problem:
            location = directive.get_location()
            logger.warning("%s: %s", directive.name, one.problem, location=location, type="blindspots")


def claims_table(env, shown: Sequence[ShownClaim], *, link: bool, anchors: bool = False) -> nodes.table:
    """Set the paper's values beside the recorded ones and this build's.

    Args:
        env: the Sphinx environment, while a page is being read.
        shown: the claims, judged.
        link: whether each claim links to its notebook.
        anchors: whether each row can be linked to, as `claim-<id>`; once in the book.
    """
    rows = []
    for one in shown:
        place = paragraph(f"{one.claim.paper.upper()}, {one.claim.place}", classes=["claim-place"])
        for notebook in one.claim.notebooks if link else ():
            name = notebook.split("/")[-1].replace("_", " ")
            place += [nodes.Text(" · "), page_link(env, f"notebooks/{notebook}", name)]
        rows.append(
            [
                [paragraph(one.claim.statement), place, *small_print(one.claim.scale and f"Ours: {one.claim.scale}")],
                one.claim.reported,
                one.recorded or "–",
                [paragraph(one.measured or "–"), *small_print(one.detail)],
                one.claim.rule_words() or "–",
                [paragraph(chip(one.verdict)), *small_print(one.remark)],
            ]
        )
    columns = ["Claim", "Paper", "Recorded run", f"This build ({store_of(env).profile})", "Rule", "Verdict"]
    classes = [["claim", f"part-{one.claim.part}", f"is-{slug(one.verdict)}"] for one in shown]
    table = build_table(columns, rows, classes=["claims"], row_classes=classes)
    if anchors:
        for row, one in zip(next(table.findall(nodes.tbody)), shown, strict=True):
            row["ids"].append(f"claim-{one.claim.id}")
    return table


class Claims(SphinxDirective):
    """The directive {claims}: the claims of one notebook or of one part, with their verdicts."""

    option_spec: ClassVar = {"notebook": directives.unchanged_required, "part": directives.unchanged_required}

    def run(self):
        """Return the table, a long one folded, that of a long part by chapter, or a warning where nothing matches."""
        notebook, part = self.options.get("notebook"), self.options.get("part")
        chosen = [
            one
            for one in read_claims(self)
            if notebook in (None, *one.claim.notebooks) and part in (None, one.claim.part)
        ]
        if not chosen:
            where = f"notebook {notebook}" if notebook else f"part {part}"
            logger.warning("claims: no claim of %s", where, location=self.get_location(), type="blindspots")
            return []
        warn_of_problems(self, chosen)
        if notebook is None and len(chosen) > MOST_AT_ONCE:

            def table(members: Sequence[ShownClaim]) -> nodes.table:
                return claims_table(self.env, members, link=True)

            return claims_by_chapter(self.env, chosen, table=table)
        return claims_of_chapter(chosen, claims_table(self.env, chosen, link=notebook is None))


class Scorecard(SphinxDirective):
    """The directive {scorecard}: every claim of every paper, by part and chapter, to be searched and filtered."""

    def run(self):
        """Return the filter and a box for each chapter; without JavaScript the boxes open by hand."""
        shown = read_claims(self)
        if not shown:
            return [paragraph("No claim is declared yet.")]
        warn_of_problems(self, shown)
        self.env.metadata[self.env.docname]["blindspots-scorecard"] = "yes"
        box = nodes.container(classes=["scorecard"])
        box += nodes.raw("", filter_form(shown), format="html")
        for part in PARTS:
            members = [one for one in shown if one.claim.part == part]
            if members:
                group = nodes.container(classes=["scorecard-part"])
                group += nodes.raw("", f"<h2>{escape(PART_TITLES[part])}</h2>", format="html")
                group += chapter_boxes(self.env, members, table=self._table)
                box += group
        return [box]

    def _table(self, members: Sequence[ShownClaim]) -> nodes.table:
        return claims_table(self.env, members, link=True, anchors=True)


def filter_form(shown: Sequence[ShownClaim]) -> str:
    """Write the search, the two lists and the live count; the script shows them."""
    parts = {part: PART_TITLES[part] for part in PARTS if any(one.claim.part == part for one in shown)}
    verdicts = {slug(name): name for name in VERDICTS if any(one.verdict == name for one in shown)}

    def choice(label: str, prefix: str, options: dict[str, str], every: str) -> str:
        items = "".join(f'<option value="{value}">{escape(name)}</option>' for value, name in options.items())
        items = f'<option value="">{every}</option>{items}'
        return f'<label>{label} <select data-filter="{prefix}">{items}</select></label>'

    return (
        '<form class="scorecard-filter" hidden>'
        + choice("Part", "part", parts, "all parts")
        + choice("Verdict", "is", verdicts, "all verdicts")
        + '<label>Find <input type="search" data-find placeholder="words of a claim"></label>'
        + '<button type="reset">Show all</button>'
        + f'<output aria-live="polite">{len(shown)} of {len(shown)} claims</output></form>'
    )


class ScorecardSummary(SphinxDirective):
    """The directive {scorecard-summary}: how many claims of each part have which verdict."""

    def run(self):
        """Return a table of counts, one row a part; a part without claims is planned."""
        shown = read_claims(self)
        rows = []
        for part in PARTS:
            counts = Counter(one.verdict for one in shown if one.claim.part == part)
            total = counts.total()
            numbers = [self._count(part, verdict, counts[verdict]) for verdict in VERDICTS]
            link = paragraph(page_link(self.env, f"parts/{part}", PART_TITLES[part]))
            rows.append([link, *numbers, str(total) if total else "planned"])
        columns = ["Part", *(paragraph(chip(verdict)) for verdict in VERDICTS), "Claims"]
        numeric = [False] + [True] * (len(VERDICTS) + 1)
        return [build_table(columns, rows, classes=["scorecard-summary"], numeric=numeric)]

    def _count(self, part: str, verdict: str, number: int) -> nodes.Node | str:
        """Return a number that links to these rows of the scorecard, where the book has one."""
        if not number or "scorecard" not in self.env.found_docs:
            return str(number or "·")
        up = "../" * self.env.docname.count("/")
        address = f"{up}scorecard.html?part={part}&amp;is={slug(verdict)}"
        title = f"{PART_TITLES[part]}, {verdict}: {number}"
        link = f'<a href="{address}" aria-label="{escape(title, quote=True)}">{number}</a>'
        return nodes.paragraph("", "", nodes.raw("", link, format="html"))


def add_script(app, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Load the filter's script on the pages that hold a scorecard, and on no other."""
    if app.env.metadata.get(pagename, {}).get("blindspots-scorecard"):
        app.add_js_file("blindspots-scorecard.js", loading_method="defer")
