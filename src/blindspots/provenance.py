"""Where a number comes from: the code that made it, the commit, the versions, the device.

Source closures are read from the import statements, without importing anything: what a file of the package needs is
that file, the package files it imports, and so on. The cache keys, the execution keys and the build graph share them.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path

PACKAGE_DIRECTORY = Path(__file__).resolve().parent
REPORTED_PACKAGES = (
    "blindspots", "torch", "torchvision", "numpy", "scipy", "pandas", "scikit-learn", "scikit-image", "piq", "lpips",
    "matplotlib", "seaborn", "statsmodels", "papermill", "jupytext",
)  # fmt: skip


def source_closure(*files: str | Path) -> tuple[Path, ...]:
    """Return the given Python files and every file of the package they import, directly or not, sorted."""
    seen: set[Path] = set()
    waiting = [Path(file).resolve() for file in files]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(_imported_files(file, file.stat().st_mtime_ns))
    return tuple(sorted(seen))


def source_fingerprint(*files: str | Path) -> str:
    """Return the SHA-256 of the closure's code; comments, blank lines and docstrings do not count."""
    digest = hashlib.sha256()
    for file in source_closure(*files):
        digest.update(_code_digest(file, file.stat().st_mtime_ns).encode())
    return digest.hexdigest()


@lru_cache(maxsize=4096)
def _code_digest(file: Path, _changed: int) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    for node in ast.walk(tree):
        is_scope = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if is_scope and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@lru_cache(maxsize=4096)
def _imported_files(file: Path, _changed: int) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.append(node.module)
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
    found = {path for name in names if name.split(".")[0] == "blindspots" for path in _module_files(name)}
    return tuple(sorted(found))


def _module_files(name: str) -> list[Path]:
    """Return the file of a dotted name of the package and the __init__ files above it, where they exist."""
    parts = name.split(".")[1:]
    candidates = [PACKAGE_DIRECTORY.joinpath(*parts[:depth], "__init__.py") for depth in range(len(parts) + 1)]
    if parts:
        candidates.append(PACKAGE_DIRECTORY.joinpath(*parts).with_suffix(".py"))
    return [path for path in candidates if path.is_file()]


def git_state(path: str | Path) -> dict[str, object] | None:
    """Return {"commit": ..., "clean": ...} of the repository that holds path, or None outside one."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout

    try:
        commit = git("rev-parse", "HEAD").strip()
        return {"commit": commit, "clean": not git("status", "--porcelain").strip()}
    except (OSError, subprocess.SubprocessError):
        return None


def versions(packages: Iterable[str] = REPORTED_PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def device_info(device: object = "cpu") -> dict[str, object]:
    """Return the device, its name and the number of threads that torch uses on the CPU."""
    import torch

    kind = torch.device(str(device)).type
    name = torch.cuda.get_device_name(str(device)) if kind == "cuda" else _processor_name()
    return {"device": kind, "device_name": name, "threads": torch.get_num_threads()}


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or os.name
