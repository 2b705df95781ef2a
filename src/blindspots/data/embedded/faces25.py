"""Faces-25: 200 small grey crops, face or not a face, that come with scikit-image."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from blindspots.data.sets import Card, ImageSet, Source
from blindspots.seeding import generator

SPLITS = ("train", "validation", "test")
_PER_CLASS = {"train": 60, "validation": 20, "test": 20}

CARD = Card(
    name="faces-25",
    title="200 face and non-face crops of Labeled Faces in the Wild",
    source="skimage.data.lfw_subset, from http://vis-www.cs.umass.edu/lfw/",
    licence="none stated by the publisher; offered for research",
    citation="Huang, G., Mattar, M., Lee, H. and Learned-Miller, E. (2012). Learning to align from scratch. "
    "Advances in Neural Information Processing Systems 25, 764-772.",
    origin="embedded",
    differs="split 120 / 40 / 40 by a fixed seed, not by the publisher",
    notes=(
        "never shown on a page: these are faces of real people",
        "the non-faces are backgrounds of the same collection, so a background may come from the photograph "
        "of a face in another split",
    ),
)


@lru_cache(maxsize=1)
def _crops() -> Tensor:
    from skimage.data import lfw_subset

    values = torch.from_numpy(np.asarray(lfw_subset())).float()
    return values / 255 if values.max() > 1 else values


@lru_cache(maxsize=1)
def _split_indices() -> dict[str, Tensor]:
    """Return the rows of each split: as many faces as non-faces, shuffled once by a fixed seed."""
    draws = generator(0, "faces-25", "split")
    faces = torch.randperm(100, generator=draws)
    others = 100 + torch.randperm(100, generator=draws)
    rows, start = {}, 0
    for split in SPLITS:
        stop = start + _PER_CLASS[split]
        part = torch.cat([faces[start:stop], others[start:stop]])
        rows[split] = part[torch.randperm(len(part), generator=draws)]
        start = stop
    return rows


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    rows = _split_indices()[split][:limit]
    return ImageSet(
        images=_crops()[rows, None],
        labels=(rows < 100).long(),
        class_names=("not a face", "face"),
        card=CARD,
        extras={"rows": rows.clone()},
    )


SOURCE = Source(
    name="faces-25",
    tier="embedded",
    title=CARD.title,
    summary="is this 25 x 25 grey crop a face? Numbers only, never shown on a page",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=(25,),
    read=_read,
)
