"""What every page was made from: the status of all notebooks, one notebook's provenance, and its download."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from blindspots.book.sphinx.figures import notebook_of
from blindspots.book.sphinx.results import Store, note_file, note_whole_book, read, store_of
from blindspots.book.sphinx.tables import build_table, page_link, paragraph

logger = logging.getLogger(__name__)


def memory_of(store: Store, notebook: str) -> float | None:
    """Return the largest resident memory of a run in MB, as Snakemake measured it, or None."""
    part, name = notebook.split("/", 1)
    for candidate in (f"{part}/{name}.tsv", f"{part}-{name}.tsv", f"{part}.{name}.tsv"):
        path = store.benchmarks / candidate
        if not path.is_file():
            continue
        with path.open(newline="") as file:
            values = [row.get("max_rss") for row in csv.DictReader(file, delimiter="\t")]
        numbers = [float(value) for value in values if value and value.replace(".", "", 1).isdigit()]
        if numbers:
            return max(numbers)
    return None


def duration_text(seconds: float) -> str:
    """Write a duration in seconds, or in minutes from two minutes on."""
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def commit_text(git: dict[str, Any] | None) -> str:
    """Write the commit, and say when the tree held changes of its own."""
    if not git:
        return "not under version control"
    return git["commit"][:10] + ("" if git["clean"] else ", with uncommitted changes")


def seed_text(seed: int | None) -> str:
    """Write a seed, or that nothing was drawn."""
    return "none, nothing is drawn at random" if seed is None else str(seed)


def data_text(card: dict[str, Any]) -> str:
    """Write one data set: name, split, images, fingerprint, origin, licence."""
    parts = [f"{card['name']}, {card['split']}, n = {card['n']}", f"SHA-256 {str(card['sha256'])[:12]}…"]
    return "; ".join([*parts, *(str(card[key]) for key in ("origin", "licence") if card.get(key))])


def provenance_fields(record: dict[str, Any], memory: float | None) -> list[tuple[str, str]]:
    """List what a reader needs to repeat a run, as names and values."""
    made = record["provenance"]
    device = made.get("device_name") or made["device"]
    fields = [
        ("Profile", record["profile"]),
        ("Parameters", ", ".join(f"{key} = {value}" for key, value in made["parameters"].items()) or "none"),
        ("Seed", seed_text(made["seed"])),
        *(("Data", data_text(card)) for card in made["data"]),
        ("Code", commit_text(made["git"])),
        ("Device", f"{device}, {made['threads']} thread{'s' if made['threads'] != 1 else ''}"),
        ("Started", str(made["started"]).replace("T", " ").replace("Z", " UTC")),
        ("Duration", duration_text(made["duration_s"])),
        ("Versions", ", ".join(f"{name} {version}" for name, version in made["versions"].items())),
    ]
    if memory is not None:
        fields.insert(-1, ("Memory", f"{memory:.0f} MB"))
    return fields


def provenance_box(record: dict[str, Any], memory: float | None) -> list[nodes.Node]:
    """Make the folded box that says how a page was made."""
    items = nodes.definition_list(classes=["provenance-fields"])
    for name, value in provenance_fields(record, memory):
        items += nodes.definition_list_item(
            "", nodes.term(name, name), nodes.definition("", paragraph(value))
        )
    opening = '<details class="provenance"><summary>How this page was made</summary>'
    return [nodes.raw("", opening, format="html"), items, nodes.raw("", "</details>", format="html")]


class Provenance(SphinxDirective):
    """The directive {provenance} part/name: the box for a notebook, on a page of prose."""

    required_arguments = 1

    def run(self):
        """Return the box, or a warning that names file and line."""
        store = store_of(self.env)
        path = store.path(self.arguments[0])
        note_file(self.env, path)
        try:
            return provenance_box(read(path), memory_of(store, self.arguments[0]))
        except (ValueError, KeyError) as error:
            logger.warning("provenance: %s", error, location=self.get_location(), type="blindspots")
            return []


class Status(SphinxDirective):
    """The directive {status}: one row for each notebook of this build, or of a recorded profile."""

    option_spec: ClassVar = {"profile": directives.unchanged_required}

    def run(self):
        """Return the table; a record that cannot be read warns with file and line."""
        note_whole_book(self.env)
        store, profile = store_of(self.env), self.options.get("profile")
        rows = []
        for notebook in store.notebooks(profile):
            try:
                rows.append(self.row(store, notebook, read(store.path(notebook, profile)), profile))
            except (ValueError, KeyError) as error:
                logger.warning("status: %s", error, location=self.get_location(), type="blindspots")
        if not rows:
            return [paragraph(f"No notebook has been recorded with the profile {profile or store.profile}.")]
        columns = ["Notebook", "Duration", "Memory", "Device", "Versions", "Code", "Data"]
        numeric = [False, True, True, False, False, False, False]
        return [build_table(columns, rows, classes=["status"], numeric=numeric)]

    def row(self, store: Store, notebook: str, record: dict[str, Any], profile: str | None) -> list:
        """Make one row: where, how long, how much memory, on what, from which code and data."""
        made = record["provenance"]
        memory = memory_of(store, notebook) if profile in (None, store.profile) else None
        versions = ", ".join(
            f"{name} {made['versions'][name]}" for name in ("python", "torch", "numpy") if name in made["versions"]
        )
        return [
            [paragraph(page_link(self.env, f"notebooks/{notebook}", notebook))],
            duration_text(made["duration_s"]),
            "–" if memory is None else f"{memory:.0f} MB",
            f"{made.get('device_name') or made['device']}, threads: {made['threads']}",
            versions,
            commit_text(made["git"]),
            [paragraph(data_text(card)) for card in made["data"]] or "–",
        ]


def frame_notebook(app, doctree) -> None:
    """Give each notebook's page a line below its title with the download, and the provenance box at its end."""
    env = app.env
    notebook = notebook_of(env.docname)
    section = next(doctree.findall(nodes.section), None)
    if notebook is None or section is None:
        return
    store = store_of(env)
    path = store.path(notebook)
    note_file(env, path)
    try:
        record = read(path)
        box = provenance_box(record, memory_of(store, notebook))
    except (ValueError, KeyError) as error:
        logger.warning("provenance: %s", error, location=env.docname, type="blindspots")
        return
    title = next(index for index, node in enumerate(section) if isinstance(node, nodes.title))
    section.insert(title + 1, run_line(env, record))
    section.extend(box)


def run_line(env, record: dict[str, Any]) -> nodes.paragraph:
    """Say in one line which run the page shows, and offer its notebook."""
    made = record["provenance"]
    seed = "" if made["seed"] is None else f", seed {made['seed']}"
    text = f"Profile {record['profile']}, ran in {duration_text(made['duration_s'])}{seed}. "
    line = paragraph(text, classes=["run-line"])
    page = Path(env.doc2path(env.docname))
    if page.suffix == ".ipynb":
        link = addnodes.download_reference(
            "", "", reftarget="/" + env.docname + ".ipynb", refdoc=env.docname, refdomain="", refexplicit=True
        )
        link += nodes.inline("", "Download this notebook (.ipynb)", classes=["xref", "download"])
        line += link
    return line
