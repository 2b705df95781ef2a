"""Which share of the pictures a country has: equal, as in Dollar Street, or leaning to the rich."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from blindspots.checks import check_choice
from blindspots.data.embedded.countries import country_incomes
from blindspots.data.planted.country_scenes import chosen_countries

MIXES = ("equal", "photographs", "income")
_LEAST = 10.0  # photographs; fewer leave a country without an accuracy to speak of


def country_mix(kind: str, *, countries: Sequence[str] | None = None, data_root: str | Path | None = None) -> Tensor:
    """Return the share of each country, for the `weights` of `planted_scenes` and `country_photographs`.

    Args:
        kind: "equal"; "photographs", the real mix of Dollar Street, by its number of photographs of each country
            (a country of which it has fewer than 10 counts as 10); "income", by the root of income per person, for a
            mix that leans to rich countries as P0 says of its own.
        countries: names from `country_incomes`; None = all, poor to rich.
        data_root: for "photographs": a folder with country/dollarstreet_metadata.csv.gz.

    Returns:
        (G,) float64, > 0, sum 1, in the order of `countries`.

    Raises:
        ValueError: an unknown kind or country, or "photographs" without a data root.
        FileNotFoundError: a data root without the metadata.
    """
    check_choice(kind, "kind", MIXES)
    table = chosen_countries(countries)
    if kind == "equal":
        shares = torch.ones(len(table), dtype=torch.float64)
    elif kind == "income":
        shares = torch.tensor(table["gdp_per_person"].to_numpy(), dtype=torch.float64).sqrt()
    else:
        if data_root is None:
            raise ValueError(
                "data_root: expected a folder with the Dollar Street metadata for the mix 'photographs', got None; "
                "name it, or take the mix 'equal' or 'income'"
            )
        counted = country_incomes(data_root=data_root).set_index("country")["photos"]
        numbers = counted.loc[list(table["country"])].to_numpy(dtype="float64")
        shares = torch.tensor(numbers).clamp(min=_LEAST)
    return shares / shares.sum()
