"""Photos: patches of ten photographs from scikit-image and scikit-learn; the photograph is the class.

Each photograph is cut into a grid of blocks, and each block belongs to one split, interleaved like the
moves of a knight. A patch never crosses the border of its block, so no pixel is in two splits of one size.
Larger patches need larger blocks, so the grids of two sizes differ: do not train on one and test on another.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from blindspots.checks import check_choice, check_number
from blindspots.data.sets import Card, ImageSet, Source
from blindspots.seeding import generator

SPLITS = ("train", "validation", "test")
SIZES = (32, 64, 128)
_BLOCK = {32: 48, 64: 80, 128: 144}
_PER_CLASS = {
    32: {"train": 300, "validation": 60, "test": 100},
    64: {"train": 200, "validation": 40, "test": 60},
    128: {"train": 80, "validation": 20, "test": 30},
}
_FLAT = 4.0  # grey levels; a patch that varies less in every channel shows nothing of its photograph
_FILES = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "galaxies": ("skimage", "data/hubble_deep_field.jpg"),
    "retina": ("skimage", "data/retina.jpg"),
    "tissue": ("skimage", "data/ihc.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
}
PHOTOGRAPHS = tuple(_FILES)

CARD = Card(
    name="photos",
    title="Patches of ten photographs",
    source="sample images of scikit-image (skimage.data) and scikit-learn (sklearn.datasets)",
    licence="astronaut, rocket, galaxies: public domain (NASA, SpaceX, NASA); coffee, cat, retina: CC0; "
    "tissue: no known copyright restrictions; motorcycle: Middlebury stereo benchmark, no licence stated; "
    "flower, temple: CC BY 2.0",
    citation="van der Walt, S. et al. (2014). scikit-image: image processing in Python. PeerJ 2:e453. "
    "Pedregosa, F. et al. (2011). Scikit-learn: machine learning in Python. JMLR 12, 2825-2830. "
    "Motorcycle: Scharstein, D. et al. (2014). High-resolution stereo datasets with subpixel-accurate "
    "ground truth. GCPR.",
    origin="embedded",
    notes=(
        "astronaut: Eileen Collins, NASA; coffee: Rachel Michetti; cat: Stefan van der Walt; retina: Mikael "
        "Haggstrom; tissue: Center for Microscopy and Molecular Imaging; flower: vultilion (Flickr); temple: "
        "danielbuechele (Flickr)",
        "patches whose channels all vary by less than 4 grey levels (one standard deviation) are left out: "
        "plain sky, black border",
        "patches of one split overlap each other, so n patches carry less information than n photographs",
        "a class is one photograph: a model learns its colors and textures, not a kind of object",
    ),
)


def photograph(name: str, *, size: int | None = None) -> Tensor:
    """Return one whole photograph.

    Args:
        name: one of `PHOTOGRAPHS`.
        size: cut the central square and resize it to this side in pixels, anti-aliased; None = as it is.

    Returns:
        (3, H, W) float32 in [0, 1].

    Raises:
        ValueError: an unknown name, or size < 1.
        FileNotFoundError: the installed package lacks the photograph.
    """
    check_choice(name, "name", PHOTOGRAPHS)
    pixels = _pixels(name)
    if size is not None:
        check_number(size, "size", at_least=1, integer=True)
        side = min(pixels.shape[:2])
        top, left = ((extent - side) // 2 for extent in pixels.shape[:2])
        square = Image.fromarray(pixels[top : top + side, left : left + side])
        pixels = np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))
    return torch.tensor(pixels).permute(2, 0, 1).float() / 255


def blocks(name: str, size: int) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """Yield (split, (top, left, height, width)) for every block of a photograph; together they tile it."""
    height, width = _pixels(name).shape[:2]
    tops = _edges(height, _BLOCK[size])
    lefts = _edges(width, _BLOCK[size])
    for row in range(len(tops) - 1):
        for column in range(len(lefts) - 1):
            box = (tops[row], lefts[column], tops[row + 1] - tops[row], lefts[column + 1] - lefts[column])
            yield _split_of_block(row, column), box


def _edges(extent: int, least: int) -> list[int]:
    """Return the block borders along one side: as many blocks of `least` pixels or more as fit."""
    n_blocks = extent // least
    return [extent * index // n_blocks for index in range(n_blocks + 1)]


def _split_of_block(row: int, column: int) -> str:
    """Return the split of a block: of five neighbors in a row, three train, one validates, one tests."""
    return {0: "train", 1: "test", 2: "validation", 3: "train", 4: "train"}[(2 * row + column) % 5]


@lru_cache(maxsize=len(_FILES))
def _pixels(name: str) -> np.ndarray:
    """Return a photograph (H, W, 3) uint8 from the installed package's own files: nothing is fetched."""
    package, relative = _FILES[name]
    path = Path(find_spec(package).origin).parent / relative
    if not path.is_file():
        raise FileNotFoundError(
            f"photos: expected {relative} inside the installed {package}, got no such file; "
            f"reinstall {package}"
        )
    with Image.open(path) as opened:
        pixels = np.array(opened.convert("RGB"))
    pixels.setflags(write=False)
    return pixels


@lru_cache(maxsize=len(SPLITS) * len(SIZES))
def _boxes(split: str, size: int) -> Tensor:
    """Return the patches of a split (N, 5): photograph, top, left, height, width; classes take turns."""
    count = _PER_CLASS[size][split]
    by_class = [_boxes_of_photograph(index, split, size, count) for index in range(len(PHOTOGRAPHS))]
    return torch.stack(by_class, dim=1).flatten(0, 1)


def _boxes_of_photograph(index: int, split: str, size: int, count: int) -> Tensor:
    """Return `count` distinct boxes (count, 5) of one photograph, drawn evenly from the blocks of a split."""
    name = PHOTOGRAPHS[index]
    corners = torch.cat(
        [
            torch.cartesian_prod(
                torch.arange(top, top + height - size + 1), torch.arange(left, left + width - size + 1)
            )
            for kind, (top, left, height, width) in blocks(name, size)
            if kind == split
        ]
    )
    draws = generator(0, "photos", name, split, size)
    chosen: list[list[int]] = []
    for top, left in corners[torch.randperm(len(corners), generator=draws)].tolist():
        if _pixels(name)[top : top + size, left : left + size].std(axis=(0, 1)).max() >= _FLAT:
            chosen.append([index, top, left, size, size])
        if len(chosen) == count:
            break
    return torch.tensor(chosen)


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    size = SIZES[0] if size is None else size
    boxes = _boxes(split, size)[:limit].clone()
    patches = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
    for row, (photo, top, left, height, width) in enumerate(boxes.tolist()):
        patches[row] = _pixels(PHOTOGRAPHS[photo])[top : top + height, left : left + width]
    return ImageSet(
        images=torch.from_numpy(patches).permute(0, 3, 1, 2).contiguous().float().div_(255),
        labels=boxes[:, 0].clone(),
        class_names=PHOTOGRAPHS,
        card=CARD,
        extras={"boxes": boxes},
    )


SOURCE = Source(
    name="photos",
    tier="embedded",
    title=CARD.title,
    summary="which of ten color photographs is this patch from? 32, 64 or 128 pixels; nothing is downloaded",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=SIZES,
    read=_read,
)
