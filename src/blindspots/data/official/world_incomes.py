"""Incomes for photographs that name their country: the World Bank's table, under the names that data sets use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from blindspots.data.embedded.countries import country_incomes

_TABLE = Path("country") / "gdp_per_capita_2020.csv"
_COLUMNS = ("Country Name", "gdp_pc")
_BANK_NAMES = {
    "côte d'ivoire": "cote d'ivoire",
    "ivory coast": "cote d'ivoire",
    "czech republic": "czechia",
    "egypt": "egypt, arab rep.",
    "hong kong": "hong kong sar, china",
    "iran": "iran, islamic rep.",
    "kyrgyzstan": "kyrgyz republic",
    "laos": "lao pdr",
    "palestine": "west bank and gaza",
    "russia": "russian federation",
    "slovakia": "slovak republic",
    "south korea": "korea, rep.",
    "syria": "syrian arab republic",
    "turkey": "turkiye",
    "türkiye": "turkiye",
    "uae": "united arab emirates",
    "vietnam": "viet nam",
}


def world_incomes(names: list[str], *, data_root: Path) -> tuple[np.ndarray, str]:
    """Return the income per person of each country by its name, and where the figures come from.

    Args:
        names: as a data set writes them; case and underscores make no difference.
        data_root: folder with official data. With country/gdp_per_capita_2020.csv in it (columns Country Name and
            gdp_pc), every country of the World Bank is known, else the forty-one of `country_incomes`.

    Returns:
        Incomes (len(names),) float64 in current US dollars of 2020, NaN for a country without one (Taiwan,
        Venezuela and Yemen have none), and the source in words.

    Raises:
        ValueError: the table lacks a column.
    """
    embedded = country_incomes()
    known = dict(zip(embedded["country"].str.lower(), embedded["gdp_per_person"].astype(float), strict=True))
    source = "World Bank 2020, the 41 countries of country_incomes"
    path = data_root / _TABLE
    if path.is_file():
        table = pd.read_csv(path)
        missing = [column for column in _COLUMNS if column not in table.columns]
        if missing:
            raise ValueError(
                f"data_root: expected columns {', '.join(_COLUMNS)} in {path}, got none named {missing[0]!r}; "
                "remove the file to use the 41 countries that the package has"
            )
        bank = dict(zip(table["Country Name"].str.lower(), table["gdp_pc"].astype(float), strict=True))
        known = {**bank, **{name: bank[other] for name, other in _BANK_NAMES.items() if other in bank}}
        source = f"World Bank 2020, {_TABLE}"
    keys = [name.replace("_", " ").strip().lower() for name in names]
    return np.array([known.get(key, np.nan) for key in keys], dtype=np.float64), source
