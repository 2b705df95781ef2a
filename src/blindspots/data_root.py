"""The folder with official data and weights, named by an argument or by the environment."""

from __future__ import annotations

import os
from pathlib import Path

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
