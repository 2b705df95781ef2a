"""Find the records that a page shows, and note that the page depends on them.

A page never holds a number of its own: it names a notebook and a key, and this module looks the key up in the
record of this build (or, after a prefix such as `real:`, in a recorded run). Whatever a page reads is noted as a
dependency, so that an incremental build renews exactly the pages whose records changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REFERENCE = re.compile(r"^(?:(?P<profile>[a-z0-9_]+):)?(?P<notebook>[\w./-]+)#(?P<key>[A-Za-z0-9_.-]+)$")


@dataclass(frozen=True)
class Store:
    """Where this build finds its records, the recorded runs, the claims and the measured run times."""

    profile: str
    build: Path
    recorded: Path
    claims: Path
    benchmarks: Path

    def folder(self, profile: str | None = None) -> Path:
        """Return the folder of one profile's records; None means this build's."""
        return self.build if profile is None or profile == self.profile else self.recorded / profile

    def path(self, notebook: str, profile: str | None = None) -> Path:
        """Return where the record of a notebook lies, whether or not it exists."""
        return self.folder(profile) / f"{notebook}.json"

    def notebooks(self, profile: str | None = None) -> list[str]:
        """List the notebooks that left a record, in alphabetical order."""
        folder = self.folder(profile)
        return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.glob("*/*.json"))

    def signature(self) -> tuple[tuple[str, int, int], ...]:
        """Return name, time and size of every file that a whole-book page (the scorecard) may show."""
        files = [*self.build.glob("*/*.json"), *self.recorded.glob("*/*/*.json")]
        return file_signature([*files, *self.claims.glob("*.yml"), *self.benchmarks.rglob("*.tsv")])


def file_signature(files: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of files, in alphabetical order."""
    stats = ((str(path), path.stat()) for path in sorted(files) if path.is_file())
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def configure(app, config) -> None:
    """Fill in the folders that were not set, from the environment and then from the repository's layout."""
    root = Path(app.srcdir).parent
    if config.blindspots_profile is None:
        config.blindspots_profile = os.environ.get("BLINDSPOTS_PROFILE", "quick")
    if config.blindspots_results is None:
        results = Path(os.environ.get("BLINDSPOTS_RESULTS", root / "_build" / "results"))
        config.blindspots_results = str(results / config.blindspots_profile)
    if config.blindspots_recorded is None:
        config.blindspots_recorded = str(root / "results")
    if config.blindspots_claims is None:
        config.blindspots_claims = str(Path(app.srcdir) / "claims")
    if config.blindspots_benchmarks is None:
        config.blindspots_benchmarks = str(root / "_build" / "benchmarks" / config.blindspots_profile)


def store_of(env) -> Store:
    """Return the folders that this build reads, made absolute against the source folder."""
    config = env.config
    names = ("results", "recorded", "claims", "benchmarks")
    paths = (Path(env.srcdir, getattr(config, f"blindspots_{name}")).resolve() for name in names)
    return Store(config.blindspots_profile, *paths)


def note_file(env, path: Path) -> None:
    """Say that the present page must be read again when this file changes, appears or goes."""
    env.note_dependency(os.path.relpath(path, env.srcdir))


def note_whole_book(env) -> None:
    """Say that the present page must be read again when any record, claim or run time changes."""
    readers = getattr(env, "blindspots_readers", None)
    if readers is None:
        readers = env.blindspots_readers = set()
    readers.add(env.docname)


def outdated(app, env, added, changed, removed) -> list[str]:
    """Name the pages that Sphinx would not notice: whole-book pages, and the first one for a new style sheet.

    Sphinx copies style sheets only in a build that writes some page.
    """
    signature, styles = store_of(env).signature(), file_signature(Path(env.srcdir, "_static").rglob("*"))
    before = getattr(env, "blindspots_signature", None)
    env.blindspots_signature = (signature, styles)
    if before is None:
        return []
    readers = getattr(env, "blindspots_readers", set()) if before[0] != signature else set()
    first = {env.config.root_doc} if before[1] != styles else set()
    return sorted((readers | first) & env.found_docs)


def purge(app, env, docname: str) -> None:
    """Forget what a page read, before it is read again or after it is gone."""
    getattr(env, "blindspots_readers", set()).discard(docname)


def merge(app, env, docnames, other) -> None:
    """Collect what pages read in a parallel build."""
    env.blindspots_readers = getattr(env, "blindspots_readers", set()) | getattr(
        other, "blindspots_readers", set()
    )


def read(path: Path) -> dict[str, Any]:
    """Read and check one record.

    Raises:
        ValueError: there is no such record, or it is not a valid one; the message says what to do.
    """
    from blindspots.reports.schema import read_record

    if not path.is_file():
        raise ValueError(f"no record at {path.parent.name}/{path.name}; run the notebook, then build again")
    return read_record(path)


def find(env, reference: str, kind: str) -> tuple[Path, dict[str, Any]]:
    """Look up `notebook#key` (or `real:notebook#key`) and note the dependency.

    Args:
        env: the Sphinx environment, while a page is being read.
        reference: the notebook's name, `#`, and the key in its record.
        kind: "values", "figures" or "tables".

    Returns:
        The record's path and the entry under the key.

    Raises:
        ValueError: the reference is malformed, there is no such record, or the record has no such key.
    """
    match = REFERENCE.match(reference.strip())
    if match is None:
        raise ValueError(f"expected part/notebook#key, got {reference!r}")
    path = store_of(env).path(match["notebook"], match["profile"])
    note_file(env, path)
    entries = read(path).get(kind, {})
    if match["key"] not in entries:
        from blindspots.reports.near_names import near_names

        known = near_names(match["key"], entries)
        raise ValueError(f"the record of {match['notebook']} has no {kind} {match['key']!r}; it has: {known}")
    return path, entries[match["key"]]
