"""Where official data lies: the data root, the folder of a set below it, and whether its files are there."""

from __future__ import annotations

import os
from pathlib import Path

from blindspots.data.published import PUBLISHED
from blindspots.data_root import VARIABLE, check_folder, find_data_root

__all__ = ["VARIABLE", "check_folder", "find_data_root", "find_set", "half_written", "require_files"]

def find_set(name: str, *, data_root: str | Path | None = None) -> Path:
    """Return the folder of an official set below the data root.

    Raises:
        ValueError: an unknown name.
        FileNotFoundError: the root or the set's folder is not there; the message says where it was looked for
            and how to get it. See `find_data_root` for the rest.
    """
    if name not in PUBLISHED:
        raise ValueError(f"name: expected one of {', '.join(PUBLISHED)}; got {name!r}")
    published = PUBLISHED[name]
    folder = find_data_root(data_root) / published.folder
    if not folder.exists():
        raise FileNotFoundError(
            f"{name}: expected the folder {folder}, got nothing there; {published.remedy()}"
        )
    check_folder(folder, name)
    return folder


def require_files(name: str, folder: Path, paths: list[str] | tuple[str, ...]) -> list[Path]:
    """Return the files of a set, in the order asked for, and fail naming every one that is missing.

    Raises:
        FileNotFoundError: at least one file is missing; the message lists them and says how to get the set.
        PermissionError: a file cannot be read.
        ValueError: a file is empty.
    """
    files = [folder / path for path in paths]
    missing = [path for path, file in zip(paths, files, strict=True) if not file.is_file()]
    if missing:
        some = len(missing) < len(paths)
        raise FileNotFoundError(
            f"{name}: expected {', '.join(missing)} in {folder}, got "
            + ("only a part of the set" if some else "none of it")
            + f"; {PUBLISHED[name].remedy()}"
        )
    for file in files:
        if not os.access(file, os.R_OK):
            raise PermissionError(f"{name}: expected to read {file}, got no permission; change it with chmod")
        if file.stat().st_size == 0:
            raise half_written(name, file, "data", "an empty file")
    return files


def half_written(name: str, file: Path, expected: str, got: str) -> ValueError:
    """Return the error for a file that is there but not whole."""
    return ValueError(
        f"{name}: expected {expected} in {file}, got {got}; the file is half-written or damaged, "
        f"remove it and {PUBLISHED[name].remedy()}"
    )
