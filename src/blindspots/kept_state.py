"""The state of a long computation in a file, from which it is taken up again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch


def keep_state(file: str | Path, digest: str, state: dict[str, Any]) -> None:
    """Write a state of tensors, numbers and texts to a file, all or nothing; folders are made.

    Args:
        file: where; it is replaced.
        digest: a text that says which computation the state belongs to.
        state: what `torch.load` can read back with `weights_only=True`.

    Raises:
        OSError: the folder cannot be written to.
    """
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        torch.save({"digest": digest, "state": state}, part)
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def kept_state(file: str | Path, digest: str) -> dict[str, Any] | None:
    """Return the state in a file, on the CPU, or None where there is no such file.

    Raises:
        ValueError: a damaged file, or the state of another computation.
    """
    file = Path(file)
    if not file.is_file():
        return None
    try:
        kept = torch.load(file, map_location="cpu", weights_only=True)
        found, state = kept["digest"], kept["state"]
    except Exception as error:
        raise ValueError(
            f"progress_file: expected the progress of this computation in {file}, got a file that cannot be read "
            f"({error}); remove it to start anew"
        ) from error
    if found != digest:
        raise ValueError(
            f"progress_file: expected the progress of this computation in {file}, got that of other data, networks or "
            "options; name another file, or remove it"
        )
    return state
