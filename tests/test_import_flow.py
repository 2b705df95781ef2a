"""Imports run one way, and importing the package or its command line is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "blindspots"
LAYERS = ["data", "models", "latent_models", "perception", "attacks", "siblings", "studies", "reports", "book"]
SIBLINGS = {"purify", "fairness", "debias", "latent", "criticism"}
KERNELS = {"perception", "attacks"} | SIBLINGS


def subpackage(parts):
    return parts[0] if len(parts) > 1 or (PACKAGE / parts[0]).is_dir() else "base"


def arrows():
    """Yield (file, its subpackage, the subpackage it imports)."""
    for file in PACKAGE.rglob("*.py"):
        inside = file.relative_to(PACKAGE).with_suffix("").parts
        if inside == ("__init__",):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{file}: relative import"
                names = [node.module]
                if node.module == "blindspots":
                    names = [f"blindspots.{alias.name}" for alias in node.names]
            for name in names:
                parts = name.split(".")
                if parts[0] == "blindspots" and len(parts) > 1 and parts[1] != "__version__":
                    yield file, subpackage(inside), subpackage(parts[1:])


def height(name):
    return -1 if name == "base" else LAYERS.index("siblings" if name in SIBLINGS else name)


def test_no_arrow_points_upwards_or_between_siblings():
    wrong = [
        f"{file.relative_to(PACKAGE)} imports {target}"
        for file, source, target in arrows()
        if height(target) > height(source) or (height(target) == height(source) and target != source)
    ]
    assert not wrong, wrong


def test_kernels_need_neither_data_nor_models():
    fed = {"data", "models", "latent_models"}
    wrong = [str(file) for file, source, target in arrows() if source in KERNELS and target in fed]
    assert not wrong, wrong


def test_there_is_no_drawer_without_a_name():
    assert not [file for file in PACKAGE.rglob("*.py") if file.stem in {"utils", "util", "helpers", "common", "misc"}]


def test_every_module_has_a_test_file_of_its_name():
    tests = PACKAGE.parents[1] / "tests"
    files = [file.relative_to(PACKAGE) for file in PACKAGE.rglob("*.py") if file.stem != "__init__"]
    missing = [str(file) for file in files if not (tests / file.parent / f"test_{file.name}").is_file()]
    assert not missing, missing


@pytest.mark.parametrize("module", ["blindspots", "blindspots.book.cli", "blindspots.reports", "blindspots.book"])
def test_importing_is_light(module):
    code = f"import sys, {module}; sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib', 'sphinx')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
