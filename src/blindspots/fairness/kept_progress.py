"""The state of a long computation in a file, from which it is taken up again."""

from __future__ import annotations

import hashlib
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blindspots.fingerprint import fingerprint


def progress_digest(options: dict[str, Any], *tensors: Tensor) -> str:
    """Return the SHA-256 of JSON-able options and of tensors: which computation a file belongs to."""
    text = json.dumps(options, sort_keys=True) + fingerprint(*tensors)
    return hashlib.sha256(text.encode()).hexdigest()


def described(function: object) -> str:
    """Return what can be told of an attack: its settings if it has any (a NamedAttack), else its name and a partial's
    options.

    Two functions made in one place (lambdas, closures) cannot be told apart; tensors and models among the options are
    named by their type only.
    """
    settings = getattr(function, "settings", None)
    if settings is not None:
        return json.dumps(dict(settings), sort_keys=True, default=str)
    if isinstance(function, partial):
        plain = (bool, int, float, str, type(None))
        options = {
            name: value if isinstance(value, plain) else type(value).__name__
            for name, value in function.keywords.items()
        }
        return f"{described(function.func)} {json.dumps(options, sort_keys=True)}"
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"


def keep_progress(file: Path, digest: str, state: dict[str, Any]) -> None:
    """Write a state of tensors, numbers and texts to a file, all or nothing; folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial_file = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        torch.save({"digest": digest, "state": state}, partial_file)
        os.replace(partial_file, file)
    finally:
        partial_file.unlink(missing_ok=True)


def kept_progress(file: Path, digest: str) -> dict[str, Any] | None:
    """Return the state in a file, on the CPU, or None where there is no such file.

    Raises:
        ValueError: a damaged file, or the progress of another computation.
    """
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
            f"progress_file: expected the progress of this computation in {file}, got that of another model, data, "
            "attack or options; name another file, or remove it"
        )
    return state
