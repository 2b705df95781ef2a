"""The extension as a whole: what it registers, and that importing it is light."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from blindspots.book import sphinx_extension

ROOT = Path(__file__).resolve().parents[2]


def test_importing_the_extension_is_light():
    code = (
        "import sys, blindspots.book.sphinx_extension; sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_change_of_the_extension_makes_sphinx_read_every_page(monkeypatch, tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "one.py").write_text("a = 1")
    monkeypatch.setattr(sphinx_extension, "STATIC", tmp_path / "static")
    before = sphinx_extension.source_version()
    assert sphinx_extension.source_version() == before
    (tmp_path / "one.py").write_text("a = 2")
    assert sphinx_extension.source_version() != before
    before = sphinx_extension.source_version()
    (tmp_path / "static" / "style.css").write_text("p {}")
    assert sphinx_extension.source_version() != before


def test_its_docstring_lists_every_role_and_directive():
    text = Path(sphinx_extension.__file__).read_text()
    registered = re.findall(r'add_(?:role|directive)\("([\w-]+)"', text)
    assert len(registered) == 10
    assert all(f"{{{name}}}" in sphinx_extension.__doc__ for name in registered)


def test_the_book_uses_it_and_executes_nothing():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert "blindspots.book.sphinx_extension" in config["sphinx"]["extra_extensions"]
    assert config["execute"]["execute_notebooks"] == "off"
    assert config["only_build_toc_files"] is True


def test_its_static_files_travel_with_the_package():
    names = {path.suffix for path in sphinx_extension.STATIC.iterdir()}
    declared = (ROOT / "pyproject.toml").read_text().split("[tool.setuptools.package-data]")[1].split("]")[0]
    assert all(f'"**/*{suffix}"' in declared for suffix in names)
