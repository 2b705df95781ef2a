"""Which row belongs to which split where the publisher does not say: fixed for ever by one seed."""

from __future__ import annotations

import hashlib

import numpy as np

from blindspots.checks import check_choice, check_number
from blindspots.data.sets import Source
from blindspots.seeding import derive_seed

SPLIT_SEED = 20_240_501
"""The one seed of every split made here. Changing it changes every result on these sets."""

TRAIN_SHARE, VALIDATION_SHARE = 0.7, 0.1
"""Shares for sets without a split of their own; the rest is the test split."""


def check_request(source: Source, split: str, size: int | None, limit: int | None) -> None:
    """Raise unless a split, a size and a limit make sense for a set."""
    check_choice(split, "split", source.splits)
    if limit is not None:
        check_number(limit, "limit", at_least=1, integer=True)
    if size is not None:
        if source.sizes == ():
            raise ValueError(f"size: {source.name!r} has no image size, got {size!r}; leave it out")
        check_number(size, "size", at_least=1, integer=True)


def held_out(name: str, n_rows: int, n_validation: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows (train, validation) of a publisher's training part, each in the publisher's order.

    The validation rows are drawn without replacement by a seed fixed for the set's name.
    """
    order = np.random.default_rng(derive_seed(SPLIT_SEED, name, "validation")).permutation(n_rows)
    return np.sort(order[n_validation:]), np.sort(order[:n_validation])


def places(name: str, keys: list[str]) -> np.ndarray:
    """Return a number in [0, 1) for each key, which depends on nothing but the set's name and the key.

    A row keeps its split however many of the other rows are at hand, and equal keys share one.
    """
    return np.array(
        [
            int.from_bytes(hashlib.sha256(f"{SPLIT_SEED}/{name}/{key}".encode()).digest()[:8], "big") / 2**64
            for key in keys
        ]
    )


def rows_of(split: str, place: np.ndarray) -> np.ndarray:
    """Return the rows of a split, in their order, from the numbers of `places`."""
    bounds = {
        "train": (0.0, TRAIN_SHARE),
        "validation": (TRAIN_SHARE, TRAIN_SHARE + VALIDATION_SHARE),
        "test": (TRAIN_SHARE + VALIDATION_SHARE, 1.0),
    }
    low, high = bounds[split]
    return np.flatnonzero((place >= low) & (place < high))
