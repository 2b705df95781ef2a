"""Reading weight files: safely, completely, and with errors that say what is wrong with the file."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def read_weights(path: str | Path, *, sha256_prefix: str = "") -> Any:
    """Return what a weight file holds, read with `weights_only=True`, on the CPU.

    Args:
        path: a file written by `torch.save`.
        sha256_prefix: the first digits of its SHA-256, checked before anything is unpacked; "" checks nothing.

    Raises:
        OSError: missing (FileNotFoundError), a folder, or not readable; the message names the remedy.
        ValueError: another checksum, a truncated or damaged file, or one that holds more than tensors.
    """
    path = Path(path)
    content = _read_bytes(path)
    if sha256_prefix and not (found := hashlib.sha256(content).hexdigest()).startswith(sha256_prefix):
        raise ValueError(
            f"path: expected {path} to have a SHA-256 that begins with {sha256_prefix}, got {found[:16]}; get it again"
        )
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ValueError(
            f"path: expected a weight file written by torch.save in {path} ({len(content):,} bytes), got one that "
            f"is truncated, damaged or holds more than tensors ({reason[:160]}); write or get it again"
        ) from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, f"path: no file {path}; check the name, or make the file first") from error
    except IsADirectoryError as error:
        raise IsADirectoryError(error.errno, f"path: expected a file, got the folder {path}") from error
    except PermissionError as error:
        raise PermissionError(error.errno, f"path: no permission to read {path}; change its mode or owner") from error


def load_matching(model: nn.Module, state: dict[str, Tensor], path: str | Path) -> None:
    """Copy a state into a model if every name and shape fits; otherwise change nothing and say what differs.

    Files older than torch 0.4.1 do not count batches; those counts are set to 0, which nothing here reads.

    Raises:
        ValueError: names missing or left over, or tensors of other shapes.
    """
    own = model.state_dict()
    for name, value in own.items():
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, torch.zeros_like(value))
    missing = [name for name in own if name not in state]
    extra = [name for name in state if name not in own]
    reshaped = [
        f"{name} is {tuple(state[name].shape)} in the file and {tuple(own[name].shape)} in the model"
        for name in own
        if name in state and own[name].shape != state[name].shape
    ]
    if missing or extra or reshaped:
        details = [
            *([f"{len(missing)} missing in the file ({missing[0]}, ...)"] if missing else []),
            *([f"{len(extra)} unknown to the model ({extra[0]}, ...)"] if extra else []),
            *reshaped[:1],
        ]
        raise ValueError(
            f"model: expected the architecture stored in {path}, got another one: {'; '.join(details)}; "
            "build the model the file was made from"
        )
    model.load_state_dict(state)
