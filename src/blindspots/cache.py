"""One content-addressed cache for what is expensive: trained models, dictionaries.

An entry's key is the SHA-256 of what it is, its parameters, the fingerprints of its data, the code that makes it and
the versions of torch and Python's minor release, so a change of any of them makes a new entry and nothing is stale.
Entries are dictionaries of tensors. They are written to a temporary name and renamed; each carries its own SHA-256,
and one that does not match is rebuilt. A lock file per key lets two processes share the work instead of repeating it.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

from blindspots.provenance import source_fingerprint

Built = dict[str, Tensor] | tuple[dict[str, Tensor], dict[str, Any]]


@dataclass(frozen=True)
class CachedTensors:
    """A cache entry: named tensors on the CPU, JSON-able metadata, its key, and whether it was there already."""

    tensors: dict[str, Tensor]
    metadata: dict[str, Any]
    key: str
    hit: bool


def cache_directory(directory: str | Path | None = None) -> Path:
    """Return the cache's folder: the argument, BLINDSPOTS_CACHE, or ~/.cache/blindspots."""
    chosen = directory or os.environ.get("BLINDSPOTS_CACHE") or Path.home() / ".cache" / "blindspots"
    return Path(chosen).expanduser()


def cached_tensors(
    kind: str,
    build: Callable[[], Built],
    *,
    parameters: dict[str, Any],
    data: str | Sequence[str],
    sources: Sequence[Callable[..., Any] | ModuleType],
    directory: str | Path | None = None,
) -> CachedTensors:
    """Return the tensors that `build` makes, from the cache where an intact entry with this key exists.

    Args:
        kind: what it is, in lower-case words joined by hyphens; the entry's folder.
        build: called without arguments; returns the tensors by name, or (tensors, metadata).
        parameters: JSON-able settings that decide the result, the seed among them.
        data: SHA-256 fingerprints of the data used; an empty sequence where there is none.
        sources: functions or modules whose code decides the result; what they import counts too.
        directory: the cache's folder (see `cache_directory`).

    Raises:
        TypeError: parameters or metadata are not JSON-able, or `build` returned something else than tensors.
        OSError: the folder cannot be written to (permission, full disk); nothing is left behind.
    """
    path = entry_path(kind, parameters=parameters, data=data, sources=sources, directory=directory)
    key, folder = path.stem, path.parent
    entry = _read(path, key)
    if entry is not None:
        return entry
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            error.errno, f"cache: cannot write to {folder} ({error.strerror}); set BLINDSPOTS_CACHE to another folder"
        ) from error
    with FileLock(f"{path}.lock"):
        entry = _read(path, key)  # another process may have built it while we waited
        if entry is None:
            entry = _build(build, path, key)
    return entry


def entry_path(
    kind: str,
    *,
    parameters: dict[str, Any],
    data: str | Sequence[str],
    sources: Sequence[Callable[..., Any] | ModuleType],
    directory: str | Path | None = None,
) -> Path:
    """Return the file in which `cached_tensors` keeps its entry for the same arguments; its stem is the key.

    A long `build` may keep its progress beside it, under another suffix: it then belongs to this data and this code.

    Raises:
        TypeError, ValueError: as `cached_tensors` for a bad kind or parameters.
    """
    return cache_directory(directory) / kind / f"{_key(kind, parameters, data, sources)}.pt"


def _key(
    kind: str, parameters: dict[str, Any], data: str | Sequence[str], sources: Sequence[Callable[..., Any] | ModuleType]
) -> str:
    if not kind or not all(part.isalnum() and part == part.lower() for part in kind.split("-")):
        raise ValueError(f"kind: expected lower-case words joined by hyphens, got {kind!r}")
    files = sorted({str(inspect.getsourcefile(inspect.unwrap(s) if callable(s) else s)) for s in sources})
    try:
        described = json.dumps(parameters, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"parameters: expected JSON-able values, got {parameters!r}") from error
    parts = (
        kind,
        described,
        *([data] if isinstance(data, str) else data),
        source_fingerprint(*files) if files else "",
        torch.__version__,
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _read(path: Path, key: str) -> CachedTensors | None:
    """Return an intact entry, None where there is none; a damaged one is set aside with a warning."""
    if not path.is_file():
        return None
    try:
        content = path.read_bytes()
        digest, payload = content[:64].decode("ascii"), content[64:]
        if hashlib.sha256(payload).hexdigest() != digest:
            raise ValueError("checksum mismatch")
        stored = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
        return CachedTensors(stored["tensors"], json.loads(stored["metadata"]), key, hit=True)
    except PermissionError:
        raise
    except Exception as error:
        warnings.warn(f"cache entry {path.name} is damaged ({error}) and is built again", stacklevel=3)
        return None


def _build(build: Callable[[], Built], path: Path, key: str) -> CachedTensors:
    made = build()
    tensors, details = made if isinstance(made, tuple) else (made, {})
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise TypeError("build: expected a dictionary of tensors, or (tensors, metadata)")
    tensors = {name: value.detach().cpu().clone() for name, value in tensors.items()}
    buffer = io.BytesIO()
    torch.save({"tensors": tensors, "metadata": json.dumps(details, allow_nan=False)}, buffer)
    payload = buffer.getvalue()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[:8]}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).hexdigest().encode("ascii"))
            file.write(payload)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return CachedTensors(tensors, details, key, hit=False)
