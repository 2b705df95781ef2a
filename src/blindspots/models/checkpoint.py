"""Checkpoints: a model's tensors with what is needed to rebuild and to trust it, in one file."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.fingerprint import fingerprint
from blindspots.models.registry import build_model, check_spec
from blindspots.models.weights import load_matching, read_weights

FORMAT = "blindspots-checkpoint"
VERSION = 1


def save_checkpoint(model: nn.Module, path: str | Path, *, metadata: Mapping[str, Any] | None = None) -> Path:
    """Write a model's parameters and buffers, its spec and metadata to one file, all or nothing.

    The file is written under a temporary name in the same folder and renamed, so a checkpoint that was there before
    stays whole when writing fails.

    Args:
        model: any module; one with a `.spec` can be rebuilt by `load_model`.
        path: the file; its folder is made.
        metadata: JSON-able facts to keep with it, such as the data's fingerprint and the accuracy reached.

    Returns:
        The path written.

    Raises:
        TypeError: not a module, or metadata that JSON cannot hold.
        OSError: the folder cannot be written to, or the disk is full; nothing is left behind.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module, got {type(model).__name__}")
    path = Path(path)
    try:
        described = json.dumps(dict(metadata or {}), allow_nan=False)
        spec = json.dumps(getattr(model, "spec", None), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata: expected values JSON can hold, got {metadata!r} ({error})") from error
    state = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    buffer = io.BytesIO()
    torch.save(
        {"format": FORMAT, "version": VERSION, "spec": spec, "metadata": described, "state": state,
         "sha256": _state_fingerprint(state)},
        buffer,
    )  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, buffer.getvalue())
    except OSError as error:
        raise type(error)(
            error.errno,
            f"path: cannot write the checkpoint {path} ({error.strerror}); free space there, or choose another folder",
        ) from error
    return path


def load_checkpoint(path: str | Path, model: nn.Module) -> dict[str, Any]:
    """Copy a checkpoint's tensors into a model of the same architecture, keeping the model's device and dtype.

    Returns:
        The metadata saved with it.

    Raises:
        OSError: the file is missing or cannot be read.
        ValueError: not one of our checkpoints, damaged, or of another architecture; the model is as before.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module, got {type(model).__name__}")
    stored = _read(path)
    spec = getattr(model, "spec", None)
    kept = json.loads(stored["spec"])
    if spec is not None and kept is not None and spec != kept:
        raise ValueError(
            f"model: expected the architecture stored in {path}, {kept}, got {spec}; build the model from that spec, "
            "or use load_model"
        )
    load_matching(model, stored["state"], path)
    return json.loads(stored["metadata"])


def load_model(path: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """Rebuild the model a checkpoint holds, in evaluation mode on the CPU, and return it with its metadata.

    The model has the dtype it was saved with.

    Raises:
        OSError: the file is missing or cannot be read.
        ValueError: not one of our checkpoints, damaged, or saved from a model without a spec.
    """
    stored = _read(path)
    spec = json.loads(stored["spec"])
    if spec is None:
        raise ValueError(
            f"path: expected a checkpoint with a spec in {path}, got none; use load_checkpoint with a model"
        )
    check_spec(spec)
    model = build_model(spec, seed=0)
    kept = next((value.dtype for value in stored["state"].values() if value.is_floating_point()), torch.float32)
    load_matching(model.to(kept), stored["state"], path)
    return model, json.loads(stored["metadata"])


def _read(path: str | Path) -> dict[str, Any]:
    stored = read_weights(path)
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise ValueError(
            f"path: expected a checkpoint written by save_checkpoint in {path}, got another file; "
            "published weights are read by torchvision_classifier and published_cifar_resnet"
        )
    if stored.get("version") != VERSION:
        raise ValueError(
            f"path: expected checkpoint version {VERSION} in {path}, got {stored.get('version')}; save it again with "
            "this version of the package"
        )
    if _state_fingerprint(stored["state"]) != stored["sha256"]:
        raise ValueError(f"path: expected intact tensors in {path}, got others than were saved; write it again")
    return stored


def _state_fingerprint(state: dict[str, Tensor]) -> str:
    names = torch.frombuffer(bytearray("\n".join(state).encode()), dtype=torch.uint8)
    return fingerprint(names, *(value.reshape(-1) if value.numel() else torch.zeros(1) for value in state.values()))


def _write_whole(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
