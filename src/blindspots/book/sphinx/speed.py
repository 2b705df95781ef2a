"""The directive {speed}: recorded benchmarks, each with its contestants, ratios and goals."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from blindspots.book.sphinx.results import note_file, store_of
from blindspots.book.sphinx.status import commit_text
from blindspots.book.sphinx.tables import build_table, paragraph

logger = logging.getLogger(__name__)
FILE = "speed.json"
COLUMNS = ("Work", "Contestant", "Median", "Its time / ours", "Goal, note")


def time_text(milliseconds: float) -> str:
    """Write a time with three digits, in the unit that suits it."""
    for unit, size in (("s", 1000.0), ("ms", 1.0)):
        if milliseconds >= size:
            return f"{milliseconds / size:.3g} {unit}"
    return f"{1000 * milliseconds:.3g} µs"


def speed_table(benchmark: dict[str, Any]) -> nodes.table:
    """Make the table of one benchmark; contestants of the same work stand together."""
    rows, last = [], None
    for row in benchmark["rows"]:
        ratio = row.get("ratio")
        remark = "; ".join(text for text in (row.get("goal"), row["note"]) if text)
        rows.append([
            row["group"] if row["group"] != last else "", row["contestant"], time_text(row["median_ms"]),
            "" if ratio is None else f"{ratio:.3g}", remark,
        ])  # fmt: skip
        last = row["group"]
    return build_table(COLUMNS, rows, classes=["speed"], numeric=[False, False, True, True, False])


def conditions(benchmark: dict[str, Any]) -> str:
    """Say on what and when a benchmark was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in benchmark["versions"].items())
    load, date = f"{benchmark['load_before']:.1f}", benchmark["finished"][:10]
    return (
        f"{benchmark['device_name']}, threads: {benchmark['threads']}, load before the start {load}, {date}, "
        f"code {commit_text(benchmark['git'])}; {versions}."
    )


class Speed(SphinxDirective):
    """The directive {speed}: a section for each recorded benchmark."""

    def run(self):
        """Return the sections; a file that cannot be read warns with file and line."""
        from blindspots.reports.speed import read_speed

        path = store_of(self.env).recorded / FILE
        note_file(self.env, path)
        if not path.is_file():
            return [paragraph("No benchmark has been recorded.")]
        try:
            benchmarks = read_speed(path)
        except ValueError as error:
            logger.warning("speed: %s", error, location=self.get_location(), type="blindspots")
            return []
        found = []
        for name, benchmark in benchmarks.items():
            section = nodes.section(ids=[nodes.make_id(f"speed-{name}")])
            title = name.replace("_", " ").capitalize()
            section += nodes.title(title, title)
            section += [paragraph(benchmark["about"]), speed_table(benchmark)]
            section += paragraph(conditions(benchmark), classes=["speed-conditions"])
            found.append(section)
        return found
