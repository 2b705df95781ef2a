"""Where official data lies: the data root, the folder of a set below it, and whether its files are there."""

from __future__ import annotations

import os
from pathlib import Path

from blindspots.data.published import PUBLISHED

VARIABLE = "BLINDSPOTS_DATA"


def find_data_root(data_root: str | Path | None = None) -> Path:
    """Return the data root as an absolute path: the argument, or the environment variable BLINDSPOTS_DATA.

    Raises:
        FileNotFoundError: neither is given, or the folder does not exist.
        NotADirectoryError: it is a file.
        PermissionError: it cannot be read.
    """
    given = data_root if data_root is not None else os.environ.get(VARIABLE) or None
    where = "data_root" if data_root is not None else VARIABLE
    if given is None:
        raise FileNotFoundError(
            f"data_root: expected a folder with official data sets, got none; set {VARIABLE} or pass "
            "data_root=..., or use an embedded or planted set, which needs no folder"
        )
    if not isinstance(given, str | Path):
        raise TypeError(f"data_root: expected a path, got {type(given).__name__} {given!r}")
    root = Path(given).expanduser().absolute()
    check_folder(root, where)
    return root


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


def check_folder(folder: Path, name: str) -> None:
    """Raise unless a path is a folder that can be listed."""
    if not folder.exists():
        raise FileNotFoundError(
            f"{name}: expected an existing folder, got {folder}; create it or correct the path"
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{name}: expected a folder, got the file {folder}; give the folder that holds the sets"
        )
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except PermissionError as error:
        raise PermissionError(
            f"{name}: expected to list {folder}, got no permission; use chmod or another folder"
        ) from error
