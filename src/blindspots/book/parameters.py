"""The parameters cell of a notebook: what it declares, and whether given values fit.

Papermill only warns about a name that no cell declares, so names and types are compared here, before anything runs.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

CELL_MARK = re.compile(r"^# %%", re.MULTILINE)
PARAMETERS_MARK = re.compile(r"""^# %%.*\btags=\[[^\]]*"parameters"[^\]]*\]""")


def read_parameters(source: str | Path) -> dict[str, Any]:
    """Return the names and default values of a notebook's parameters cell.

    Args:
        source: a notebook in jupytext's py:percent format with exactly one cell tagged "parameters", in which every
            statement assigns a literal to a name.

    Raises:
        ValueError: no such cell, several, or a statement that is not `name = literal`.
    """
    text = Path(source).read_text(encoding="utf-8")
    starts = [match.start() for match in CELL_MARK.finditer(text)] + [len(text)]
    cells = [text[begin:end] for begin, end in pairwise(starts)]
    tagged = [cell for cell in cells if PARAMETERS_MARK.match(cell)]
    if len(tagged) != 1:
        raise ValueError(f'{source}: expected exactly one cell tagged "parameters", found {len(tagged)}')
    declared: dict[str, Any] = {}
    for statement in ast.parse(tagged[0]).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                try:
                    declared[name] = ast.literal_eval(value)
                except ValueError:
                    raise ValueError(f"{source}: parameter {name}: expected a literal value") from None
            case _:
                found = ast.unparse(statement)
                raise ValueError(f"{source}: parameters cell: expected only `name = literal`, got {found}")
    return declared


def check_parameters(declared: Mapping[str, Any], given: Mapping[str, Any], where: str) -> None:
    """Raise unless every given value names a declared parameter and has the type of its default.

    An integer fits where the default is a float; anything fits where it is None; items of a list must have the type of
    the default's items.
    """
    problems = []
    for name, value in given.items():
        if name not in declared:
            close = difflib.get_close_matches(name, declared, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            problems.append(f"{name}: no such parameter{hint}")
        elif not _fits(declared[name], value):
            wanted = _describe(declared[name])
            problems.append(f"{name}: expected {wanted} such as {declared[name]!r}, got {_describe(value)} {value!r}")
    if problems:
        existing = ", ".join(f"{name} ({_describe(value)})" for name, value in declared.items())
        raise ValueError(f"{where}: " + "; ".join(problems) + f". Parameters that exist: {existing}")


def parse_overrides(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return values from the command line, each text read as YAML (5, 0.1, true, [1, 2], text)."""
    parsed: dict[str, Any] = {}
    for name, text in pairs:
        if name in parsed:
            raise ValueError(f"parameter {name}: given twice")
        try:
            parsed[name] = yaml.safe_load(text)
        except yaml.YAMLError:
            parsed[name] = text
        if isinstance(parsed[name], str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", parsed[name]):
            parsed[name] = float(parsed[name])  # YAML 1.1 reads 1e-3 as text
    return parsed


def _fits(default: Any, value: Any) -> bool:
    if default is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    if isinstance(default, list | tuple):
        return isinstance(value, list | tuple) and all(_fits(default[0], item) for item in value if default)
    return isinstance(value, type(default))


def _describe(value: Any) -> str:
    names = {bool: "true or false", int: "an integer", float: "a number", str: "text", type(None): "nothing"}
    if isinstance(value, list | tuple):
        return f"a list of {_describe(value[0]).removeprefix('a ').removeprefix('an ')}s" if value else "a list"
    return names.get(type(value), f"a {type(value).__name__}")
