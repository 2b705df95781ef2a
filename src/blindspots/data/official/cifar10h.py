"""CIFAR-10H: what about fifty people each said about every CIFAR-10 test image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from blindspots.data.official.cifar10 import CLASSES
from blindspots.data.official.origin import origin_of
from blindspots.data.official.splits import check_request
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, half_written, require_files
from blindspots.data.sets import Card, Source, fingerprint


@dataclass(frozen=True)
class HumanJudgements:
    """How often people chose each class: counts (N, K), row n for test image n of cifar10."""

    counts: Tensor
    class_names: tuple[str, ...]
    card: Card

    def __len__(self) -> int:
        return int(self.counts.shape[0])

    @property
    def labels(self) -> Tensor:
        """The class chosen most often (N,); of equals the first."""
        return self.counts.argmax(dim=1)

    @property
    def probabilities(self) -> Tensor:
        """The share of each class (N, K) in float32; rows add up to 1."""
        return self.counts.float() / self.counts.sum(dim=1, keepdim=True)

    @property
    def agreement(self) -> Tensor:
        """The share of the class chosen most often (N,), in (0, 1]."""
        return self.probabilities.amax(dim=1)


def read_cifar10h(
    split: str, size: int | None, limit: int | None, data_root: Path | None
) -> HumanJudgements:
    """Return the counts of human judgements of the CIFAR-10 test images.

    Raises:
        FileNotFoundError: the file is missing. ValueError: it is no array (N, 10) of counts.

    Source: Peterson, Battleday, Griffiths and Russakovsky (2019). The paper speaks of 511,400 judgements; the
    published counts add up to 511,000, 47 to 63 for an image.
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("cifar10h", data_root=data_root)
    paths = ["cifar10h-counts.npy"]
    (file,) = require_files("cifar10h", folder, paths)
    try:
        counts = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise half_written("cifar10h", file, "a NumPy array", str(error)) from error
    whole = counts.ndim == 2 and counts.shape[1] == 10 and len(counts) > 0 and counts.dtype.kind in "iu"
    if not whole or counts.min() < 0 or (counts.sum(axis=1) == 0).any():
        expected = "counts (N, 10) of whole numbers with at least one judgement in each row"
        raise half_written("cifar10h", file, expected, f"{counts.dtype} {counts.shape}")
    rows = torch.from_numpy(counts[:limit].astype(np.int64))
    origin, differs = origin_of("cifar10h", folder, paths)
    card = Card(
        "cifar10h",
        SOURCE.title,
        PUBLISHED["cifar10h"].page,
        SOURCE.licence,
        "Peterson, Battleday, Griffiths, Russakovsky: Human uncertainty makes classification more robust. "
        "ICCV 2019",
        origin,
        split=split,
        sha256=fingerprint(rows),
        differs=differs,
        notes=(f"{int(counts.sum())} judgements of {len(counts)} images", "rows in cifar10's test order"),
    )
    return HumanJudgements(rows, CLASSES, card)


SOURCE = Source(
    "cifar10h",
    "official",
    "CIFAR-10H human judgements",
    "511,000 human judgements of the 10,000 CIFAR-10 test images, as counts by class",
    PUBLISHED["cifar10h"].licence,
    ("test",),
    (),
    read_cifar10h,
)
