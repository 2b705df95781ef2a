"""The recorded runs of a chapter, shown on its page: their figures and tables, in a box to open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util import logging

from blindspots.book.sphinx.figures import build_figure, notebook_of
from blindspots.book.sphinx.results import note_file, read, store_of
from blindspots.book.sphinx.status import commit_text, duration_text
from blindspots.book.sphinx.tables import paragraph, table_of_record
from blindspots.reports.recorded import RECORDED_PROFILES
from blindspots.reports.writing import write_atomically

logger = logging.getLogger(__name__)


def show_recorded_runs(app, doctree) -> None:
    """Add a box at the end of a notebook's page for each recorded run of it on another profile than this build's."""
    env = app.env
    notebook, section = notebook_of(env.docname), next(doctree.findall(nodes.section), None)
    if notebook is None or section is None:
        return
    store = store_of(env)
    for profile in RECORDED_PROFILES:
        path = store.path(notebook, profile)
        note_file(env, path)
        if profile == store.profile or not path.is_file():
            continue
        try:
            section.extend(recorded_box(env, path, read(path), source=doctree["source"]))
        except (ValueError, KeyError, IndexError, OSError) as error:
            logger.warning("recorded run: %s", error, location=env.docname, type="blindspots")


def recorded_box(env, path: Path, record: dict[str, Any], *, source: str) -> list[nodes.Node]:
    """Make the box of one record: what it ran on, its figures, its tables.

    Args:
        env: the Sphinx environment, while a page is being read.
        path: the record's file; its light figures lie beside it.
        record: the record.
        source: the page's file, for messages.

    Raises:
        ValueError, KeyError: the record lacks something that is shown.
        OSError: a dark figure cannot be written.
    """
    figures = {
        key: build_figure(env, path.parent, entry | {"dark": str(dark_figure(env, path, entry))}, source=source, line=0)
        for key, entry in record["figures"].items()
    }
    tables = {key: table_of_record(entry) for key, entry in record["tables"].items()}
    for key, node in (figures | {f"table-{key}": table for key, table in tables.items()}).items():
        node["ids"].append(nodes.make_id(f"{record['profile']}-{key}"))  # a numbered node needs one
    if not figures and not tables:
        return []
    made, profile = record["provenance"], record["profile"]
    cards = made["data"]
    sets = "; ".join(f"{c['name']} ({c.get('origin') or 'unknown'}), {c['split']}, n = {c['n']}" for c in cards)
    licences = "; ".join(dict.fromkeys(c["licence"] for c in cards if c.get("licence")))
    told = [f"On {sets}." if sets else "", f"Licence: {licences}." if licences else ""]
    told += [f"Code {commit_text(made['git'])}; {duration_text(made['duration_s'])}."]
    title = f"The recorded run ({profile}), with figures: {len(figures)}, tables: {len(tables)}"
    return [
        nodes.raw("", f'<details class="recorded-run"><summary>{title}</summary>', format="html"),
        paragraph(" ".join(filter(None, told)), classes=["run-line"]),
        *figures.values(),
        *tables.values(),
        nodes.raw("", "</details>", format="html"),
    ]


def dark_figure(env, path: Path, entry: dict[str, Any]) -> Path:
    """Return the dark variant of a recorded figure, drawn from the light one beside the build's other work files."""
    from blindspots.reports.style import dark_variant  # brings matplotlib, which importing the extension must not

    light = path.parent / entry["file"]
    if not light.is_file():
        raise ValueError(f"figure file {light.name} is missing beside its record; record the run again")
    dark = Path(env.doctreedir, "recorded", path.parent.parent.name, path.parent.name, entry["dark"]).resolve()
    dark.parent.mkdir(parents=True, exist_ok=True)
    content = dark_variant(light.read_bytes())
    if not dark.is_file() or dark.read_bytes() != content:
        write_atomically(dark, content)
    return dark
