"""What published networks say about the CIFAR-10 test images, and what five workers say about suspected labels."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from blindspots.data.official.cifar10 import CLASSES
from blindspots.data.official.origin import origin_of
from blindspots.data.official.splits import check_request
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, half_written, require_files
from blindspots.data.sets import Card, Source, fingerprint

_PREDICTIONS, _CHECKED = "cifar10_test_model_predictions.npz", "cleanlab_cifar10_mturk.json"
_KINDS = ("given", "guessed", "both", "neither")


@dataclass(frozen=True)
class PublishedPredictions:
    """Predicted classes (M, N) of M published models, column n for test image n of cifar10.

    `models` names the rows. `checked` holds five-worker votes on labels suspected to be wrong, with columns image,
    given, guessed and votes_given, votes_guessed, votes_both, votes_neither; None if not at hand.
    """

    predictions: Tensor
    models: tuple[str, ...]
    class_names: tuple[str, ...]
    card: Card
    checked: pd.DataFrame | None = None

    def __len__(self) -> int:
        return int(self.predictions.shape[1])


def read_cifar10_predictions(
    split: str, size: int | None, limit: int | None, data_root: Path | None
) -> PublishedPredictions:
    """Return the predictions of published models for the CIFAR-10 test images, models in alphabetical order.

    `limit` keeps the first images.

    Raises:
        FileNotFoundError: the predictions are missing. ValueError: a file is not as published.

    Source: Recht, Roelofs, Schmidt and Shankar (2018) for the predictions; Northcutt, Athalye and Mueller (2021)
    for the votes.
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("cifar10_predictions", data_root=data_root)
    (file,) = require_files("cifar10_predictions", folder, [_PREDICTIONS])
    try:
        with np.load(file, allow_pickle=False) as arrays:
            rows = {name: arrays[name] for name in sorted(arrays.files)}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise half_written("cifar10_predictions", file, "a NumPy archive", str(error)) from error
    shapes = {row.shape for row in rows.values()}
    whole = len(shapes) == 1 and all(row.ndim == 1 and row.dtype.kind in "iu" and row.size for row in rows.values())
    if not whole or any(row.min() < 0 or row.max() >= len(CLASSES) for row in rows.values()):
        expected = "for each model one class 0 to 9 for each image"
        raise half_written("cifar10_predictions", file, expected, f"arrays of shapes {sorted(shapes)}")
    predictions = torch.from_numpy(np.stack([row[:limit] for row in rows.values()]).astype(np.int64))
    origin, differs = origin_of("cifar10_predictions", folder, [_PREDICTIONS])
    card = Card(
        "cifar10_predictions",
        SOURCE.title,
        PUBLISHED["cifar10_predictions"].page,
        SOURCE.licence,
        "Recht, Roelofs, Schmidt, Shankar: Do CIFAR-10 classifiers generalize to CIFAR-10? 2018; Northcutt, Athalye, "
        "Mueller: Pervasive label errors in test sets destabilize machine learning benchmarks. NeurIPS 2021",
        origin,
        split=split,
        sha256=fingerprint(predictions),
        differs=differs,
        notes=(f"{len(rows)} models", "columns in cifar10's test order"),
    )
    return PublishedPredictions(
        predictions, tuple(rows), CLASSES, card, _read_checked(folder / _CHECKED, predictions.shape[1])
    )


def _read_checked(file: Path, n_kept: int) -> pd.DataFrame | None:
    if not file.is_file():
        return None
    try:
        items = json.loads(file.read_text())
        rows = [
            {
                "image": int(item["id"]),
                "given": int(item["given_original_label"]),
                "guessed": int(item["our_guessed_label"]),
                **{f"votes_{kind}": int(item["mturk"][kind]) for kind in _KINDS},
            }
            for item in items
        ]
    except (ValueError, KeyError, TypeError) as error:
        expected = "items with id, given and guessed label and mturk"
        raise half_written("cifar10_predictions", file, expected, repr(error)) from error
    frame = pd.DataFrame(rows, columns=["image", "given", "guessed", *(f"votes_{kind}" for kind in _KINDS)])
    return frame[frame["image"] < n_kept].reset_index(drop=True)


SOURCE = Source(
    "cifar10_predictions",
    "official",
    "Published predictions for CIFAR-10",
    "what thirty published networks predict for the 10,000 CIFAR-10 test images, and five-worker votes on 275",
    PUBLISHED["cifar10_predictions"].licence,
    ("test",),
    (),
    read_cifar10_predictions,
)
