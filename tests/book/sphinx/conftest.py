"""A tiny book beside a record, built with Sphinx itself: what the extension draws is read from the pages."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

ALT = "A line that rises from 0 at epsilon 0 to 0.97 at epsilon 10, drawn over ten points."
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><path d="M0 0h10v10z"/></svg>'
CLAIMS = """claims:
  - id: p0-3.1-success
    paper: p0
    part: attacks
    place: "Section 3.1"
    statement: "The step succeeds on most digits."
    reported: "most"
    rule: {kind: at_least, value: 0.9, partly: 0.5}
    record: attacks/step#success
    scale: "100 digits"
  - id: p0-3.1-people
    paper: p0
    part: attacks
    place: "Figure 3.1"
    statement: "People do not notice."
    reported: "two examples"
    not_attempted: "needs people"
"""


def value(number, **fields):
    entry = {"value": number, "unit": "", "n": 100, "seeds": [0], "spread": None, "by_seed": None, "note": ""}
    return {**entry, "format": ".3f", **fields}


def make_record(notebook="attacks/step", profile="quick"):
    """Return a complete record with one of everything."""
    name = notebook.split("/")[1]
    data = {"name": "digits", "split": "test", "n": 100, "sha256": "ab" * 32, "origin": "embedded", "licence": "free"}
    figure = {"file": f"{name}/curve.svg", "dark": f"{name}/curve-dark.svg", "caption": "Success rises.", "alt": ALT}
    return {
        "schema": 1,
        "notebook": notebook,
        "profile": profile,
        "provenance": {
            "parameters": {"epsilon": 10},
            "seed": 0,
            "data": [data],
            "git": {"commit": "0123456789abcdef", "clean": False},
            "versions": {"python": "3.11.7", "torch": "2.6.0"},
            "device": "cpu",
            "device_name": "a processor",
            "threads": 1,
            "started": "2026-01-02T03:04:05Z",
            "duration_s": 12.34,
        },
        "values": {
            "success": value(0.97),
            "ssim": value(0.51234, seeds=[0, 1], spread=[0.49, 0.53], by_seed=[0.49, 0.53], note="planted data"),
            "time": value(12.3, unit="ms", format=".1f"),
            "share": value(95.0, unit="%", format=".1f"),
            "holds": value(True, n=None, seeds=[], format=""),
        },
        "figures": {"curve": {**figure, "n": 100, "seed": 0}},
        "tables": {
            "sweep": {
                "columns": ["attack", "epsilon", "success"],
                "units": ["", "[0, 1] range", "%"],
                "rows": [["SSIM step", 1.0, 12.5], ["gradient step", 1.0, None]],
                "caption": "Success at a short step.",
            }
        },
    }


@dataclass
class Book:
    """The sources, records and builds of the tiny book."""

    root: Path

    @property
    def source(self):
        return self.root / "book"

    def page(self, name, text):
        path = self.source / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)
        return path

    def record(self, record=None, *, folder="_build/results/quick"):
        record = record or make_record()
        path = self.root / folder / f"{record['notebook']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        for figure in record["figures"].values():
            for file in (figure["file"], figure["dark"]):
                (path.parent / file).parent.mkdir(exist_ok=True)
                (path.parent / file).write_text(SVG)
        path.write_text(json.dumps(record))
        return path

    def notebook(self, cells, name="attacks/step"):
        path = self.source / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"language_info": {"name": "python", "pygments_lexer": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)

    def build(self, **config):
        """Build what changed and return the warnings."""
        pages = [str(p.relative_to(self.source).with_suffix("")) for p in sorted(self.source.rglob("*.*"))]
        pages = [page for page in pages if (self.source / f"{page}.md").is_file() or page.startswith("notebooks/")]
        toctree = "\n".join(page for page in pages if page != "index")
        self.page("index", f"# Index\n\n```{{toctree}}\n{toctree}\n```\n")
        warnings = io.StringIO()
        settings = {
            "extensions": ["myst_nb", "sphinx.ext.mathjax", "blindspots.book.sphinx_extension"],
            "nb_execution_mode": "off",
            "numfig": True,
            "html_theme": "basic",
            "nitpicky": True,
            "blindspots_profile": "quick",
            **config,
        }
        with patch_docutils(), docutils_namespace():
            self.app = Sphinx(
                str(self.source), None, str(self.root / "html"), str(self.root / "doctrees"), "html",
                confoverrides=settings, status=None, warning=warnings,
            )  # fmt: skip
            self.read = []
            self.app.connect("source-read", lambda app, docname, content: self.read.append(docname))
            self.app.build()
        return warnings.getvalue()

    def html(self, name):
        return (self.root / "html" / f"{name}.html").read_text()


@pytest.fixture
def book(tmp_path, monkeypatch):
    for name in ("BLINDSPOTS_RESULTS", "BLINDSPOTS_PROFILE", "BLINDSPOTS_CLAIMS"):
        monkeypatch.delenv(name, raising=False)
    made = Book(tmp_path)
    (made.source / "claims").mkdir(parents=True)
    (made.source / "claims" / "p0.yml").write_text(CLAIMS)
    return made


@pytest.fixture
def record():
    return make_record()
