"""The claims of a part, chapter by chapter: how many hold in each, and its table in a box to open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape

from docutils import nodes

from blindspots.book.sphinx.judgements import ShownClaim
from blindspots.book.sphinx.tables import paragraph
from blindspots.reports.claims import VERDICTS

MOST_AT_ONCE = 12  # claims of a part; a longer table is folded, since it would be many screens high
MOST_OF_CHAPTER = 24  # claims of a chapter, whose reader has come for them
NO_CHAPTER = ""
WITHOUT_CHAPTER = "without a chapter"


def chapters_of(env, shown: Sequence[ShownClaim]) -> dict[str, list[ShownClaim]]:
    """Group claims by the first notebook that answers them, in the order of the book; those without one come last."""
    groups: dict[str, list[ShownClaim]] = {}
    for one in shown:
        groups.setdefault(next(iter(one.claim.notebooks), NO_CHAPTER), []).append(one)
    pages = {page: place for place, page in enumerate(getattr(env, "external_site_map", None) or ())}

    def place(notebook: str) -> tuple[bool, int]:
        return notebook == NO_CHAPTER, pages.get(f"notebooks/{notebook}", len(pages))

    return {notebook: groups[notebook] for notebook in sorted(groups, key=place)}


def verdict_counts(shown: Sequence[ShownClaim]) -> str:
    """Write how many claims have which verdict, such as "6 reproduced, 1 not attempted"."""
    counts = Counter(one.verdict for one in shown)
    order = dict.fromkeys((*VERDICTS, *counts))
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in order if counts[verdict])


def _box(title: str, table: nodes.table) -> list[nodes.Node]:
    return [
        nodes.raw("", f'<details class="chapter-claims"><summary>{title}</summary>', format="html"),
        table,
        nodes.raw("", "</details>", format="html"),
    ]


def claims_of_chapter(shown: Sequence[ShownClaim], table: nodes.table) -> list[nodes.Node]:
    """Return a chapter's table; a long one in a box to open, headed by how many of its claims hold."""
    if len(shown) <= MOST_OF_CHAPTER:
        return [table]
    return _box(f"<strong>All {len(shown)} claims</strong>: {escape(verdict_counts(shown))}", table)


def claims_by_chapter(
    env, shown: Sequence[ShownClaim], *, table: Callable[[Sequence[ShownClaim]], nodes.table]
) -> list[nodes.Node]:
    """Return a line of counts, and each chapter's claims in a box to open that is headed by its own counts.

    Args:
        env: the Sphinx environment, while a page is being read.
        shown: the claims, judged.
        table: shows some claims.
    """
    counts = paragraph(f"{len(shown)} claims: {verdict_counts(shown)}. Open a chapter for its rows.")
    return [counts, *chapter_boxes(env, shown, table=table)]


def chapter_boxes(
    env, shown: Sequence[ShownClaim], *, table: Callable[[Sequence[ShownClaim]], nodes.table]
) -> list[nodes.Node]:
    """Return each chapter's claims in a box to open that is headed by its own counts; the arguments are the same."""
    found: list[nodes.Node] = []
    for notebook, members in chapters_of(env, shown).items():
        name = notebook.split("/")[-1].replace("_", " ") or WITHOUT_CHAPTER
        title = f"<strong>{escape(name)}</strong>: {escape(verdict_counts(members))}"
        found += _box(title, table(members))
    return found
