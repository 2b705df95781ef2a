"""What a loaded data set is: images or a table, labels, groups, and the card that says where they come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import pandas as pd
import torch
from torch import Tensor


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
    """Images (N, C, H, W) in [0, 1], labels (N,), and integer groups (N,) by attribute name."""

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    card: Card
    groups: dict[str, Tensor] = field(default_factory=dict)
    group_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    extras: dict[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.labels.shape[0])

    def select(self, indices: Tensor) -> ImageSet:
        """Return the rows at indices (M,); the card keeps the fingerprint of the whole."""
        return replace(
            self,
            images=self.images[indices],
            labels=self.labels[indices],
            groups={name: values[indices] for name, values in self.groups.items()},
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


def fingerprint(*tensors: Tensor) -> str:
    """Return the SHA-256 of tensors: dtype, shape and bytes of each, in order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{array.dtype}{tuple(array.shape)}".encode())
        digest.update(array.view(torch.uint8).numpy().data if array.ndim else array.numpy().tobytes())
    return digest.hexdigest()
