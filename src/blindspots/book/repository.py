"""Where the book's files lie: the repository root and what is built below it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout, all below `root`."""

    root: Path

    @property
    def notebooks(self) -> Path:
        """Sources of the notebooks, <part>/<name>.py."""
        return self.root / "notebooks"

    @property
    def profiles(self) -> Path:
        """One YAML file per profile."""
        return self.root / "profiles"

    @property
    def book(self) -> Path:
        """Prose and configuration of the site; executed notebooks are copied into it."""
        return self.root / "book"

    @property
    def recorded(self) -> Path:
        """Recorded runs under version control, <profile>/<part>/<name>.json."""
        return self.root / "results"

    @property
    def build(self) -> Path:
        """Everything generated."""
        return self.root / "_build"

    @property
    def site(self) -> Path:
        """The built site."""
        return self.build / "html"

    @property
    def results(self) -> Path:
        """Records of this build, <profile>/<part>/<name>.json."""
        return self.build / "results"

    def page(self, profile: str, name: str) -> Path:
        """Return where the executed notebook of a profile goes."""
        return self.build / "pages" / profile / f"{name}.ipynb"

    def record(self, profile: str, name: str) -> Path:
        """Return where the record of a notebook's run at a profile goes."""
        return self.results / profile / f"{name}.json"

    def stamp(self, profile: str, name: str) -> Path:
        """Return the file that tells the build graph that a notebook is done."""
        return self.build / "stamps" / profile / f"{name}.json"

    def source(self, name: str) -> Path:
        """Return the source of a notebook named <part>/<name>."""
        return self.notebooks / f"{name}.py"

    def notebook_names(self) -> list[str]:
        """Return the names <part>/<name> of all notebooks, sorted."""
        sources = self.notebooks.glob("*/*.py")
        return sorted(path.relative_to(self.notebooks).with_suffix("").as_posix() for path in sources)


def find_layout(start: str | Path | None = None) -> Layout:
    """Return the layout of the checkout that holds `start` (BLINDSPOTS_ROOT or the current folder by default).

    Raises:
        FileNotFoundError: no folder above holds both notebooks/ and profiles/.
    """
    begin = Path(start or os.environ.get("BLINDSPOTS_ROOT") or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        if (folder / "notebooks").is_dir() and (folder / "profiles").is_dir():
            return Layout(folder)
    raise FileNotFoundError(
        f"repository: expected notebooks/ and profiles/ in {begin} or a folder above it, found none; "
        "run from a clone of the book or set BLINDSPOTS_ROOT"
    )
