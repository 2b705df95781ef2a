"""The names that somebody may have meant, for an error message."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

MOST_NAMED = 8


def near_names(name: str, names: Collection[str]) -> str:
    """Write all names where they are few, else those most like the one asked for and how many others there are."""
    if not names:
        return "none"
    if len(names) <= MOST_NAMED:
        return ", ".join(sorted(names))
    nearest = get_close_matches(name, names, n=MOST_NAMED, cutoff=0.0)
    return f"{', '.join(nearest)} and {len(names) - len(nearest)} others"
