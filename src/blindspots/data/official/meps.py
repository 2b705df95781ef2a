"""MEPS panel 21: does a person make much use of medical care."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from blindspots.data.official.origin import origin_of
from blindspots.data.official.splits import check_request, places, rows_of
from blindspots.data.official.tables import encode, fit_encoding
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, half_written, require_files
from blindspots.data.sets import Card, Source, TableSet, fingerprint

FILE = "meps_panel21_fy2016.csv"
LABEL, RACE, WEIGHT = "UTILIZATION", "RACE", "PERWT16F"
NUMBERS = ("AGE", "MCS42", "PCS42", "K6SUM42")
CLASSES = ("fewer than 10 visits", "at least 10 visits")
RACES, GENDERS = ("not white", "white"), ("male", "female")


def read_meps(split: str, size: int | None, limit: int | None, data_root: Path | None) -> TableSet:
    """Return the table with label utilization (1 = at least 10 visits) and groups race and gender.

    Scores (and age, where the file has it) are standardized, every other code of the survey is a category and
    becomes one-hot, negative codes ("inapplicable", "not ascertained") included. The survey weight PERWT16F
    and RACE are no features; SEX is one. There is no published split: each row goes by a fixed seed and its
    own features to train (70 %), validation (10 %) or test (20 %), so rows with equal features share a split.
    The encoding is fitted on the whole train split.

    Raises:
        FileNotFoundError: the file is missing. ValueError: columns are missing or hold what they should not.

    Source: Agency for Healthcare Research and Quality, file HC-192; prepared as in AIF360 (Bellamy et al.,
    2018).
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("meps", data_root=data_root)
    (file,) = require_files("meps", folder, [FILE])
    published = _read_rows(file)
    features_of = [column for column in published.columns if column not in (LABEL, RACE, WEIGHT)]
    numbers = tuple(column for column in NUMBERS if column in features_of)
    categories = tuple(column for column in features_of if column not in numbers)
    place = places("meps", published[features_of].astype(str).agg("|".join, axis=1).tolist())
    encoding = fit_encoding(published.iloc[rows_of("train", place)], numbers, categories)
    frame = published.iloc[rows_of(split, place)[:limit]].reset_index(drop=True)
    if len(frame) == 0:
        raise ValueError(f"split: expected rows in {split!r}, got none among the {len(published)} of {file}")
    features = encode(frame, encoding)
    labels = torch.from_numpy(frame[LABEL].to_numpy().astype(np.int64))
    groups = {
        "race": torch.from_numpy(frame[RACE].to_numpy().astype(np.int64)),
        "gender": torch.from_numpy(frame["SEX"].to_numpy().astype(np.int64) - 1),
    }
    _, unknown = origin_of("meps", folder, [FILE])
    card = Card(
        "meps",
        SOURCE.title,
        PUBLISHED["meps"].page,
        SOURCE.licence,
        "Agency for Healthcare Research and Quality: Medical Expenditure Panel Survey, 2016 full-year "
        "consolidated file (HC-192)",
        "mirror",
        split=split,
        sha256=fingerprint(features, labels, *groups.values()),
        differs=f"a table prepared from the survey's file, {len(published)} people; {unknown}",
        notes=("split by a fixed seed and the row's features; encoding fitted on train",),
    )
    group_names = {"race": RACES, "gender": GENDERS}
    return TableSet(features, labels, encoding.columns, CLASSES, card, groups, group_names, frame)


def _read_rows(file: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(file)
    except (ValueError, UnicodeDecodeError) as error:
        raise half_written("meps", file, "a table of comma-separated values", str(error)) from error
    missing = [column for column in (LABEL, RACE, "SEX") if column not in frame.columns]
    if missing:
        expected = f"the column {', '.join(missing)}"
        raise half_written("meps", file, expected, f"{', '.join(frame.columns[:8])}, ...")
    if len(frame) == 0:
        raise half_written("meps", file, "at least one row", "none")
    broken = frame.index[frame.isna().any(axis=1)]
    if len(broken):
        raise half_written("meps", file, "a value in every field", f"an empty one in line {broken[0] + 2}")
    words = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column])]
    if words:
        raise half_written("meps", file, "numbers in every column", f"text in {', '.join(words)}")
    for column, allowed in ((LABEL, {0, 1}), (RACE, {0, 1}), ("SEX", {1, 2})):
        odd = set(frame[column].unique()) - allowed
        if odd:
            raise half_written("meps", file, f"{column} in {sorted(allowed)}", str(sorted(odd)[:3]))
    return frame


SOURCE = Source(
    "meps",
    "official",
    "Medical Expenditure Panel Survey, panel 21",
    "15,675 people with survey answers on health, use of medical care, race and gender",
    PUBLISHED["meps"].licence,
    ("train", "validation", "test"),
    (),
    read_meps,
)
