"""The Sphinx extension of the book: numbers, figures, tables, claims and provenance come from records.

Roles and directives, each in a file of `blindspots.book.sphinx`:

    {record}`notebook#key`        a number in a sentence                        numbers.py
    {record-figure} notebook#key  a figure with caption and alternative text    figures.py
    {record-table} notebook#key   a table                                       tables.py
    {claims}                      a chapter's claims and verdicts               claims.py
    {scorecard}                   all claims; {scorecard-summary} counts them   claims.py
    {status}, {provenance}        how the pages were made                       status.py
    (no directive)                a chapter's recorded runs, on its page        recorded_runs.py
    {speed}                       measured speed against peers                  speed.py
    {sections}                    where each paper's sections are treated       sections.py

A record, key, file or alternative text that is missing is a warning with file and line, and the book is built with
warnings as errors.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from docutils import nodes

from blindspots.book.sphinx import (
    citations,
    claims,
    exercises,
    figures,
    mathjax,
    numbers,
    recorded_runs,
    results,
    sections,
    speed,
    status,
    tables,
)

STATIC = Path(__file__).parent / "sphinx" / "static"


def setup(app):
    """Register the extension with Sphinx."""
    for name in ("profile", "results", "recorded", "claims", "benchmarks"):
        app.add_config_value(f"blindspots_{name}", None, "env", [str, type(None)])
    app.connect("config-inited", results.configure)
    app.connect("config-inited", mathjax.configure, priority=600)

    plain = (numbers.visit_plain, numbers.depart_plain)
    app.add_node(
        numbers.record_number,
        html=(numbers.visit_html, numbers.depart_html),
        latex=plain,
        text=plain,
        man=plain,
        texinfo=plain,
    )
    app.add_node(nodes.citation, override=True, html=(citations.visit_html, citations.depart_html))
    app.add_role("record", numbers.RecordRole())
    app.add_directive("record-figure", figures.RecordFigure)
    app.add_directive("record-table", tables.RecordTable)
    app.add_directive("claims", claims.Claims)
    app.add_directive("scorecard", claims.Scorecard)
    app.add_directive("scorecard-summary", claims.ScorecardSummary)
    app.add_directive("status", status.Status)
    app.add_directive("provenance", status.Provenance)
    app.add_directive("sections", sections.Sections)
    app.add_directive("speed", speed.Speed)
    figures.register_renderer()

    app.connect("builder-inited", add_static_files)
    app.connect("html-page-context", claims.add_script)
    app.connect("env-get-outdated", results.outdated)
    app.connect("env-purge-doc", results.purge)
    app.connect("env-merge-info", results.merge)
    app.connect("doctree-read", recorded_runs.show_recorded_runs, priority=399)  # above the provenance box
    app.connect("doctree-read", status.frame_notebook, priority=400)  # before Sphinx collects downloads
    app.connect("doctree-read", figures.check_alternative_text, priority=450)
    app.connect("doctree-resolved", exercises.number_bodies)
    app.connect("build-finished", mathjax.copy_bundle)
    return {"env_version": source_version(), "parallel_read_safe": True, "parallel_write_safe": True}


def source_version() -> int:
    """Return a number made from the extension's own sources: when they change, Sphinx reads every page again."""
    files = sorted([*STATIC.parent.glob("*.py"), *STATIC.iterdir()])
    return zlib.crc32(b"".join(file.read_bytes() for file in files))


def add_static_files(app) -> None:
    """Offer the extension's style sheet and script to the pages."""
    app.config.html_static_path.append(str(STATIC))
    app.add_css_file("blindspots-records.css")
