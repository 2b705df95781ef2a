"""Country incomes: a small table of World Bank figures, with photograph counts where a data root has them."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import pandas as pd

_COUNTS = Path("country") / "dollarstreet_metadata.csv.gz"


def country_incomes(*, data_root: str | Path | None = None) -> pd.DataFrame:
    """Return countries from poor to rich with their income per person.

    Args:
        data_root: folder with official data; if it holds the Dollar Street metadata
            (country/dollarstreet_metadata.csv.gz), their photographs are counted by country.

    Returns:
        DataFrame with columns country, iso3, gdp_per_person (current US dollars, 2020) and photos (nullable
        integer: photographs of that country in Dollar Street; missing without a data root). 41 rows,
        ascending income.

    Raises:
        FileNotFoundError: a data root without the metadata.
        ValueError: metadata without a column `country`.

    Source: World Bank, World Development Indicators (CC BY 4.0); see data/tables/README.md.
    """
    with as_file(files("blindspots.data") / "tables" / "country_income.csv") as path:
        table = pd.read_csv(path)
    if data_root is None:
        counts = pd.Series(dtype="Int64")
    else:
        counts = _photo_counts(Path(data_root) / _COUNTS)
        counts = counts.reindex(table["country"], fill_value=0)
    table["photos"] = table["country"].map(counts).astype("Int64")
    return table


def _photo_counts(path: Path) -> pd.Series:
    if not path.is_file():
        raise FileNotFoundError(
            f"data_root: expected the Dollar Street metadata at {path}, got no such file; "
            "leave data_root out to go without photograph counts"
        )
    header = pd.read_csv(path, nrows=0)
    if "country" not in header.columns:
        raise ValueError(
            f"data_root: expected a column 'country' in {path}, got {', '.join(map(str, header.columns))}; "
            "use the file of facebookresearch/dollarstreet_factors"
        )
    return pd.read_csv(path, usecols=["country"])["country"].value_counts()
