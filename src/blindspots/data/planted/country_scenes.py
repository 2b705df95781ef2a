"""Country scenes: household objects by country, in light and clutter that follow income as chosen.

A stand-in for photographs with countries: a classifier that fails in dim or crowded rooms then fails the
poor, and by how much is known, because light and clutter are drawn and not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from blindspots.checks import check_number
from blindspots.data.embedded.countries import country_incomes
from blindspots.data.planted.scene_drawing import (
    CLUTTER_VARIATIONS,
    MAX_CLUTTER,
    OBJECTS,
    VARIATIONS,
    draw_scenes,
)
from blindspots.data.sets import Card, ImageSet, Source, sealed
from blindspots.seeding import derive_seed, generator

SPLITS = ("train", "validation", "test")
SIZES = (32, 64, 128)
_ROWS = {"train": 2460, "validation": 820, "test": 2460}
_CHUNK = 128
_LIGHT_SPREAD = 0.25  # standard deviation of the light within a country, in stops
_SENSOR_NOISE = 0.02  # standard deviation of the noise, in units of the [0, 1] range

CARD = Card(
    name="country_scenes",
    title="Household scenes by country, with planted light and clutter",
    source="drawn by this package; incomes: World Bank, GDP per person 2020",
    licence="BSD-3-Clause, as the package; incomes CC BY 4.0",
    citation="this package; World Bank, World Development Indicators",
    origin="planted",
    version="1",
    notes=(
        "no photograph is shown; that light and clutter follow income is planted and says nothing of homes",
    ),
)


def planted_scenes(
    n: int,
    *,
    seed: int,
    size: int = 32,
    illumination: float = 2.0,
    clutter: float = 8.0,
    countries: Sequence[str] | None = None,
    weights: Sequence[float] | None = None,
) -> ImageSet:
    """Draw scenes whose light and clutter follow the logarithm of their country's income.

    With w in [0, 1] the place of a country between the poorest (0) and the richest (1) in log income: the
    light is darker than full by illumination * (1 - w) stops (factors of two), with a spread of 0.25 stops,
    and the mean number of pieces of clutter is 1 + clutter * (1 - w). The sensor's noise is everywhere alike.

    Args:
        n: scenes, at least one per country.
        seed: the same seed gives the same bits; illumination and clutter change no object and no pose.
        size: image side in pixels, 16 to 512.
        illumination: stops between the poorest and the richest country, 0 to 6; 0 = none.
        clutter: pieces more in the poorest than in the richest country, 0 to 12; 0 = none.
        countries: names from `country_incomes`, at least two of them with different incomes; None = all.
        weights: share of the scenes by country, > 0, e.g. numbers of photographs, in the order of `countries`
            (None: of `country_incomes`); None = equal shares. Every country gets at least one scene.

    Returns:
        ImageSet with images (n, 3, size, size) in [0, 1], labels (n,) = object, groups["country"] (poor
        to rich), and extras: income (n,) in US dollars per person, stops (n,) below full light, clutter (n,)
        pieces.

    Raises:
        ValueError: an unknown country, fewer scenes than countries, weights that do not fit.
    """
    return sealed(_scenes(n, seed, size, illumination, clutter, countries, weights, None))


def _scenes(
    n: int,
    seed: int,
    size: int,
    illumination: float,
    clutter: float,
    countries: Sequence[str] | None,
    weights: Sequence[float] | None,
    limit: int | None,
) -> ImageSet:
    check_number(size, "size", at_least=16, at_most=512, integer=True)
    check_number(illumination, "illumination", at_least=0.0, at_most=6.0)
    check_number(clutter, "clutter", at_least=0.0, at_most=12.0)
    table = chosen_countries(countries)
    check_number(n, "n", at_least=len(table), integer=True)
    table["scenes"] = _counts(n, len(table), weights).numpy()
    table = table.sort_values("gdp_per_person", kind="stable", ignore_index=True)
    country, objects = _rows(torch.tensor(table["scenes"].to_numpy()), generator(seed, "scenes", "rows"))
    log_income = torch.tensor(table["gdp_per_person"].to_numpy(), dtype=torch.float64).log()
    wealth = ((log_income - log_income.min()) / (log_income.max() - log_income.min())).float()[country]
    light = torch.randn(n, generator=generator(seed, "scenes", "light"))
    stops = illumination * (1 - wealth) + _LIGHT_SPREAD * light
    spread = torch.rand(n, generator=generator(seed, "scenes", "clutter"))
    pieces = (1 + clutter * (1 - wealth) + 2 * spread - 0.5).floor().clamp(0, MAX_CLUTTER).long()
    shown = n if limit is None else min(limit, n)
    images = _images(objects, pieces, stops, seed=seed, size=size, shown=shown)
    notes = (*CARD.notes, f"n = {n}, seed = {seed}, illumination = {illumination:g}, clutter = {clutter:g}")
    return ImageSet(
        images=images,
        labels=objects[:shown].clone(),
        class_names=OBJECTS,
        card=replace(CARD, notes=notes),
        groups={"country": country[:shown].clone()},
        group_names={"country": tuple(table["country"])},
        extras={
            "income": torch.tensor(table["gdp_per_person"].to_numpy(), dtype=torch.float32)[
                country[:shown]
            ],
            "stops": stops[:shown].clone(),
            "clutter": pieces[:shown].clone(),
        },
    )


def _images(objects: Tensor, pieces: Tensor, stops: Tensor, *, seed: int, size: int, shown: int) -> Tensor:
    """Return the first `shown` images, drawn by whole chunks: an image is the same whatever the limit."""
    n = len(objects)
    variations = torch.rand(n, VARIATIONS, generator=generator(seed, "scenes", "variations"))
    around = torch.rand(n, CLUTTER_VARIATIONS, generator=generator(seed, "scenes", "pieces"))
    chunks = []
    for start in range(0, shown, _CHUNK):
        rows = slice(start, start + _CHUNK)
        scene = draw_scenes(objects[rows], pieces[rows], variations[rows], around[rows], size)
        scene = scene * torch.exp2(-stops[rows]).view(-1, 1, 1, 1)
        noise = torch.randn(scene.shape, generator=generator(seed, "scenes", "noise", start))
        chunks.append((scene + _SENSOR_NOISE * noise).clamp(0, 1))
    return torch.cat(chunks)[:shown].clone()


def chosen_countries(countries: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows of the income table for the countries asked for, in their order."""
    table = country_incomes()
    if countries is None:
        return table
    if isinstance(countries, str):
        raise TypeError(
            f"countries: expected a sequence of names, got the text {countries!r}; put it in a list"
        )
    unknown = [name for name in countries if name not in set(table["country"])]
    if unknown:
        raise ValueError(
            f"countries: expected names from country_incomes(), got {unknown[0]!r}; "
            f"known are {', '.join(table['country'])}"
        )
    if len(countries) < 2 or len(set(countries)) < len(countries):
        raise ValueError(f"countries: expected at least two, each once, got {list(countries)!r}")
    return table.set_index("country").loc[list(countries)].reset_index()


def _rows(counts: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return country (n,) and object (n,) of each scene; objects take turns, rows are shuffled."""
    country = torch.repeat_interleave(torch.arange(len(counts)), counts)
    turn = torch.cat([torch.arange(count) + index for index, count in enumerate(counts.tolist())])
    order = torch.randperm(len(country), generator=draws)
    return country[order], (turn % len(OBJECTS))[order]


def country_shares(n_countries: int, weights: Sequence[float] | Tensor | None) -> Tensor:
    """Return checked weights (n_countries,) float64; equal ones for None."""
    shares = torch.ones(n_countries, dtype=torch.float64)
    if weights is not None:
        shares = torch.tensor([float(weight) for weight in weights], dtype=torch.float64)
        if len(shares) != n_countries:
            raise ValueError(f"weights: expected one per country ({n_countries}), got {len(shares)}")
        if not (torch.isfinite(shares).all() and (shares > 0).all()):
            raise ValueError(
                f"weights: expected finite numbers > 0, got a minimum of {shares.min().item():g}"
            )
    return shares


def _counts(n: int, n_countries: int, weights: Sequence[float] | None) -> Tensor:
    """Return scenes by country: one each, the rest by weight, rounded so that they sum to n."""
    shares = country_shares(n_countries, weights)
    ideal = (n - n_countries) * shares / shares.sum()
    counts = ideal.floor().long()
    largest = (ideal - counts).argsort(descending=True, stable=True)[: n - n_countries - int(counts.sum())]
    counts[largest] += 1
    return counts + 1


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    seed = derive_seed(0, "country_scenes", split)
    return _scenes(_ROWS[split], seed, 32 if size is None else size, 2.0, 8.0, None, None, limit)


SOURCE = Source(
    name="country_scenes",
    tier="planted",
    title=CARD.title,
    summary="drawn objects in rooms that are darker and fuller where income is lower; 41 countries",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=SIZES,
    read=_read,
)
