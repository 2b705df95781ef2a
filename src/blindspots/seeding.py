"""Explicit randomness: generators made from seeds and names, never the global state."""

from __future__ import annotations

import hashlib

import torch


def derive_seed(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed for a named purpose, so that two purposes of one seed do not share a stream."""
    text = "/".join(str(part) for part in (int(seed), *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """Return a CPU generator for a seed and, optionally, the names of what it is for.

    The same arguments give the same stream on every device and platform.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed: expected an integer, got {type(seed).__name__} {seed!r}")
    made = torch.Generator(device="cpu")
    made.manual_seed(derive_seed(seed, *names) if names else seed)
    return made
