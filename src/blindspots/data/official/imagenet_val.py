"""The validation images of ImageNet (ILSVRC2012): 50,000 photographs of 1,000 classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from blindspots.checks import check_number
from blindspots.data.official.imagenet_compatible import imagenet_class_names
from blindspots.data.official.imagenet_labels import N_CLASSES, N_IMAGES, original_labels
from blindspots.data.official.pixels import read_images
from blindspots.data.official.splits import check_request, places
from blindspots.data.published import PUBLISHED
from blindspots.data.root import check_folder, find_set
from blindspots.data.sets import Card, ImageSet, Source, fingerprint

DEFAULT_SIZE = 224
SIZES = (64, 128, 224, 299)

_NAME = re.compile(r"ILSVRC2012_val_(\d{8})\.JPEG", re.IGNORECASE)
_SYNSET = re.compile(r"n\d{8}")


@dataclass(frozen=True)
class ImageFiles:
    """Validation images that are at hand, in the fixed order of the split, not yet read.

    files, labels (N,) from 0 to 999 and numbers (N,), which count from 0 like `imagenet_labels`. The card's
    fingerprint is that of labels and numbers, since no pixel has been read.
    """

    files: tuple[Path, ...]
    labels: Tensor
    numbers: Tensor
    card: Card

    def __len__(self) -> int:
        return len(self.files)

    def batches(self, size: int, batch_size: int) -> Iterator[Tensor]:
        """Yield the images (B, 3, S, S) in order, for sets that do not fit into memory."""
        check_number(batch_size, "batch_size", at_least=1, integer=True)
        for start in range(0, len(self), batch_size):
            yield _read(self.files[start : start + batch_size], size)


def read_imagenet_val(
    split: str,
    size: int | None,
    limit: int | None,
    data_root: Path | None,
    *,
    classes: Sequence[int] | None = None,
) -> ImageSet:
    """Return photographs (N, 3, S, S) in [0, 1] with labels 0 to 999; S = 224 unless a size is given.

    Cut as torchvision's presets do: the shorter side is resized to S * 256 / 224 (256 for 224, 342 for 299),
    bilinear, and the central square taken. Rows stand in an order fixed by a seed and each image's number, so
    that a limit takes a mixture of classes, and a part of the set stands in the order of the whole. The extra
    `image` (N,) counts the images from 0, as `imagenet_labels` does.

    Args:
        classes: labels whose images alone are read; None = all.

    Raises:
        FileNotFoundError: the folder is missing or holds no image. ValueError: an image twice, a number beyond
            50,000, labels that cannot be known or contradict each other, a truncated image.

    Source: Russakovsky et al. (2015).
    """
    check_request(SOURCE, split, size, limit)
    found = imagenet_val_files(limit, data_root, classes=classes)
    images = _read(found.files, size or DEFAULT_SIZE)
    card = replace(found.card, split=split, sha256=fingerprint(images, found.labels))
    return ImageSet(images, found.labels, imagenet_class_names(), card, extras={"image": found.numbers})


def imagenet_val_files(
    limit: int | None, data_root: Path | None, *, classes: Sequence[int] | None = None
) -> ImageFiles:
    """Return the first images of the split with their labels, without reading them; see `read_imagenet_val`."""
    folder = find_set("imagenet_val", data_root=data_root) / "val"
    check_folder(folder, "imagenet_val")
    by_number = _files_by_number(folder)
    label_of = _labels(folder, by_number, data_root)
    chosen = sorted(by_number)
    if classes is not None:
        wanted = set(_checked_classes(classes))
        chosen = [number for number in chosen if label_of[number] in wanted]
        if not chosen:
            raise ValueError(
                f"classes: expected some that have images in {folder}, got none of {sorted(wanted)}"
            )
    place = places("imagenet_val", [str(number) for number in chosen])
    chosen = [chosen[row] for row in np.argsort(place, kind="stable")][:limit]
    labels, numbers = torch.tensor([label_of[number] for number in chosen]), torch.tensor(chosen) - 1
    differs = "" if len(by_number) == N_IMAGES else f"{len(by_number)} of {N_IMAGES} images"
    card = Card(
        "imagenet_val",
        SOURCE.title,
        PUBLISHED["imagenet_val"].page,
        SOURCE.licence,
        "Russakovsky et al.: ImageNet large scale visual recognition challenge. International Journal of "
        "Computer Vision 115, 2015",
        "mirror" if differs else "official",
        split=SOURCE.splits[0],
        sha256=fingerprint(labels, numbers),
        differs=differs,
        notes=("in an order fixed by a seed", "images carry no published checksum"),
    )
    return ImageFiles(tuple(by_number[number] for number in chosen), labels, numbers, card)


def _files_by_number(folder: Path) -> dict[int, Path]:
    """Return the images by their number from 1, from the folder itself and from its synset folders."""
    found: dict[int, Path] = {}
    synsets = sorted(path for path in folder.iterdir() if path.is_dir() and _SYNSET.fullmatch(path.name))
    for place in (folder, *synsets):
        for file in sorted(place.iterdir()):
            if (match := _NAME.fullmatch(file.name)) is None:
                continue
            number = int(match[1])
            if not 1 <= number <= N_IMAGES:
                raise ValueError(f"imagenet_val: expected images 1 to {N_IMAGES}, got {file}; remove it")
            if number in found:
                raise ValueError(
                    f"imagenet_val: expected each image once, got {found[number]} and {file}; remove one of them"
                )
            found[number] = file
    if not found:
        raise FileNotFoundError(
            f"imagenet_val: expected ILSVRC2012_val_00000001.JPEG and others in {folder} or its synset folders, got "
            f"none; {PUBLISHED['imagenet_val'].remedy()}"
        )
    return found


def _labels(folder: Path, by_number: dict[int, Path], data_root: Path | None) -> dict[int, int]:
    """Return each image's label, from the published table and the synset folders, which have to agree."""
    table = original_labels(data_root)
    of_number, of_synset = ({}, {}) if table is None else table
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and _SYNSET.fullmatch(path.name))
    if not of_synset and len(names) == N_CLASSES:
        of_synset = {name: rank for rank, name in enumerate(names)}
    found = {}
    for number, file in by_number.items():
        by_table = of_number.get(number)
        # A flat folder's own name is "val", which is no synset.
        by_folder = of_synset.get(file.parent.name)
        if by_table is None and by_folder is None:
            raise ValueError(
                f"imagenet_val: expected a label of {file}, got none: {len(names)} of {N_CLASSES} synset folders and "
                f"{'a' if table else 'no'} table of labels; {PUBLISHED['imagenet_val'].remedy()}"
            )
        if by_table is not None and by_folder is not None and by_table != by_folder:
            raise ValueError(
                f"imagenet_val: expected label {by_table} of {file} by its number, got {by_folder} by its folder; "
                "the image lies in another synset's folder"
            )
        found[number] = by_folder if by_table is None else by_table
    return found


def _checked_classes(classes: Sequence[int]) -> list[int]:
    if not len(classes):
        raise ValueError("classes: expected at least one, got none; leave it out for all")
    for label in classes:
        check_number(label, "classes", at_least=0, at_most=N_CLASSES - 1, integer=True)
    return [int(label) for label in classes]


def _read(files: Sequence[Path], size: int) -> Tensor:
    return read_images("imagenet_val", list(files), None, cut=lambda image: central_crop(image, size))


def central_crop(image: Image.Image, size: int) -> Image.Image:
    """Return the central square of S pixels of an image resized to a shorter side of S * 256 / 224, bilinear.

    Bit for bit what torchvision's `Resize` and `CenterCrop` give.
    """
    short = round(size * 256 / 224)
    width, height = image.size
    if width <= height:
        shape = short, int(short * height / width)
    else:
        shape = int(short * width / height), short
    if shape != image.size:
        image = image.resize(shape, Image.Resampling.BILINEAR)
    left, top = round((shape[0] - size) / 2), round((shape[1] - size) / 2)
    return image.crop((left, top, left + size, top + size))


SOURCE = Source(
    "imagenet_val",
    "official",
    "ImageNet validation images (ILSVRC2012)",
    "50,000 photographs of 1,000 classes, cut to 224x224 pixels; for networks of the papers' size",
    PUBLISHED["imagenet_val"].licence,
    ("validation",),
    SIZES,
    read_imagenet_val,
)
