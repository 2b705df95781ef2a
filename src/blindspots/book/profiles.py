"""Profiles: one parameter block, time and memory per notebook, in profiles/<name>.yml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from blindspots.book.parameters import check_parameters, read_parameters
from blindspots.book.repository import Layout

FIELDS = ("parameters", "threads", "memory_mb", "minutes", "gpu")


@dataclass(frozen=True)
class NotebookPlan:
    """How a notebook runs at a profile: parameters, CPU threads, memory in MB, minutes at most, GPUs."""

    name: str
    parameters: dict[str, Any]
    threads: int = 1
    memory_mb: int = 2000
    minutes: int = 20
    gpu: int = 0


@dataclass(frozen=True)
class Profile:
    """A profile: its name, what it is for, and the notebooks it runs, by name."""

    name: str
    description: str
    notebooks: dict[str, NotebookPlan]


def profile_names(layout: Layout) -> list[str]:
    """Return the names of the profiles there are, sorted."""
    return sorted(path.stem for path in layout.profiles.glob("*.yml"))


def load_profile(layout: Layout, name: str, *, check: bool = True) -> Profile:
    """Return a profile whose every notebook exists and whose every parameter fits (unless `check` is off).

    Raises:
        ValueError: an unknown profile, notebook, field or parameter, or a value of the wrong type.
    """
    path = layout.profiles / f"{name}.yml"
    if not path.is_file():
        raise ValueError(f"profile: expected one of {', '.join(profile_names(layout))}; got {name!r}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name}: not valid YAML: {error}") from error
    notebooks = {}
    for notebook, block in (content.get("notebooks") or {}).items():
        block = block or {}
        unknown = sorted(set(block) - set(FIELDS))
        if unknown:
            raise ValueError(f"{path.name}: {notebook}: unknown field {unknown[0]}; fields are {', '.join(FIELDS)}")
        plan = NotebookPlan(notebook, **({"parameters": {}} | block))
        if check:
            source = find_notebook(layout, notebook)
            check_parameters(read_parameters(layout.source(source)), plan.parameters, f"{path.name}: {notebook}")
        notebooks[notebook] = plan
    return Profile(name, content.get("description", ""), notebooks)


def find_notebook(layout: Layout, name: str) -> str:
    """Return <part>/<name> for a notebook given by that name or by the path of its source.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    text = str(name).removesuffix(".py").removesuffix(".ipynb")
    names = layout.notebook_names()
    for known in names:
        if text == known or text.endswith(f"notebooks/{known}"):
            return known
    raise ValueError(f"notebook: expected one of {', '.join(names)}; got {name!r}")
