"""The ways to make the environment agree: pyproject.toml, environment.yml, constraints.txt."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
ALL = [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]


def test_conda_installs_the_package_with_every_extra_under_the_constraints():
    pip = next(entry["pip"] for entry in CONDA if isinstance(entry, dict))
    assert "-c constraints.txt" in pip
    (editable,) = [line for line in pip if line.startswith("-e .")]
    assert set(re.search(r"\[(.*)\]", editable)[1].split(",")) == set(PROJECT["optional-dependencies"])


def test_make_installs_the_same_extras():
    assert "-c constraints.txt -e '.[book,dev,oracles]'" in (ROOT / "Makefile").read_text()


def test_conda_and_pyproject_ask_for_the_same_python():
    (asked,) = [entry for entry in CONDA if str(entry).startswith("python>")]
    conda, project = SpecifierSet(asked.removeprefix("python")), SpecifierSet(PROJECT["requires-python"])
    for version in ("3.9", "3.10", "3.11", "3.12", "3.13"):
        assert (version in conda) == (version in project)


@pytest.mark.parametrize("text", ALL)
def test_every_requirement_has_an_exact_version_that_satisfies_it(text):
    requirement = Requirement(text)
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_environment_has_the_exact_versions():
    installed = {canonicalize_name(d.metadata["Name"]): d.version for d in metadata.distributions()}
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    other = {n: (v, installed[n]) for n, v in pins.items() if n in installed and installed[n] != v}
    assert not other, f"run `make env`: {other}"


def test_constraints_hold_names_and_versions_only():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line
