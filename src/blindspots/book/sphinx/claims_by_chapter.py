"""The claims of a part, chapter by chapter: how many hold in each, and each chapter's table folded below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape

from docutils import nodes

from blindspots.book.sphinx.judgements import ShownClaim
from blindspots.book.sphinx.tables import build_table, page_link
from blindspots.reports.claims import VERDICTS

MOST_AT_ONCE = 12  # claims; a longer table is folded, since it would be many screens high
NO_CHAPTER = ""
WITHOUT_CHAPTER = "no chapter: not attempted, with the reason"


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


def claims_by_chapter(
    env,
    shown: Sequence[ShownClaim],
    *,
    chip: Callable[[str], nodes.Node],
    table: Callable[[Sequence[ShownClaim]], nodes.table],
) -> list[nodes.Node]:
    """Return a table of counts, one row a chapter, and each chapter's claims in a box to open.

    Args:
        env: the Sphinx environment, while a page is being read.
        shown: the claims, judged.
        chip: shows a verdict.
        table: shows some claims.
    """
    groups = chapters_of(env, shown)
    rows = []
    for notebook, members in groups.items():
        counts = Counter(one.verdict for one in members)
        name = page_link(env, f"notebooks/{notebook}") if notebook else nodes.inline("", WITHOUT_CHAPTER)
        head = nodes.paragraph("", "", name)
        rows.append([head, *(str(counts[verdict] or "·") for verdict in VERDICTS), str(len(members))])
    columns = ["Chapter", *(nodes.paragraph("", "", chip(verdict)) for verdict in VERDICTS), "Claims"]
    numeric = [False] + [True] * (len(VERDICTS) + 1)
    found: list[nodes.Node] = [build_table(columns, rows, classes=["scorecard-summary"], numeric=numeric)]
    for notebook, members in groups.items():
        name = notebook.split("/")[-1].replace("_", " ") or WITHOUT_CHAPTER
        title = f"<strong>{escape(name)}</strong>: {escape(verdict_counts(members))}"
        found += [
            nodes.raw("", f'<details class="chapter-claims"><summary>{title}</summary>', format="html"),
            table(members),
            nodes.raw("", "</details>", format="html"),
        ]
    return found
