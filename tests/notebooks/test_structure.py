"""What every notebook has: one parameters cell of literals, prose around code, figures with caption and alt text."""

import ast
from pathlib import Path

import jupytext
import pytest
import yaml

from blindspots.book.parameters import read_parameters
from blindspots.book.profiles import load_profile
from blindspots.book.repository import find_layout

LAYOUT = find_layout(Path(__file__).resolve().parents[2])
NAMES = LAYOUT.notebook_names()
PROFILES = ["smoke", "quick", "real", "paper"]


def code_cells(name):
    return [cell for cell in jupytext.read(LAYOUT.source(name)).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("name", NAMES)
class TestNotebook:
    def test_parameters_are_literals_in_one_cell(self, name):
        parameters = read_parameters(LAYOUT.source(name))
        assert {"device", "data_root"} <= set(parameters)
        assert {"seed", "seeds"} & set(parameters)

    def test_it_defines_nothing_but_tiny_display_helpers(self, name):
        for cell in code_cells(name):
            for node in ast.walk(ast.parse(cell.source)):
                assert not isinstance(node, ast.ClassDef), cell.source
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno - node.lineno < 6, cell.source

    def test_it_imports_the_package_and_declared_libraries_only(self, name):
        allowed = {"blindspots", "torch", "numpy", "pandas", "piq", "sklearn", "skimage", "scipy", "statsmodels"}
        allowed |= {"functools", "time"}
        for cell in code_cells(name):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Import):
                    assert {alias.name.split(".")[0] for alias in node.names} <= allowed
                elif isinstance(node, ast.ImportFrom):
                    assert node.module.split(".")[0] in allowed

    def test_every_figure_has_caption_and_alt_text(self, name):
        figures = [
            node
            for cell in code_cells(name)
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "record.figure"
        ]
        assert figures, "a chapter shows a figure"
        for call in figures:
            assert {"caption", "alt"} <= {keyword.arg for keyword in call.keywords}, ast.unparse(call)

    def test_it_opens_with_a_claim_and_ends_with_its_record(self, name):
        cells = jupytext.read(LAYOUT.source(name)).cells
        assert cells[0].cell_type == "markdown" and cells[0].source.startswith("# ")
        text = "\n".join(cell.source for cell in cells)
        for wanted in ("record.write()", "{claims}", "Differs from the paper", "{exercise}", "{solution}"):
            assert wanted.lower() in text.lower(), wanted

    def test_code_cells_that_are_shown_are_short(self, name):
        for cell in code_cells(name):
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= 30 or "hide-input" in cell.metadata.get("tags", []), cell.source

    def test_every_profile_runs_it(self, name):
        for profile in PROFILES:
            assert name in load_profile(LAYOUT, profile).notebooks

    def test_the_book_shows_it(self, name):
        toc = yaml.safe_load((LAYOUT.book / "_toc.yml").read_text())
        assert f"'notebooks/{name}'" in repr(toc)

    def test_the_source_survives_jupytext_unchanged(self, name):
        text = LAYOUT.source(name).read_text()
        again = jupytext.writes(jupytext.reads(text, fmt="py:percent"), fmt="py:percent")
        body = [part.split("# ---\n", 2)[-1].strip() for part in (text, again)]
        assert body[0] == body[1]
