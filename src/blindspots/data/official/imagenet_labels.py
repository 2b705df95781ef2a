"""Reassessed ImageNet labels: what every rater said about which label fits which validation image."""

from __future__ import annotations

import csv
import gzip
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from blindspots.data.official.splits import check_request
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_data_root, find_set, half_written, require_files
from blindspots.data.sets import Card, Source, fingerprint

NOT_ASKED, NO, MAYBE, YES = -1, 0, 1, 2
N_IMAGES, N_CLASSES = 50_000, 1000
_FILE_NAME = re.compile(r"ILSVRC2012_val_(\d{8})\.JPEG")
_PREDICTIONS = "imagenet_val_labels_and_cv_pred.csv.gz"


@dataclass(frozen=True)
class RaterAnswers:
    """Questions "does this label fit this image" and each rater's answer.

    images (Q,) and labels (Q,) count from 0; answers (Q, R) int8 are -1 not asked, 0 no, 1 maybe, 2 yes;
    raters (R,) are the publisher's ids.
    """

    images: Tensor
    labels: Tensor
    answers: Tensor
    raters: Tensor

    def __len__(self) -> int:
        return int(self.images.shape[0])

    def about(self, images: Tensor) -> RaterAnswers:
        """Return the questions about some images (M,), which are counted anew in the order given."""
        places = {image: place for place, image in enumerate(images.tolist())}
        rows = [row for row, image in enumerate(self.images.tolist()) if image in places]
        renamed = torch.tensor([places[int(self.images[row])] for row in rows], dtype=torch.long)
        return RaterAnswers(renamed, self.labels[rows], self.answers[rows], self.raters)

    def votes(self, *, maybe_counts: bool = False) -> Tensor:
        """Return votes (Q, R) in float32: 1 for yes (or maybe, if it counts), 0 for no, NaN for not asked."""
        lowest = MAYBE if maybe_counts else YES
        votes = (self.answers >= lowest).float()
        return votes.masked_fill(self.answers == NOT_ASKED, float("nan"))


@dataclass(frozen=True)
class ImageNetLabels:
    """Labels and votes for the 50,000 ImageNet validation images, without the images.

    Attributes:
        real: for each image the labels that raters found to fit; empty where none did.
        raters: every rater's answers; golden: the experts' own; raters_golden: the raters' to the same
            questions.
        original: the ImageNet label (N,) of each image; predicted: one cross-validated network's (N,) class.
        checked: five-worker votes on labels suspected to be wrong, with columns image, given, guessed and the
            numbers of workers for given, guessed, both, neither.
        published_errors: models' published errors in percent by image size, columns model, size, error, top5_error,
            real_error, real_top5_error.

    What is not at hand is None; only `real` and `raters` are always there.
    """

    real: tuple[tuple[int, ...], ...]
    raters: RaterAnswers
    card: Card
    golden: RaterAnswers | None = None
    raters_golden: RaterAnswers | None = None
    original: Tensor | None = None
    predicted: Tensor | None = None
    checked: pd.DataFrame | None = None
    published_errors: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.real)


def read_imagenet_labels(
    split: str, size: int | None, limit: int | None, data_root: Path | None
) -> ImageNetLabels:
    """Return reassessed labels and rater answers of the ImageNet validation images.

    `limit` keeps the first images and the questions about them. Archives may have the publisher's names
    (`raters.npz`) or begin with "real_".

    Raises:
        FileNotFoundError: real.json or raters.npz is missing. ValueError: a file is not as published.

    Source: Beyer, Henaff, Kolesnikov, Zhai and van den Oord (2020); Northcutt, Athalye and Mueller (2021) for
    the five-worker votes.
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("imagenet_labels", data_root=data_root)
    rater_file = _either(folder, "raters.npz") or folder / "raters.npz"
    real_file, rater_file = require_files("imagenet_labels", folder, ["real.json", rater_file.name])
    real = _read_real(real_file)
    n_images = len(real)
    real = real[:limit]
    raters = _read_answers(rater_file, n_images, len(real))
    others = {}
    for field, name in (("golden", "golden.npz"), ("raters_golden", "raters_golden.npz")):
        file = _either(folder, name)
        others[field] = None if file is None else _read_answers(file, n_images, len(real))
    prediction_file = folder / _PREDICTIONS
    original, predicted = _read_predictions(prediction_file, n_images, len(real))
    card = Card(
        "imagenet_labels",
        SOURCE.title,
        PUBLISHED["imagenet_labels"].page,
        SOURCE.licence,
        "Beyer, Henaff, Kolesnikov, Zhai, van den Oord: Are we done with ImageNet? 2020; Northcutt, Athalye, "
        "Mueller: Pervasive label errors in test sets destabilize machine learning benchmarks. NeurIPS 2021",
        "mirror",
        split=split,
        sha256=fingerprint(raters.images, raters.labels, raters.answers, raters.raters),
        differs="no published checksum to compare with",
        notes=(f"{len(raters)} questions, {len(raters.raters)} raters",),
    )
    return ImageNetLabels(
        real,
        raters,
        card,
        **others,
        original=original,
        predicted=predicted,
        checked=_read_checked(folder / "cleanlab_imagenet_mturk.json", len(real)),
        published_errors=_read_published_errors(folder),
    )


def original_labels(data_root: Path | None) -> tuple[dict[int, int], dict[str, int]] | None:
    """Return ImageNet's own label of each validation image by its number from 1, and of each synset.

    None where the table that gives them, `imagenet_labels/imagenet_val_labels_and_cv_pred.csv.gz`, is not at hand.

    Raises:
        ValueError: the table is damaged, or gives one synset two labels.
    """
    file = find_data_root(data_root) / PUBLISHED["imagenet_labels"].folder / _PREDICTIONS
    if not file.is_file():
        return None
    ids, synsets, values = _read_rows(file)
    labels = values[:, 0].tolist()
    of_synset: dict[str, int] = {}
    for synset, label in zip(synsets, labels, strict=True):
        if synset and of_synset.setdefault(synset, label) != label:
            got = f"{of_synset[synset]} and {label} for {synset}"
            raise half_written("imagenet_labels", file, "one label of a synset", got)
    return dict(zip(ids, labels, strict=True)), of_synset


def _either(folder: Path, name: str) -> Path | None:
    found = [file for file in (folder / name, folder / f"real_{name}") if file.is_file()]
    return found[0] if found else None


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise half_written("imagenet_labels", file, "whole JSON", str(error)) from error


def _read_real(file: Path) -> tuple[tuple[int, ...], ...]:
    lists = _read_json(file)
    whole = isinstance(lists, list) and all(
        isinstance(labels, list) and all(isinstance(k, int) and 0 <= k < N_CLASSES for k in labels)
        for labels in lists
    )
    if not whole or not lists:
        expected = "a list of labels 0 to 999 for each image"
        raise half_written("imagenet_labels", file, expected, "something else")
    return tuple(tuple(labels) for labels in lists)


def _read_answers(file: Path, n_images: int, n_kept: int) -> RaterAnswers:
    """Read an archive of answers: tensor (R, Q, 3) one-hot over no, maybe, yes; info (Q, 2); ids (R,)."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            tensor, info, ids = arrays["tensor"], arrays["info"], arrays["ids"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        expected = "a NumPy archive with tensor, info and ids"
        raise half_written("imagenet_labels", file, expected, str(error)) from error
    if tensor.shape != (len(ids), len(info), 3) or info.shape[1:] != (2,):
        got = f"tensor {tensor.shape}, info {info.shape}, ids {ids.shape}"
        raise half_written("imagenet_labels", file, "tensor (R, Q, 3), info (Q, 2), ids (R,)", got)
    if not ((tensor == 0) | (tensor == 1)).all() or (tensor.sum(axis=2) > 1).any():
        raise half_written("imagenet_labels", file, "at most one answer of a rater to a question", "several")
    matches = [_FILE_NAME.fullmatch(str(name)) for name in info[:, 0]]
    if not all(matches) or not all(str(label).isdigit() for label in info[:, 1]):
        raise half_written("imagenet_labels", file, "info of file name and label", f"{info[:1].tolist()}")
    images = np.array([int(match[1]) - 1 for match in matches if match], dtype=np.int64)
    labels = info[:, 1].astype(np.int64)
    if len(images) and (images.min() < 0 or images.max() >= n_images or labels.max() >= N_CLASSES):
        got = f"image {images.max() + 1}, label {labels.max()}"
        raise half_written("imagenet_labels", file, f"images 1 to {n_images}, labels 0 to 999", got)
    answers = np.where(tensor.any(axis=2), tensor.argmax(axis=2), NOT_ASKED).astype(np.int8).T
    kept = images < n_kept
    return RaterAnswers(
        torch.from_numpy(images[kept]),
        torch.from_numpy(labels[kept]),
        torch.from_numpy(np.ascontiguousarray(answers[kept])),
        torch.from_numpy(ids.astype(np.int64)),
    )


def _read_predictions(file: Path, n_images: int, n_kept: int) -> tuple[Tensor | None, Tensor | None]:
    if not file.is_file():
        return None, None
    ids, _, values = _read_rows(file)
    if ids != list(range(1, n_images + 1)):
        expected = f"one row for each of {n_images} images, in order"
        raise half_written("imagenet_labels", file, expected, f"{len(ids)} rows")
    return values[:n_kept, 0].clone(), values[:n_kept, 1].clone()


def _read_rows(file: Path) -> tuple[list[int], list[str], Tensor]:
    """Return image ids from 1, synsets (empty where not given), and labels with predictions (N, 2)."""
    try:
        with gzip.open(file, "rt", newline="") as stream:
            rows = list(csv.DictReader(stream))
        ids = [int(row["val_id"]) for row in rows]
        values = torch.tensor([[int(row["label"]), int(row["cleanlab_cv_pred"])] for row in rows])
    except (OSError, EOFError, KeyError, ValueError, TypeError) as error:
        expected = "packed rows of val_id, label and cleanlab_cv_pred"
        raise half_written("imagenet_labels", file, expected, repr(error)) from error
    return ids, [row.get("wnid") or "" for row in rows], values


def _read_checked(file: Path, n_kept: int) -> pd.DataFrame | None:
    if not file.is_file():
        return None
    items = _read_json(file)
    try:
        rows = [
            {
                # The publisher's ids count images from 1, like the file names of the validation images.
                "image": int(re.search(r"ILSVRC2012_val_(\d{8})", item["url"])[1]) - 1,
                "given": item["given_original_label"],
                "guessed": item["our_guessed_label"],
                **{f"votes_{kind}": item["mturk"][kind] for kind in ("given", "guessed", "both", "neither")},
            }
            for item in items
        ]
    except (KeyError, TypeError) as error:
        expected = "items with url, given and guessed label and mturk"
        raise half_written("imagenet_labels", file, expected, repr(error)) from error
    frame = pd.DataFrame(rows)
    return frame[frame["image"] < n_kept].reset_index(drop=True)


def _read_published_errors(folder: Path) -> pd.DataFrame | None:
    files = [folder / "timm_results-imagenet.csv", folder / "timm_results-imagenet-real.csv"]
    if not all(file.is_file() for file in files):
        return None
    tables = []
    for file, prefix in zip(files, ("", "real_"), strict=True):
        names = {"img_size": "size", "top1_err": f"{prefix}error", "top5_err": f"{prefix}top5_error"}
        try:
            table = pd.read_csv(file)[["model", *names]].rename(columns=names)
        except (ValueError, KeyError) as error:
            expected = "columns model, img_size, top1_err and top5_err"
            raise half_written("imagenet_labels", file, expected, str(error)) from error
        tables.append(table)
    # Many models are listed at several sizes: by name alone every size would meet every other.
    return tables[0].merge(tables[1], on=["model", "size"])


SOURCE = Source(
    "imagenet_labels",
    "official",
    "Reassessed ImageNet labels",
    "which labels fit the 50,000 ImageNet validation images, with every rater's answers; no images",
    PUBLISHED["imagenet_labels"].licence,
    ("validation",),
    (),
    read_imagenet_labels,
)
