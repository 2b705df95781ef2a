"""Write files whole or not at all: to a temporary name in the same folder, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

LARGEST_FILE = 1_000_000
"""Bytes. Records and figures are committed to the repository, which holds no larger file."""


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write content to path, so that a reader sees the old file or the new one and never a part.

    Raises:
        OSError: the folder cannot be made or written to (permission, full disk); nothing is left behind.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        _forget(temporary)
        message = f"{path}: cannot be written ({error.strerror}); free some space or choose a folder you may write to"
        raise OSError(error.errno, message) from error
    except BaseException:
        _forget(temporary)
        raise
    return path


def _forget(temporary: str | None) -> None:
    if temporary is not None:
        Path(temporary).unlink(missing_ok=True)
