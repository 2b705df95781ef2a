"""Figures from records: numbered, captioned, described, and drawn for a light and for a dark page."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from blindspots.book.sphinx.results import find, note_file, read, store_of
from blindspots.reports.display import FIGURE_MEDIA_TYPE, full_caption

logger = logging.getLogger(__name__)


def build_figure(env, folder: Path, entry: dict[str, Any], *, source: str, line: int) -> nodes.figure:
    """Make the figure node of one entry of a record's figures.

    Args:
        env: the Sphinx environment, while a page is being read.
        folder: the folder that the entry's files are named from.
        entry: file, dark, caption, alt, and optionally n and seed.
        source: the page's file, for messages.
        line: the line in it, for messages.

    Raises:
        ValueError: no alternative text, no caption, or a file that is not there.
    """
    for field in ("alt", "caption"):
        if not str(entry.get(field) or "").strip():
            raise ValueError(f"figure {entry.get('file')!r} has no {field}; every figure needs one")
    page_folder = Path(env.doc2path(env.docname)).parent
    figure = nodes.figure(classes=["record-figure"])
    figure.source, figure.line = source, line
    pair = nodes.container(classes=["themed-images"])  # the theme hides a caption that follows a hidden image
    figure += pair
    for field, shown in (("file", "only-light"), ("dark", "only-dark")):
        path = Path(folder, entry.get(field) or entry["file"])
        note_file(env, path)
        if not path.is_file():
            raise ValueError(f"figure file {path.name} is missing beside its record; run the notebook again")
        uri = Path(os.path.relpath(path, page_folder)).as_posix()
        image = nodes.image(uri=uri, alt=entry["alt"], classes=[shown])
        image.source, image.line = source, line
        pair += image
    text = full_caption(entry["caption"], n=entry.get("n"), seed=entry.get("seed"))
    caption = nodes.caption(text, text)
    caption.source, caption.line = source, line
    figure += caption
    return figure


class RecordFigure(SphinxDirective):
    """The directive {record-figure} notebook#key, with a :name: for numbered references."""

    required_arguments = 1
    option_spec: ClassVar = {"name": directives.unchanged, "class": directives.class_option}

    def run(self):
        """Return the figure, or a warning that names file and line."""
        source, line = self.get_source_info()
        try:
            path, entry = find(self.env, self.arguments[0], "figures")
            figure = build_figure(self.env, path.parent, entry, source=source, line=line)
        except (ValueError, KeyError) as error:
            logger.warning("record-figure: %s", error, location=self.get_location(), type="blindspots")
            return []
        figure["classes"] += self.options.get("class", [])
        self.add_name(figure)
        return [figure]


class FigureRenderer:
    """Show a notebook's figure outputs as numbered figures (a MyST-NB renderer of our own media type).

    The target of figure `key` in notebook `part/name` is `fig-name-key`.
    """

    mime_priority_overrides: ClassVar = [("html", FIGURE_MEDIA_TYPE, 1), ("dirhtml", FIGURE_MEDIA_TYPE, 1)]

    @staticmethod
    def handle_mime(renderer, data, inline):
        """Return the figure's node, None for any other media type."""
        if inline or data.mime_type != FIGURE_MEDIA_TYPE:
            return None
        document = renderer.renderer.document
        env = document.settings.env
        line = data.line or 0
        try:
            notebook = data.content["notebook"]
            path = store_of(env).path(notebook)
            note_file(env, path)
            key = data.content["key"]
            if key not in read(path)["figures"]:
                raise ValueError(f"the record of {notebook} has no figures {key!r}; run the notebook again")
            entry = {**read(path)["figures"][key], **data.content}
            figure = build_figure(env, path.parent, entry, source=document["source"], line=line)
        except (ValueError, KeyError) as error:
            logger.warning("figure: %s", error, location=(env.docname, line), type="blindspots")
            return []
        figure["names"].append(nodes.fully_normalize_name(f"fig-{notebook.split('/')[-1]}-{key}"))
        document.note_explicit_target(figure, figure)
        return [figure]


def notebook_of(docname: str) -> str | None:
    """Return part/name for the page of a notebook, None for any other page."""
    return docname.removeprefix("notebooks/") if docname.startswith("notebooks/") else None


def register_renderer() -> None:
    """Add our renderer to MyST-NB's list, which it builds once from entry points and keeps."""
    from myst_nb.core.render import load_mime_renders

    renderers = load_mime_renders()
    if FigureRenderer not in renderers:
        renderers.append(FigureRenderer)


def check_alternative_text(app, doctree) -> None:
    """Warn of every image on a page that says nothing to someone who cannot see it."""
    for image in doctree.findall(nodes.image):
        if not str(image.get("alt") or "").strip():
            logger.warning(
                "image %s has no alternative text", image.get("uri"), location=image, type="blindspots"
            )
    for raw in doctree.findall(nodes.raw):
        if "html" in raw.get("format", ""):
            for tag in re.findall(r"<img\b[^>]*>", raw.astext()):
                if not re.search(r"""\balt\s*=\s*("[^"]*\S[^"]*"|'[^']*\S[^']*')""", tag):
                    logger.warning("an <img> has no alternative text", location=raw, type="blindspots")
