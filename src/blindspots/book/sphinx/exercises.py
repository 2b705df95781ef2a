"""Exercises with identifiers of their own: sphinx-exercise gives the bodies of all of them the same two."""

from __future__ import annotations

from docutils import nodes

SHARED = ("exercise-content", "solution-content")


def number_bodies(_app, doctree: nodes.document, _name: str) -> None:
    """Number the identifiers that sphinx-exercise repeats on a page, in their order."""
    counts = dict.fromkeys(SHARED, 0)
    for section in doctree.findall(nodes.section):
        for name in SHARED:
            if section["ids"] == [name]:
                counts[name] += 1
                section["ids"] = [f"{name}-{counts[name]}"]
