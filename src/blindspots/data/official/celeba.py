"""CelebA: aligned faces with forty binary attributes, in the publisher's layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from blindspots.checks import check_choice
from blindspots.data.official.origin import origin_of
from blindspots.data.official.pixels import read_image, read_images
from blindspots.data.official.splits import check_request, places, rows_of
from blindspots.data.published import PUBLISHED
from blindspots.data.root import check_folder, find_set, half_written, require_files
from blindspots.data.sets import Card, ImageSet, Source, fingerprint

N_ATTRIBUTES = 40
FULL_SET = 202_599
_ATTRIBUTES, _PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"
_PARTS = {"train": 0, "validation": 1, "test": 2}


def read_celeba(
    split: str,
    size: int | None,
    limit: int | None,
    data_root: Path | None,
    *,
    label: str = "Smiling",
) -> ImageSet:
    """Return faces (N, 3, S, S) in [0, 1], one attribute as the label and all forty as groups (0 or 1).

    With a size, the largest central square of the aligned image (178x218) is resized; without one, images
    keep their shape. The split is the publisher's where `list_eval_partition.txt` is there. Otherwise each
    image goes by a fixed seed and its own name to train (70 %), validation (10 %) or test (20 %), and the
    card says so: the same person may then be in two splits.

    Args:
        label: the attribute that becomes the label, by the publisher's name.

    Raises:
        FileNotFoundError: a table or a listed image is missing. ValueError: an unknown attribute, a damaged
            table, a truncated image.

    Source: Liu, Luo, Wang and Tang (2015).
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("celeba", data_root=data_root)
    (table,) = require_files("celeba", folder, [_ATTRIBUTES])
    check_folder(folder / "img_align_celeba", "celeba")
    attributes, names, values = _read_attributes(table)
    check_choice(label, "label", attributes)
    paths, notes = [_ATTRIBUTES], []
    if (folder / _PARTITION).is_file():
        paths.append(_PARTITION)
        parts = _read_partition(folder / _PARTITION)
        absent = [name for name in names if name not in parts]
        if absent:
            got = f"none for {len(absent)} images, {absent[0]} first"
            raise half_written("celeba", folder / _PARTITION, "a part for every image", got)
        rows = np.flatnonzero([parts[name] == _PARTS[split] for name in names])
    else:
        rows = rows_of(split, places("celeba", names))
        notes.append(
            f"no {_PARTITION}: split by a fixed seed and the file's name, so one person may be in two splits"
        )
    rows = rows[:limit]
    if len(rows) == 0:
        raise ValueError(f"split: expected images in {split!r}, got none among the {len(names)} of {table}")
    files = [folder / "img_align_celeba" / names[row] for row in rows]
    _require_images(files)
    images = read_images("celeba", files, size)
    chosen = torch.from_numpy(values[rows].astype(np.int64))
    groups = {attribute: chosen[:, column].clone() for column, attribute in enumerate(attributes)}
    origin, differs = _compare(folder, paths, files[0], len(names))
    card = Card(
        "celeba",
        SOURCE.title,
        PUBLISHED["celeba"].page,
        SOURCE.licence,
        "Liu, Luo, Wang, Tang: Deep learning face attributes in the wild. ICCV 2015",
        origin,
        split=split,
        sha256=fingerprint(images, chosen),
        differs=differs,
        notes=(f"label: {label}", *notes),
    )
    group_names = {attribute: (f"not {attribute}", attribute) for attribute in attributes}
    return ImageSet(images, groups[label].clone(), group_names[label], card, groups, group_names)


def _read_attributes(table: Path) -> tuple[tuple[str, ...], list[str], np.ndarray]:
    """Return attribute names, file names and values (N, 40) of 0 or 1 from a count, a header and rows."""
    lines = table.read_text().splitlines()
    if len(lines) < 3 or not lines[0].strip().isdigit():
        got = repr(lines[0][:40]) if lines else "nothing"
        raise half_written("celeba", table, "the number of images, a line of names, then the rows", got)
    attributes = tuple(lines[1].split())
    if len(attributes) != N_ATTRIBUTES:
        raise half_written("celeba", table, f"{N_ATTRIBUTES} attribute names in line 2", str(len(attributes)))
    rows = [line.split() for line in lines[2:] if line.strip()]
    if len(rows) != int(lines[0]):
        raise half_written("celeba", table, f"{lines[0].strip()} rows as line 1 says", str(len(rows)))
    for number, row in enumerate(rows, start=3):
        if len(row) != 1 + N_ATTRIBUTES or not set(row[1:]) <= {"-1", "1"}:
            got = " ".join(row)[:60]
            raise half_written("celeba", table, f"a name and 40 values of -1 or 1 in line {number}", got)
    values = np.array([[value == "1" for value in row[1:]] for row in rows], dtype=np.int8)
    return attributes, [row[0] for row in rows], values


def _read_partition(file: Path) -> dict[str, int]:
    parts = {}
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2 or fields[1] not in {"0", "1", "2"}:
            raise half_written("celeba", file, f"a name and 0, 1 or 2 in line {number}", repr(line[:60]))
        parts[fields[0]] = int(fields[1])
    return parts


def _require_images(files: list[Path]) -> None:
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"celeba: expected every image that {_ATTRIBUTES} lists in {files[0].parent}, got "
            f"{len(missing)} of {len(files)} missing, {missing[0]} first; {PUBLISHED['celeba'].remedy()}"
        )


def _compare(folder: Path, paths: list[str], first: Path, n_images: int) -> tuple[str, str]:
    """Return origin and difference: the tables by checksum, the images by their number and shape."""
    said = [origin_of("celeba", folder, paths)[1]]
    if n_images != FULL_SET:
        said.append(f"{n_images} of {FULL_SET} images")
    height, width = read_image("celeba", first).shape[1:]
    if (height, width) != (218, 178):
        said.append(f"images of {width}x{height} instead of 178x218 pixels")
    differs = "; ".join(part for part in said if part)
    return ("mirror" if differs else "official"), differs


SOURCE = Source(
    "celeba",
    "official",
    "CelebFaces Attributes (CelebA)",
    "202,599 aligned faces of 178x218 pixels with forty binary attributes; shown on no page",
    PUBLISHED["celeba"].licence,
    ("train", "validation", "test"),
    None,
    read_celeba,
)
