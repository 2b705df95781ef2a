"""One loader over every data set: embedded, planted and official, by name."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from blindspots.checks import check_number
from blindspots.data import embedded, official, planted
from blindspots.data.sets import Source, sealed

_TIERS = ("embedded", "planted", "official")


def catalogue() -> tuple[Source, ...]:
    """Return every data set that `load` knows: embedded first, then planted, then official."""
    return _SOURCES


def describe(name: str) -> Source:
    """Return what is known about a data set before it is loaded.

    Raises:
        ValueError: an unknown name; the message lists the known ones and the closest.
    """
    by_name = {source.name: source for source in _SOURCES}
    if not isinstance(name, str):
        raise TypeError(f"name: expected the name of a data set, got {type(name).__name__} {name!r}")
    if name not in by_name:
        close = difflib.get_close_matches(name.lower(), by_name, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"name: expected one of {', '.join(by_name)}; got {name!r}{hint}")
    return by_name[name]


def load(
    name: str,
    *,
    split: str,
    size: int | None = None,
    limit: int | None = None,
    data_root: str | Path | None = None,
) -> Any:
    """Load one split of a data set by name.

    Args:
        name: a name from `catalogue`.
        split: one of the set's splits: the publisher's, or fixed by a seed where the publisher has none.
        size: image side in pixels, one of the set's sizes; None = the set's own default.
        limit: load only the first `limit` rows of the split, in its fixed order; >= 1. None = all rows.
        data_root: folder with official sets in their publishers' layouts; None = the environment variable
            BLINDSPOTS_DATA. Embedded and planted sets need none.

    Returns:
        ImageSet, TableSet, or the set's own record. Its card names the split, the origin and the SHA-256
        fingerprint of the tensors returned. The tensors are the caller's own: changing them changes no later
        load.

    Raises:
        ValueError: an unknown name, split or size, a limit below 1. The message names what is allowed.
    """
    source = describe(name)
    if split not in source.splits:
        raise ValueError(f"split: expected one of {', '.join(source.splits)} for {name!r}; got {split!r}")
    if size is not None:
        _check_size(source, size)
    if limit is not None:
        check_number(limit, "limit", at_least=1, integer=True)
    root = None if data_root is None else Path(data_root)
    return sealed(source.read(split, size, limit, root), split=split)


def _check_size(source: Source, size: int) -> None:
    check_number(size, "size", at_least=1, integer=True)
    if source.sizes == ():
        raise ValueError(f"size: {source.name!r} has no image size, got {size}; leave it out")
    if source.sizes is not None and size not in source.sizes:
        allowed = ", ".join(str(side) for side in source.sizes)
        raise ValueError(f"size: expected one of {allowed} pixels for {source.name!r}; got {size}")


def _gather(*families: tuple[Source, ...]) -> tuple[Source, ...]:
    sources = tuple(source for family in families for source in family)
    names = [source.name for source in sources]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"sources: expected distinct names, got {', '.join(repeated)} more than once")
    return tuple(sorted(sources, key=lambda source: _TIERS.index(source.tier)))


_SOURCES = _gather(embedded.SOURCES, planted.SOURCES, official.SOURCES)
