"""From a publisher's table of photographs to an `ImageSet` by country, poor to rich, with incomes."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from blindspots.data.official.pixels import read_images
from blindspots.data.official.world_incomes import world_incomes
from blindspots.data.published import PUBLISHED
from blindspots.data.root import half_written
from blindspots.data.sets import Card, ImageSet, Source, fingerprint

DEFAULT_SIDE = 64
"""Pixels: the photographs come in many shapes, so that a side has to be chosen."""


def read_table(name: str, file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a publisher's table as text, with the columns a reader needs.

    Raises:
        ValueError: the file is no table, has no rows, or lacks a column; the message names them.
    """
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise half_written(name, file, "a table with commas", str(error)) from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise ValueError(
            f"{name}: expected the columns {', '.join(columns)} in {file}, got {found}; "
            f"this reads the release described at {PUBLISHED[name].page}, another one may name its columns otherwise"
        )
    if table.empty:
        raise half_written(name, file, "at least one photograph", "no row")
    return table


def country_rows(
    table: pd.DataFrame,
    source: Source,
    *,
    whole: pd.DataFrame,
    split: str,
    folder: Path,
    size: int | None,
    limit: int | None,
    data_root: Path,
    citation: str,
    notes: tuple[str, ...],
    extras: dict[str, Tensor],
) -> ImageSet:
    """Return the photographs of a table with columns path, label and country, its rows in their order.

    Rows of countries without an income are left out: they have no place in a regression on income.

    Args:
        table: of the split: columns path (below folder), label, country and region.
        source: of the data set.
        whole: the same columns for every split, so that a number means the same country in all of them.
        split: goes on the card.
        folder: holds the photographs.
        size: image side; None = 64 pixels.
        limit: only the first rows.
        data_root: where the World Bank's table may lie.
        citation: of the data set.
        notes: for the card.
        extras: tensors with one row per row of the table.

    Raises:
        ValueError: no row's country has an income. FileNotFoundError: photographs are missing.
    """
    names = sorted(set(whole["country"]))
    incomes, where = world_incomes(names, data_root=data_root)
    by_name = dict(zip(names, incomes.tolist(), strict=True))
    row_income = torch.tensor([by_name[name] for name in table["country"]], dtype=torch.float64)
    kept = (~row_income.isnan()).nonzero().squeeze(1)
    if len(kept) == 0:
        raise ValueError(
            f"{source.name}: expected countries with an income, got {', '.join(names[:5])}; put the World Bank's "
            "country/gdp_per_capita_2020.csv into the data root"
        )
    dropped = sorted(name for name in set(table["country"]) if math.isnan(by_name[name]))
    if dropped:
        n_left_out = len(table) - len(kept)
        notes = (*notes, f"{n_left_out} rows left out, no income known for {', '.join(dropped)}")
    kept = kept[:limit]
    rows = table.iloc[kept.numpy()].reset_index(drop=True)
    files = [folder / path for path in rows["path"]]
    gone = [str(file) for file in files if not file.is_file()]
    if gone:
        raise FileNotFoundError(
            f"{source.name}: expected {len(files)} photographs below {folder}, got {len(gone)} fewer, for instance no "
            f"{gone[0]}; {PUBLISHED[source.name].remedy()}"
        )
    images = read_images(source.name, files, DEFAULT_SIDE if size is None else size)
    classes, regions = (tuple(sorted(set(whole[column]))) for column in ("label", "region"))
    countries = tuple(sorted((name for name in names if not math.isnan(by_name[name])), key=by_name.__getitem__))
    labels, country, region = (
        torch.tensor([ordered.index(name) for name in rows[column]])
        for ordered, column in ((classes, "label"), (countries, "country"), (regions, "region"))
    )
    known = {"income": row_income[kept].float(), **{key: values[kept] for key, values in extras.items()}}
    card = Card(
        source.name,
        source.title,
        PUBLISHED[source.name].page,
        source.licence,
        citation,
        "mirror",
        split=split,
        sha256=fingerprint(images, labels, country, region),
        differs="no checksum is published, so the bytes cannot be compared with the publisher's",
        notes=(*notes, f"incomes: {where}", "photographs cut to their central square and resized"),
    )
    groups = {"country": country, "region": region}
    return ImageSet(images, labels, classes, card, groups, {"country": countries, "region": regions}, dict(known))
