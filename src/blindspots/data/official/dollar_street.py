"""Dollar Street: photographs of household objects from homes in 63 countries, with the household's income."""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import torch

from blindspots.data.official.country_rows import country_rows, read_table
from blindspots.data.official.splits import check_request
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, half_written, require_files
from blindspots.data.sets import ImageSet, Source
from blindspots.data_root import find_data_root

_FILES = {
    "train": "images_v2_imagenet_train.csv",
    "test": "images_v2_imagenet_test.csv",
    "all": "images_v2.csv",
}
_COLUMNS = ("id", "country.name", "region.id", "imageRelPath", "topics", "income")
_CITATION = (
    "Gaviria Rojas, Diamos, Kini, Kanter, Janapa Reddi, Coleman: The Dollar Street dataset. NeurIPS Datasets and "
    "Benchmarks 2022"
)


def read_dollar_street(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    """Return photographs (N, 3, S, S) in [0, 1], labels = what is shown, with groups country and region.

    Reads version 2 of the release by MLCommons: the folder with assets/, images_v2.csv and its two parts with an
    ImageNet class, images_v2_imagenet_train.csv and images_v2_imagenet_test.csv. Of their columns it needs id,
    country.name, region.id, imageRelPath, topics and income, and uses imagenet_sysnet_id and type where they are.
    The names were checked against programs that read the release, not against the release itself.

    Args:
        split: "train" or "test", the publisher's, or "all" for images_v2.csv.
        size: image side; None = 64 pixels.
        limit: only the first rows with an income.
        data_root: see `find_data_root`.

    Returns:
        ImageSet. The label is a photograph's first topic. Extras: income (N,), per person of the country (World Bank,
        US dollars of 2020), household_income (N,), the publisher's, per month, and imagenet (N,), its first ImageNet
        class, -1 where it has none.

    Raises:
        FileNotFoundError: a file or a photograph is missing. ValueError: a column is missing, a topic or an income
            cannot be read.
    """
    check_request(SOURCE, split, size, limit)
    root = find_data_root(data_root)
    folder = find_set("dollar_street", data_root=data_root)
    (file,) = require_files("dollar_street", folder, [_FILES[split]])
    sheets = {other: _sheet(folder / name) for other, name in _FILES.items() if (folder / name).is_file()}
    sheet = sheets[split]
    try:
        household = torch.tensor([float(text) for text in sheet["income"]])
    except ValueError as error:
        raise half_written("dollar_street", file, "numbers in the column income", str(error)) from error
    imagenet = torch.full((len(sheet),), -1)
    if "imagenet_sysnet_id" in sheet.columns:
        found = [_listed(text, "imagenet_sysnet_id", file) for text in sheet["imagenet_sysnet_id"]]
        imagenet = torch.tensor([int(listed[0]) if listed else -1 for listed in found])
    return country_rows(
        sheet,
        SOURCE,
        whole=pd.concat(sheets.values()),
        split=split,
        folder=folder,
        size=size,
        limit=limit,
        data_root=root,
        citation=_CITATION,
        notes=("label: the first topic of each photograph", "photographs show homes and sometimes people"),
        extras={"household_income": household, "imagenet": imagenet},
    )


def _sheet(file: Path) -> pd.DataFrame:
    """Return the photographs of one table, with columns path, label, country and region."""
    table = read_table("dollar_street", file, _COLUMNS)
    if "type" in table.columns:
        table = table[table["type"] == "image"].reset_index(drop=True)
    topics = [_listed(text, "topics", file) for text in table["topics"]]
    if not all(topics):
        raise half_written("dollar_street", file, "a topic for every photograph", "an empty list of topics")
    named = table.rename(columns={"imageRelPath": "path", "country.name": "country", "region.id": "region"})
    return named.assign(label=[str(listed[0]) for listed in topics])


def _listed(text: str, column: str, file: Path) -> list[object]:
    """Return a list that the table holds as text; empty text is an empty list."""
    if not text.strip():
        return []
    try:
        listed = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise half_written("dollar_street", file, f"lists in the column {column}", repr(text)) from error
    if not isinstance(listed, list):
        raise half_written("dollar_street", file, f"lists in the column {column}", repr(text))
    return listed


SOURCE = Source(
    "dollar_street",
    "official",
    "Dollar Street",
    "38,479 photographs of household objects from homes in 63 countries, for those who have the release",
    PUBLISHED["dollar_street"].licence,
    ("train", "test", "all"),
    None,
    read_dollar_street,
)
