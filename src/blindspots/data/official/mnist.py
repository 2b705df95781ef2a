"""MNIST in the idx format of its publishers, at the paths torchvision uses."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch

from blindspots.data.official.origin import origin_of
from blindspots.data.official.pixels import to_images
from blindspots.data.official.splits import check_request, held_out
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, half_written, require_files
from blindspots.data.sets import Card, ImageSet, Source, fingerprint

N_VALIDATION = 5_000
_SHARE_AT_MOST = 12  # a smaller training part (a fixture, a sample) gives a twelfth, as 5,000 of 60,000


def read_mnist(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    """Return digits (N, 1, S, S) in [0, 1] with labels 0 to 9; S = 28 unless a size is given.

    `train` and `validation` part the publishers' 60,000 training digits into 55,000 and 5,000 by a fixed
    seed; `test` is the publishers'.

    Raises:
        FileNotFoundError: a file is missing. ValueError: a file is no idx file or not whole.

    Source: LeCun, Bottou, Bengio and Haffner (1998).
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("mnist", data_root=data_root)
    part = "t10k" if split == "test" else "train"
    paths = [f"MNIST/raw/{part}-images-idx3-ubyte", f"MNIST/raw/{part}-labels-idx1-ubyte"]
    image_file, label_file = require_files("mnist", folder, paths)
    pixels, digits = _read_idx(image_file, 3), _read_idx(label_file, 1)
    if len(pixels) != len(digits):
        raise half_written("mnist", label_file, f"{len(pixels)} labels, one per image", str(len(digits)))
    if digits.max() > 9:
        raise half_written("mnist", label_file, "labels from 0 to 9", str(digits.max()))
    rows = np.arange(len(digits))
    if split != "test":
        train, validation = held_out("mnist", len(rows), min(N_VALIDATION, len(rows) // _SHARE_AT_MOST))
        rows = train if split == "train" else validation
    rows = rows[:limit]
    images = to_images(pixels[rows][:, None], size)
    labels = torch.from_numpy(digits[rows].astype(np.int64))
    origin, differs = origin_of("mnist", folder, paths)
    return ImageSet(
        images,
        labels,
        tuple("0123456789"),
        Card(
            "mnist",
            SOURCE.title,
            PUBLISHED["mnist"].page,
            SOURCE.licence,
            "LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition. "
            "Proceedings of the IEEE 86(11), 1998",
            origin,
            split=split,
            sha256=fingerprint(images, labels),
            differs=differs,
            notes=() if split == "test" else ("validation: drawn from the training part by a fixed seed",),
        ),
    )


def _read_idx(file: Path, n_axes: int) -> np.ndarray:
    """Return the array in an idx file of unsigned bytes: two zeros, type 8, number of axes, their lengths."""
    data = file.read_bytes()
    head = 4 + 4 * n_axes
    if len(data) < head or data[:4] != bytes((0, 0, 8, n_axes)):
        got = data[:4].hex(" ")
        if data[:2] == b"\x1f\x8b":
            got += " (it is still packed, run gunzip)"
        expected = f"an idx file of bytes with {n_axes} axes (00 00 08 0{n_axes})"
        raise half_written("mnist", file, expected, got)
    shape = struct.unpack(f">{n_axes}I", data[4:head])
    expected = head + int(np.prod(shape, dtype=np.int64))
    if len(data) != expected or shape[0] == 0:
        raise half_written("mnist", file, f"{expected} bytes for {shape}", f"{len(data)} bytes")
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


SOURCE = Source(
    "mnist",
    "official",
    "MNIST handwritten digits",
    "70,000 gray digits of 28x28 pixels in ten classes",
    PUBLISHED["mnist"].licence,
    ("train", "validation", "test"),
    None,
    read_mnist,
)
