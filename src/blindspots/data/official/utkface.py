"""UTKFace: aligned faces whose file names give age, gender and race as its publishers estimated them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch

from blindspots.checks import check_choice
from blindspots.data.official.pixels import read_image, read_images
from blindspots.data.official.splits import check_request, places, rows_of
from blindspots.data.published import PUBLISHED
from blindspots.data.root import check_folder, find_set, half_written
from blindspots.data.sets import Card, ImageSet, Source, fingerprint

LABELS: dict[str, tuple[str, ...]] = {
    "over_35": ("35 or younger", "over 35"),
    "gender": ("male", "female"),
    "race": ("White", "Black", "Asian", "Indian", "other"),
}
FULL_SET = 23_705
"""Files of the aligned and cropped set whose names can be read; three more have no race."""

_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_(\d+)\.jpg(?:\.chip\.jpg)?")


def read_utkface(
    split: str,
    size: int | None,
    limit: int | None,
    data_root: Path | None,
    *,
    label: str = "over_35",
) -> ImageSet:
    """Return faces (N, 3, S, S) in [0, 1] with groups age (years), over_35, gender and race.

    The publishers give no split: each file goes by a fixed seed and its own name to train (70 %), validation
    (10 %) or test (20 %), so that a part of the set splits like the whole. Rows stand in an order fixed in
    the same way, because file names sort by age. Files whose names cannot be read are left out and listed in
    the card's notes and in the extra `malformed`.

    Args:
        label: "over_35" (age above 35, the task of the debiasing paper), "gender" or "race".

    Raises:
        FileNotFoundError: the folder is missing. ValueError: an unknown label, no readable name, a truncated
            image.

    Source: Zhang, Song and Qi (2017).
    """
    check_request(SOURCE, split, size, limit)
    check_choice(label, "label", tuple(LABELS))
    folder = find_set("utkface", data_root=data_root) / "UTKFace"
    check_folder(folder, "utkface")
    names = sorted(file.name for file in folder.iterdir() if file.suffix == ".jpg")
    parsed = {name: match for name in names if (match := _NAME.fullmatch(name))}
    malformed = tuple(name for name in names if name not in parsed)
    if not parsed:
        raise half_written(
            "utkface", folder, "files [age]_[gender]_[race]_[date].jpg.chip.jpg", f"{len(names)} other images"
        )
    # Two copies of the set may end in .jpg or .jpg.chip.jpg; the stem alone decides the place.
    known = list(parsed)
    place = places("utkface", [name.split(".")[0] for name in known])
    rows = rows_of(split, place)
    rows = rows[np.argsort(place[rows], kind="stable")][:limit]
    if len(rows) == 0:
        raise ValueError(f"split: expected images in {split!r}, got none among the {len(known)} of {folder}")
    chosen = [known[row] for row in rows]
    images = read_images("utkface", [folder / name for name in chosen], size)
    fields = torch.tensor([[int(parsed[name][column]) for column in (1, 2, 3)] for name in chosen])
    age, gender, race = (fields[:, column].clone() for column in range(3))
    groups = {"age": age, "over_35": (age > 35).long(), "gender": gender, "race": race}
    differs = _difference(len(known), folder / chosen[0])
    notes = [f"label: {label}", "split by a fixed seed and the file's name", "no checksum is published"]
    if malformed:
        some = ", ".join(malformed[:5])
        notes.append(f"{len(malformed)} files left out, their names cannot be read: {some}")
    card = Card(
        "utkface",
        SOURCE.title,
        PUBLISHED["utkface"].page,
        SOURCE.licence,
        "Zhang, Song, Qi: Age progression/regression by conditional adversarial autoencoder. CVPR 2017",
        "mirror" if differs else "official",
        split=split,
        sha256=fingerprint(images, fields),
        differs=differs,
        notes=tuple(notes),
    )
    extras: dict[str, object] = {"malformed": malformed}
    return ImageSet(images, groups[label].clone(), LABELS[label], card, groups, dict(LABELS), extras)


def _difference(n_known: int, first: Path) -> str:
    said = []
    if n_known != FULL_SET:
        said.append(f"{n_known} of {FULL_SET} images")
    height, width = read_image("utkface", first).shape[1:]
    if (height, width) != (200, 200):
        said.append(f"images of {width}x{height} instead of 200x200 pixels")
    return "; ".join(said)


SOURCE = Source(
    "utkface",
    "official",
    "UTKFace",
    "23,705 aligned faces of 200x200 pixels with age, gender and race from the file names; shown on no page",
    PUBLISHED["utkface"].licence,
    ("train", "validation", "test"),
    None,
    read_utkface,
)
