"""CIFAR-10 in its binary or its Python version, and the lossless part that stands beside some mirrors."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch

from blindspots.data.official.origin import origin_of
from blindspots.data.official.pixels import to_images
from blindspots.data.official.splits import check_request, held_out
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, half_written, require_files
from blindspots.data.sets import Card, ImageSet, Source, fingerprint

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
N_VALIDATION = 5_000
_CITATION = "Krizhevsky: Learning multiple layers of features from tiny images. Technical report, 2009"
_TEST_FILE = {"bin": "cifar-10-batches-bin/test_batch.bin", "py": "cifar-10-batches-py/test_batch"}
_LOSSLESS = {"train": "cifar10_lossless_train_8068.npz", "test": "cifar10_lossless_test_first1017.npz"}


def read_cifar10(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    """Return color images (N, 3, S, S) in [0, 1] with labels 0 to 9; S = 32 unless a size is given.

    Reads `cifar-10-batches-bin` or, where that is missing, `cifar-10-batches-py`. `train` and `validation`
    part the publisher's 50,000 training images into 45,000 and 5,000 by a fixed seed; `test` is the
    publisher's, in the publisher's order, with which the rows of cifar10h agree.

    Raises:
        FileNotFoundError: a batch is missing. ValueError: a batch is not whole or not of this format.

    Source: Krizhevsky (2009).
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("cifar10", data_root=data_root)
    kind = "py" if not (folder / "cifar-10-batches-bin").is_dir() else "bin"
    if kind == "py" and not (folder / "cifar-10-batches-py").is_dir():
        require_files("cifar10", folder, [_TEST_FILE["bin"]])
    test_path = _TEST_FILE[kind]
    train_paths = [test_path.replace("test_batch", f"data_batch_{number}") for number in range(1, 6)]
    paths = [test_path] if split == "test" else train_paths
    files = require_files("cifar10", folder, paths)
    batches = [_read_binary(file) if kind == "bin" else _read_pickled(file) for file in files]
    for file, (_, labels_of_file) in zip(files, batches, strict=True):
        if len(labels_of_file) != len(batches[0][1]):
            expected = f"{len(batches[0][1])} images as in {files[0].name}"
            raise half_written("cifar10", file, expected, str(len(labels_of_file)))
    pixels = np.concatenate([pixels_of_file for pixels_of_file, _ in batches])
    classes = np.concatenate([labels_of_file for _, labels_of_file in batches])
    rows = np.arange(len(classes))
    if split != "test":
        train, validation = held_out("cifar10", len(rows), min(N_VALIDATION, len(rows) // 10))
        rows = train if split == "train" else validation
    rows = rows[:limit]
    images, labels = to_images(pixels[rows], size), torch.from_numpy(classes[rows].astype(np.int64))
    origin, differs = origin_of("cifar10", folder, paths)
    if origin == "mirror":
        differs += _distance_to_lossless(folder, split, pixels, classes)
    notes = () if split == "test" else ("validation: drawn from the training part by a fixed seed",)
    card = _card(SOURCE, split, origin, differs, notes, fingerprint(images, labels))
    return ImageSet(images, labels, CLASSES, card)


def read_lossless(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    """Return the part of CIFAR-10 that is at hand without loss: (N, 3, S, S) in [0, 1], labels 0 to 9.

    The extra `index` (N,) is each image's place in the publisher's training or test part. Networks trained on
    the original images belong with these, not with a mirror whose images were compressed.

    Raises:
        FileNotFoundError: a file is missing. ValueError: a file is not whole.
    """
    check_request(LOSSLESS_SOURCE, split, size, limit)
    folder = find_set("cifar10_lossless", data_root=data_root)
    (file,) = require_files("cifar10_lossless", folder, [_LOSSLESS[split]])
    pixels, classes, index = _read_lossless_file(file)
    images = to_images(pixels[:limit], size)
    labels = torch.from_numpy(classes[:limit].astype(np.int64))
    places = torch.from_numpy(index[:limit].astype(np.int64))
    part = "test" if split == "test" else "training"
    card = _card(
        LOSSLESS_SOURCE,
        split,
        "mirror",
        f"{len(index)} of the publisher's {part} images, in another file format, without loss",
        (),
        fingerprint(images, labels, places),
    )
    return ImageSet(images, labels, CLASSES, card, extras={"index": places})


def _read_binary(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (N, 3, 32, 32) and labels (N,): each record is a label and 3072 bytes, channels first."""
    data = np.fromfile(file, np.uint8)
    if len(data) % 3073:
        raise half_written("cifar10", file, "records of 3073 bytes", f"{len(data)} bytes")
    records = data.reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 32, 32), _check_classes(records[:, 0], "cifar10", file)


class _ArraysOnly(pickle.Unpickler):
    """Load pickles of dictionaries, lists, strings, numbers and NumPy arrays, nothing that can run code."""

    def find_class(self, module: str, name: str) -> object:
        from numpy._core import multiarray, numeric

        allowed = {
            ("numpy.core.multiarray", "_reconstruct"): multiarray._reconstruct,
            ("numpy._core.multiarray", "_reconstruct"): multiarray._reconstruct,
            ("numpy._core.numeric", "_frombuffer"): getattr(numeric, "_frombuffer", None),
            ("numpy.core.numeric", "_frombuffer"): getattr(numeric, "_frombuffer", None),
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) == ("_codecs", "encode"):
            import codecs

            return codecs.encode
        if allowed.get((module, name)) is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a CIFAR-10 batch does not need")
        return allowed[module, name]


def _read_pickled(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels (N, 3, 32, 32) and labels (N,) of a batch of the Python version; it runs no code."""
    try:
        batch = _ArraysOnly(io.BytesIO(file.read_bytes()), encoding="latin1").load()
        pixels, classes = np.asarray(batch["data"]), np.asarray(batch["labels"])
    except Exception as error:
        # A damaged pickle raises nearly anything; whatever it is, the file is at fault.
        raise half_written("cifar10", file, "a pickled batch with data and labels", str(error)) from error
    if pixels.dtype != np.uint8 or pixels.shape != (len(classes), 3072):
        got = f"{pixels.dtype} {pixels.shape} with {len(classes)} labels"
        raise half_written("cifar10", file, "data (N, 3072) of bytes, one label each", got)
    return pixels.reshape(-1, 3, 32, 32), _check_classes(classes, "cifar10", file)


def _read_lossless_file(file: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            pixels, classes, index = arrays["images"], arrays["labels"], arrays["index"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        expected = "a NumPy archive with images, labels and index"
        raise half_written("cifar10_lossless", file, expected, str(error)) from error
    if pixels.shape != (len(classes), 32, 32, 3) or pixels.dtype != np.uint8 or len(index) != len(classes):
        got = f"{pixels.dtype} {pixels.shape} with {len(classes)} labels and {len(index)} indices"
        raise half_written("cifar10_lossless", file, "images (N, 32, 32, 3) of bytes", got)
    return pixels.transpose(0, 3, 1, 2), _check_classes(classes, "cifar10_lossless", file), index


def _check_classes(classes: np.ndarray, name: str, file: Path) -> np.ndarray:
    if len(classes) == 0 or classes.min() < 0 or classes.max() > 9:
        got = f"{classes.min()} to {classes.max()}" if len(classes) else "none"
        raise half_written(name, file, "labels from 0 to 9", got)
    return classes


def _distance_to_lossless(folder: Path, split: str, pixels: np.ndarray, classes: np.ndarray) -> str:
    """Return, as the end of a sentence, how far a mirror is from the lossless images beside it, if any."""
    file = folder / _LOSSLESS["test" if split == "test" else "train"]
    if not file.is_file():
        return ""
    originals, labels, index = _read_lossless_file(file)
    if index.max() >= len(classes):
        return ""
    error = float(np.mean((pixels[index].astype(np.float64) - originals) ** 2))
    ratio = "no difference" if error == 0 else f"{10 * np.log10(255**2 / error):.1f} dB"
    agree = int((classes[index] == labels).sum())
    return (
        f"; against {len(index)} lossless images beside it: peak signal-to-noise ratio {ratio}, "
        f"{agree} labels agree; train and test on the same kind"
    )


def _card(
    source: Source, split: str, origin: str, differs: str, notes: tuple[str, ...], sha256: str
) -> Card:
    return Card(
        source.name,
        source.title,
        PUBLISHED[source.name].page,
        source.licence,
        _CITATION,
        origin,
        split=split,
        sha256=sha256,
        differs=differs,
        notes=notes,
    )


SOURCE = Source(
    "cifar10",
    "official",
    "CIFAR-10",
    "60,000 color images of 32x32 pixels in ten classes",
    PUBLISHED["cifar10"].licence,
    ("train", "validation", "test"),
    None,
    read_cifar10,
)

LOSSLESS_SOURCE = Source(
    "cifar10_lossless",
    "official",
    "CIFAR-10, lossless part",
    "8,068 training and 1,017 test images of CIFAR-10 without loss, for use beside a compressed mirror",
    PUBLISHED["cifar10_lossless"].licence,
    ("train", "test"),
    None,
    read_lossless,
)
