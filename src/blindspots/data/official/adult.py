"""Adult (Census Income): does a person earn more than 50,000 dollars a year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from blindspots.data.official.origin import origin_of
from blindspots.data.official.splits import check_request, held_out
from blindspots.data.official.tables import encode, fit_encoding
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, half_written, require_files
from blindspots.data.sets import Card, Source, TableSet, fingerprint

NUMBERS = ("age", "education-num", "capital-gain", "capital-loss", "hours-per-week")
CATEGORIES = (
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native-country",
)
COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
)
CLASSES = ("<=50K", ">50K")
GENDERS = ("Female", "Male")
RACES = ("Amer-Indian-Eskimo", "Asian-Pac-Islander", "Black", "Other", "White")


def read_adult(split: str, size: int | None, limit: int | None, data_root: Path | None) -> TableSet:
    """Return the table with label income (0 = <=50K, 1 = >50K) and groups gender and race.

    `test` is the publisher's (16,281 rows); `train` and `validation` part the publisher's training rows
    (32,561) 9 to 1 by a fixed seed: 48,842 rows in all. An unknown value, "?", is a category of its own, so
    that no row is lost. Numbers are standardized and categories one-hot, both fitted on the whole train
    split, also when `limit` is given. `fnlwgt` is a survey weight and no feature. `sex` and `race` are among
    the features, as published; their columns begin with "sex=" and "race=". `frame` keeps every published
    column.

    Raises:
        FileNotFoundError: a file is missing. ValueError: a line is not as published; the message gives its
            number.

    Source: Becker and Kohavi (1996), UCI Machine Learning Repository.
    """
    check_request(SOURCE, split, size, limit)
    folder = find_set("adult", data_root=data_root)
    paths = ["adult.data", "adult.test"] if split == "test" else ["adult.data"]
    files = require_files("adult", folder, paths)
    published = _read_rows(files[0])
    train_rows, validation_rows = held_out("adult", len(published), len(published) // 10)
    train = published.iloc[train_rows]
    encoding = fit_encoding(train, NUMBERS, CATEGORIES)
    if split == "test":
        frame = _read_rows(files[1])
    else:
        frame = train if split == "train" else published.iloc[validation_rows]
    frame = frame.iloc[:limit].reset_index(drop=True)
    features = encode(frame, encoding)
    labels = torch.from_numpy((frame["income"] == ">50K").to_numpy().astype(np.int64))
    groups = {
        "gender": torch.tensor([GENDERS.index(value) for value in frame["sex"]], dtype=torch.long),
        "race": torch.tensor([RACES.index(value) for value in frame["race"]], dtype=torch.long),
    }
    origin, differs = origin_of("adult", folder, paths)
    card = Card(
        "adult",
        SOURCE.title,
        PUBLISHED["adult"].page,
        SOURCE.licence,
        "Becker, Kohavi: Adult. UCI Machine Learning Repository, 1996",
        origin,
        split=split,
        sha256=fingerprint(features, labels, *groups.values()),
        differs=differs,
        notes=(
            'unknown values ("?") are a category of their own',
            "validation: drawn from the training part by a fixed seed; encoding fitted on train",
        ),
    )
    group_names = {"gender": GENDERS, "race": RACES}
    return TableSet(features, labels, encoding.columns, CLASSES, card, groups, group_names, frame)


def _read_rows(file: Path) -> pd.DataFrame:
    """Return the rows of one file: fifteen fields split by commas; lines that begin with | are no rows."""
    allowed = {"income": set(CLASSES), "sex": set(GENDERS), "race": set(RACES)}
    rows = []
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("|"):
            continue
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != len(COLUMNS) + 1:
            expected = f"{len(COLUMNS) + 1} fields in line {number}"
            raise half_written("adult", file, expected, f"{len(fields)}: {line[:60]!r}")
        row = dict(zip(COLUMNS, fields[:-1], strict=True), income=fields[-1].removesuffix("."))
        for column, values in allowed.items():
            if row[column] not in values:
                expected = f"{column} in {', '.join(sorted(values))} in line {number}"
                raise half_written("adult", file, expected, repr(row[column]))
        for column in (*NUMBERS, "fnlwgt"):
            if not row[column].isdigit():
                expected = f"a whole number for {column} in line {number}"
                raise half_written("adult", file, expected, repr(row[column]))
        rows.append(row)
    if not rows:
        raise half_written("adult", file, "at least one row", "none")
    frame = pd.DataFrame(rows)
    return frame.astype(dict.fromkeys((*NUMBERS, "fnlwgt"), np.int64))


SOURCE = Source(
    "adult",
    "official",
    "Adult (Census Income)",
    "48,842 people of the 1994 census with income above or below 50,000 dollars, gender and race",
    PUBLISHED["adult"].licence,
    ("train", "validation", "test"),
    (),
    read_adult,
)
