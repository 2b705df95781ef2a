"""Country photographs: given pictures, given countries, in light and clutter that follow income as chosen.

The pictures are real and their countries are not: each is dealt one by the weights, without regard to what it
shows. So a gap between countries comes from the planted light and clutter and from nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from blindspots.checks import check_images, check_labels, check_number
from blindspots.data.embedded import photos
from blindspots.data.official import cifar10
from blindspots.data.planted.country_mix import country_mix
from blindspots.data.planted.country_scenes import chosen_countries, country_shares
from blindspots.data.sets import Card, ImageSet, Source, sealed
from blindspots.seeding import derive_seed, generator

SPLITS = ("train", "validation", "test")
MAX_PIECES = 12
_CHUNK = 128
_LIGHT_SPREAD = 0.25  # standard deviation of the light within a country, in stops
_SENSOR_NOISE = 0.02  # standard deviation of the noise, in units of the [0, 1] range
_SIDES = (0.12, 0.3)  # of a piece of clutter, as shares of the image's side
_PER_PIECE = 7  # uniform numbers: center, sides, color

CARD = Card(
    name="country_photographs",
    title="Photographs dealt to countries, with planted light and clutter",
    source="photographs of another set; incomes: World Bank, GDP per person 2020",
    licence="of the photographs, as in their own set; incomes CC BY 4.0",
    citation="as the photographs' own set; World Bank, World Development Indicators",
    origin="planted",
    version="1",
    notes=(
        "no picture shows the country it is given; that light and clutter follow income is planted and says "
        "nothing of homes",
    ),
)


def country_photographs(
    images: Tensor,
    labels: Tensor,
    *,
    seed: int,
    strength: float | int = 1.0,
    illumination: float | int = 3.0,
    clutter: float | int = 4.0,
    countries: Sequence[str] | None = None,
    weights: Sequence[float] | Tensor | None = None,
    class_names: Sequence[str] | None = None,
) -> ImageSet:
    """Deal pictures to countries and darken and cover them the more, the lower the country's income.

    With w in [0, 1] the place of a country between the poorest (0) and the richest (1) in log income: the light is
    darker by strength * illumination * (1 - w) stops (factors of two), with a spread of 0.25 stops, and on average
    strength * clutter * (1 - w) opaque boxes lie over the picture, each 12 to 30 % of its side. The sensor's noise
    is everywhere alike, so that dark pictures drown in it first. The first pictures go to one country each; every
    other picture's country is drawn by weight, whatever it shows.

    Args:
        images: (N, C, H, W) in [0, 1], at least one per country.
        labels: (N,) integer classes.
        seed: the same seed gives the same bits; another deals, darkens and covers afresh, which resamples the data
            set. A prefix of the images gives a prefix of the result. Strength, illumination and clutter change no
            country.
        strength: factor of both, 0 to 2; 0 = no bias: a picture's country says nothing of its light and clutter.
        illumination: stops between the poorest and the richest country at strength 1, 0 to 6.
        clutter: boxes more in the poorest than in the richest country at strength 1, 0 to 12; no picture gets more
            than 12.
        countries: names from `country_incomes`, at least two of them with different incomes; None = all.
        weights: chance of each country, > 0, in the order of `countries` (None: of `country_incomes`), for instance
            from `country_mix`; None = equal.
        class_names: of the labels; None = their numbers.

    Returns:
        ImageSet with images (N, C, H, W) in [0, 1], labels (N,), groups["country"] (poor to rich), and extras:
        income (N,) in US dollars per person, stops (N,) below full light, clutter (N,) boxes.

    Raises:
        ValueError: an unknown country, fewer pictures than countries, weights that do not fit, an option out of
            range.
    """
    check_images(images)
    check_labels(labels, len(images))
    check_number(strength, "strength", at_least=0.0, at_most=2.0)
    check_number(illumination, "illumination", at_least=0.0, at_most=6.0)
    check_number(clutter, "clutter", at_least=0.0, at_most=float(MAX_PIECES))
    n_countries = len(chosen_countries(countries))
    if len(images) < n_countries:
        raise ValueError(f"images: expected at least one per country ({n_countries}), got {len(images)}")
    names = tuple(map(str, range(int(labels.max()) + 1))) if class_names is None else tuple(class_names)
    options = (seed, float(strength) * illumination, float(strength) * clutter, countries, weights)
    return sealed(_photographs(images, labels, names, *options, CARD))


def _photographs(
    images: Tensor,
    labels: Tensor,
    class_names: tuple[str, ...],
    seed: int,
    stops_over_range: float,
    pieces_over_range: float,
    countries: Sequence[str] | None,
    weights: Sequence[float] | Tensor | None,
    card: Card,
) -> ImageSet:
    table = chosen_countries(countries)
    table["share"] = country_shares(len(table), weights).numpy()
    table = table.sort_values("gdp_per_person", kind="stable", ignore_index=True)
    income = torch.tensor(table["gdp_per_person"].to_numpy(), dtype=torch.float32)
    place = income.double().log()
    poverty = (1 - (place - place.min()) / (place.max() - place.min())).float()
    borders = torch.tensor(table["share"].to_numpy()).cumsum(0)
    borders = borders / borders[-1]
    parts: list[tuple[Tensor, ...]] = []
    for start in range(0, len(images), _CHUNK):
        batch = images[start : start + _CHUNK].cpu().float()
        draws = generator(seed, "country photographs", start)
        # Whole chunks are drawn and then cut, so that a picture is the same whatever the limit.
        country = torch.searchsorted(
            borders, torch.rand(_CHUNK, generator=draws, dtype=torch.float64), right=True
        ).clamp(max=len(table) - 1)
        if start == 0:
            country[: len(table)] = torch.randperm(len(table), generator=draws)
        light = torch.randn(_CHUNK, generator=draws)
        spread = torch.rand(_CHUNK, generator=draws)
        shapes = torch.rand(_CHUNK, MAX_PIECES, _PER_PIECE, generator=draws)
        noise = torch.randn(_CHUNK, *images.shape[1:], generator=draws)
        stops = stops_over_range * poverty[country] + _LIGHT_SPREAD * light
        pieces = (pieces_over_range * poverty[country] + spread).floor().clamp(0, MAX_PIECES).long()
        factor = torch.exp2(-stops).view(-1, 1, 1, 1)
        rows = slice(0, len(batch))
        shown = _covered(batch, pieces[rows], shapes[rows]) * factor[rows] + _SENSOR_NOISE * noise[rows]
        parts.append((shown.clamp(0, 1), country[rows], stops[rows], pieces[rows]))
    pictures, country, stops, pieces = (torch.cat(part) for part in zip(*parts, strict=True))
    made = f"seed = {seed}, {stops_over_range:g} stops and {pieces_over_range:g} boxes from rich to poor"
    return ImageSet(
        images=pictures,
        labels=labels.cpu().long().clone(),
        class_names=class_names,
        card=replace(card, notes=(*card.notes, made)),
        groups={"country": country},
        group_names={"country": tuple(table["country"])},
        extras={"income": income[country], "stops": stops, "clutter": pieces},
    )


def _covered(images: Tensor, pieces: Tensor, shapes: Tensor) -> Tensor:
    """Return images (N, C, H, W) under their first `pieces` (N,) boxes; shapes (N, MAX_PIECES, 7) in [0, 1]."""
    n, channels, height, width = images.shape
    down = ((torch.arange(height) + 0.5) / height).view(1, -1, 1)
    right = ((torch.arange(width) + 0.5) / width).view(1, 1, -1)
    covered = images
    for index in range(int(pieces.max())):
        y, x, tall, wide = (shapes[:, index, part].view(-1, 1, 1) for part in range(4))
        tall, wide = (_SIDES[0] + (_SIDES[1] - _SIDES[0]) * side for side in (tall, wide))
        inside = ((down - y).abs() < tall / 2) & ((right - x).abs() < wide / 2)
        inside &= (pieces > index).view(-1, 1, 1)
        color = shapes[:, index, 4:7] if channels == 3 else shapes[:, index, 4:5].expand(n, channels)
        covered = torch.where(inside[:, None], color[:, :, None, None], covered)
    return covered


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> ImageSet:
    """Deal CIFAR-10 of a data root, or the embedded photos without one, at strength 1."""
    source = photos.SOURCE if data_root is None else cifar10.SOURCE
    weights = None if data_root is None else country_mix("photographs", data_root=data_root)
    base = source.read(split, 32 if size is None else size, limit, data_root)
    seed = derive_seed(0, "country_photographs", split)
    card = replace(
        CARD,
        source=f"{base.card.source}; incomes: World Bank, GDP per person 2020",
        licence=f"{base.card.licence}; incomes CC BY 4.0",
        citation=f"{base.card.citation}; World Bank, World Development Indicators",
        differs=base.card.differs,
        notes=(*CARD.notes, f"photographs: {base.card.title}", *base.card.notes),
    )
    return _photographs(base.images, base.labels, base.class_names, seed, 3.0, 4.0, None, weights, card)


SOURCE = Source(
    name="country_photographs",
    tier="planted",
    title=CARD.title,
    summary="real pictures (CIFAR-10 of a data root that is named, else photos) dealt to 41 countries",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=(32, 64, 128),
    read=_read,
)
