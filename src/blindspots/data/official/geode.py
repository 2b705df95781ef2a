"""GeoDE: photographs of forty objects, solicited from people in six regions of the world."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blindspots.data.official.country_rows import country_rows, read_table
from blindspots.data.official.splits import check_request, places, rows_of
from blindspots.data.published import PUBLISHED
from blindspots.data.root import find_set, require_files
from blindspots.data.sets import ImageSet, Source
from blindspots.data_root import find_data_root

_COLUMNS = ("object", "region", "ip_country", "file_path")
_CITATION = (
    "Ramaswamy, Lin, Zhao, Adcock, van der Maaten, Ghadiyaram, Russakovsky: GeoDE, a geographically diverse evaluation "
    "dataset for object recognition. NeurIPS Datasets and Benchmarks 2023"
)


def read_geode(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    """Return photographs (N, 3, S, S) in [0, 1], labels = object, with groups country and region.

    Reads the release with index.csv and the folder images/, to which the column file_path is relative; of the table's
    other columns it needs object, region and ip_country. The names were checked against programs that read the
    release, not against the release itself; earlier releases call two of them script_name and file_name.

    The publishers give no split: each file goes by a fixed seed and its own path to train (70 %), validation (10 %)
    or test (20 %). Rows stand in an order fixed in the same way, because the table is sorted.

    Returns:
        ImageSet. A country is where the upload's address is, and regions are the publishers'. Extra: income (N,), per
        person of the country (World Bank, US dollars of 2020).

    Raises:
        FileNotFoundError: the table or a photograph is missing. ValueError: a column is missing, or no row is in the
            split.
    """
    check_request(SOURCE, split, size, limit)
    root = find_data_root(data_root)
    folder = find_set("geode", data_root=data_root)
    (file,) = require_files("geode", folder, ["index.csv"])
    table = read_table("geode", file, _COLUMNS)
    sheet = table.rename(columns={"file_path": "path", "object": "label", "ip_country": "country"})
    place = places("geode", list(sheet["path"]))
    rows = rows_of(split, place)
    rows = rows[np.argsort(place[rows], kind="stable")]
    if len(rows) == 0:
        raise ValueError(f"split: expected photographs in {split!r}, got none among the {len(sheet)} of {file}")
    return country_rows(
        sheet.iloc[rows].reset_index(drop=True),
        SOURCE,
        whole=sheet,
        split=split,
        folder=folder / "images",
        size=size,
        limit=limit,
        data_root=root,
        citation=_CITATION,
        notes=("split by a fixed seed and the file's path",),
        extras={},
    )


SOURCE = Source(
    "geode",
    "official",
    "GeoDE",
    "61,940 photographs of forty objects from six regions of the world, for those who have the release",
    PUBLISHED["geode"].licence,
    ("train", "validation", "test"),
    None,
    read_geode,
)
