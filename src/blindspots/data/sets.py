"""What a loaded data set is: images or a table, labels, groups, and the card that says its origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from blindspots.fingerprint import fingerprint


@dataclass(frozen=True)
class Card:
    """Where a data set comes from, under what terms, and which bytes were loaded.

    `sha256` is the fingerprint of the loaded tensors (see `fingerprint`); `origin` is "embedded", "planted",
    "official" or "mirror" (laid out like the official set, but with other bytes: `differs` says how).
    """

    name: str
    title: str
    source: str
    licence: str
    citation: str
    origin: str
    version: str = ""
    split: str = ""
    sha256: str = ""
    differs: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageSet:
    """Images (N, C, H, W) in [0, 1], labels (N,), and integer groups (N,) by attribute name.

    `extras` holds what else is known: a tensor with N rows there is one row per image and follows `select`.
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    card: Card
    groups: dict[str, Tensor] = field(default_factory=dict)
    group_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    extras: dict[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.labels.shape[0])

    def _is_by_row(self, values: object) -> bool:
        return isinstance(values, Tensor) and values.shape[:1] == self.labels.shape

    def select(self, indices: Tensor) -> ImageSet:
        """Return the rows at indices (M,); the card keeps the fingerprint of the whole."""
        return replace(
            self,
            images=self.images[indices],
            labels=self.labels[indices],
            groups={name: values[indices] for name, values in self.groups.items()},
            extras={
                name: values[indices] if self._is_by_row(values) else values
                for name, values in self.extras.items()
            },
        )


@dataclass(frozen=True)
class TableSet:
    """A table: numeric features (N, D) float32, labels (N,), integer groups (N,) by attribute name.

    `columns` names the D features; `frame` keeps the rows as published, before encoding.
    """

    features: Tensor
    labels: Tensor
    columns: tuple[str, ...]
    class_names: tuple[str, ...]
    card: Card
    groups: dict[str, Tensor] = field(default_factory=dict)
    group_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    frame: pd.DataFrame | None = None

    def __len__(self) -> int:
        return int(self.labels.shape[0])

    def select(self, indices: Tensor) -> TableSet:
        """Return the rows at indices (M,); the card keeps the fingerprint of the whole."""
        return replace(
            self,
            features=self.features[indices],
            labels=self.labels[indices],
            groups={name: values[indices] for name, values in self.groups.items()},
            frame=None if self.frame is None else self.frame.iloc[indices.numpy()],
        )


@dataclass(frozen=True)
class Source:
    """A data set by name: what it is, which splits and sizes it has, and the function that reads it.

    `tier` is "embedded" (comes with a dependency), "planted" (drawn by the package) or "official" (read from
    a data root in its publisher's layout). `sizes` are the allowed image sides in pixels: None = any side,
    () = a size makes no sense. `read(split, size, limit, data_root)` gets a known split, an allowed size or
    None (the set's own default) and returns the first `limit` rows (None = all) of that split in its fixed
    order; it may leave the card's `split` and `sha256` empty, `registry.load` fills them.
    """

    name: str
    tier: str
    title: str
    summary: str
    licence: str
    splits: tuple[str, ...]
    sizes: tuple[int, ...] | None
    read: Callable[[str, int | None, int | None, Path | None], Any]


def sealed(loaded: Any, *, split: str = "") -> Any:
    """Return a set whose card names the split and the fingerprint of all its tensors, where these were empty.

    The tensors are those of the set's fields in order, a dictionary's by sorted name.
    """
    card = loaded.card
    found = []
    for part in fields(loaded):
        value = getattr(loaded, part.name)
        values = [value[key] for key in sorted(value)] if isinstance(value, dict) else [value]
        found += [item for item in values if isinstance(item, Tensor)]
    card = replace(card, split=card.split or split, sha256=card.sha256 or fingerprint(*found))
    return replace(loaded, card=card)
