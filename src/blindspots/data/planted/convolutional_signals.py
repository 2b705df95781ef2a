"""Convolutional signals: sums of a few shifted filters, with the filters and their places known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from blindspots.checks import check_finite, check_number
from blindspots.data.sets import Card, Source, sealed
from blindspots.seeding import derive_seed, generator

SPLITS = ("train", "validation", "test")
_ROWS = {"train": 32, "validation": 8, "test": 16}
_DEFAULTS = {"n_filters": 8, "filter_size": 7, "channels": 1}

CARD = Card(
    name="convolutional_signals",
    title="Convolutional signals with a planted dictionary",
    source="drawn by this package",
    licence="BSD-3-Clause, as the package",
    citation="this package",
    origin="planted",
    version="1",
)


@dataclass(frozen=True)
class PlantedSignals:
    """Signals (N, C, H, W), codes (N, M, H, W) and dictionary (M, C, h, w) of unit norm; float32.

    Without noise, `signals` is `synthesize(codes, dictionary)` to float32 rounding.
    """

    signals: Tensor
    codes: Tensor
    dictionary: Tensor
    card: Card

    def __len__(self) -> int:
        return int(self.signals.shape[0])


def synthesize(codes: Tensor, dictionary: Tensor) -> Tensor:
    """Return the circular convolution sum_m d_m * x_m as signals (N, C, H, W).

    A coefficient at (i, j) puts the filter's top left corner at (i, j); a filter that leaves by one border
    enters by the opposite one. Computed in float64, returned in the dtype of the codes.

    Args:
        codes: x, (N, M, H, W).
        dictionary: d, (M, C, h, w) with h <= H, w <= W.

    Raises:
        ValueError: shapes that do not fit.
    """
    if codes.ndim != 4 or dictionary.ndim != 4 or codes.shape[1] != dictionary.shape[0]:
        raise ValueError(
            "codes, dictionary: expected (N, M, H, W) and (M, C, h, w) with one M, "
            f"got {tuple(codes.shape)} and {tuple(dictionary.shape)}"
        )
    sides = codes.shape[-2:]
    if dictionary.shape[-2] > sides[0] or dictionary.shape[-1] > sides[1]:
        raise ValueError(
            f"dictionary: expected filters no larger than the signal {tuple(sides)}, "
            f"got {tuple(dictionary.shape[-2:])}"
        )
    spectrum = torch.fft.rfft2(codes.double())
    filters = torch.fft.rfft2(dictionary.double(), s=sides)
    return torch.fft.irfft2(torch.einsum("nmhw,mchw->nchw", spectrum, filters), s=sides).to(codes.dtype)


def planted_signals(
    n: int,
    *,
    seed: int,
    n_filters: int | None = None,
    filter_size: int | None = None,
    size: int = 32,
    channels: int | None = None,
    density: float = 0.005,
    noise: float = 0.0,
    dictionary: Tensor | None = None,
) -> PlantedSignals:
    """Draw sparse codes and a dictionary, and the signals they make.

    Args:
        n: signals, >= 1.
        seed: the same seed gives the same bits.
        n_filters: filters M, small waves of evenly spread directions, random phases and lengths; None = 8.
        filter_size: their side in pixels, 2 <= filter_size <= size; None = 7.
        size: the signals' side in pixels.
        channels: C; with more than one, every filter has its own random color; None = 1.
        density: share of nonzero coefficients, in (0, 1]; every signal has the same number of them, at least
            one. Their sizes are uniform in [0.5, 1.5], their signs random.
        noise: standard deviation of white noise added to the signals, in their units.
        dictionary: (M, C, h, w) filters to use instead of drawing some, scaled to unit norm; then leave
            `n_filters`, `filter_size` and `channels` out.

    Returns:
        PlantedSignals.

    Raises:
        ValueError: a filter larger than the signal, a density outside (0, 1], a negative noise, a dictionary
            together with the options that would draw one.
    """
    return sealed(_signals(n, seed, n_filters, filter_size, size, channels, density, noise, dictionary))


def _signals(
    n: int,
    seed: int,
    n_filters: int | None,
    filter_size: int | None,
    size: int,
    channels: int | None,
    density: float,
    noise: float,
    dictionary: Tensor | None,
) -> PlantedSignals:
    check_number(n, "n", at_least=1, integer=True)
    check_number(size, "size", at_least=2, integer=True)
    check_number(density, "density", above=0.0, at_most=1.0)
    check_number(noise, "noise", at_least=0.0)
    shape = {"n_filters": n_filters, "filter_size": filter_size, "channels": channels}
    given = [name for name, value in shape.items() if value is not None]
    if dictionary is None:
        sides = {
            name: default if shape[name] is None else shape[name] for name, default in _DEFAULTS.items()
        }
        for name, value in sides.items():
            check_number(value, name, at_least=2 if name == "filter_size" else 1, integer=True)
        dictionary = _waves(draws=generator(seed, "signals", "dictionary"), **sides)
    elif given:
        raise ValueError(
            f"{given[0]}: expected None with a dictionary, got {shape[given[0]]}; leave it out"
        )
    dictionary = _unit_norm(dictionary)
    if max(dictionary.shape[-2:]) > size:
        raise ValueError(
            f"filter_size: expected at most the signal's side {size}, got filters of "
            f"{dictionary.shape[-2]}x{dictionary.shape[-1]}; use larger signals"
        )
    codes = _codes(n, len(dictionary), size, density, generator(seed, "signals", "codes"))
    signals = synthesize(codes, dictionary)
    if noise:
        signals = signals + noise * torch.randn(
            signals.shape, generator=generator(seed, "signals", "noise")
        )
    note = f"n = {n}, seed = {seed}, density = {density:g}, noise = {noise:g}"
    return PlantedSignals(signals, codes, dictionary, replace(CARD, notes=(note,)))


def _unit_norm(dictionary: Tensor) -> Tensor:
    if not isinstance(dictionary, Tensor) or dictionary.ndim != 4 or not dictionary.is_floating_point():
        got = tuple(dictionary.shape) if isinstance(dictionary, Tensor) else type(dictionary).__name__
        raise ValueError(f"dictionary: expected float filters (M, C, h, w), got {got}")
    check_finite(dictionary, "dictionary")
    norms = dictionary.double().flatten(1).norm(dim=1)
    if (norms == 0).any():
        raise ValueError(
            "dictionary: expected filters that are not all zero, got a zero filter; leave it out"
        )
    return (dictionary.double() / norms.view(-1, 1, 1, 1)).float()


def _waves(*, n_filters: int, filter_size: int, channels: int, draws: torch.Generator) -> Tensor:
    """Return windowed waves (M, C, side, side) without mean; phase and wavelength are drawn."""
    side = filter_size
    axis = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    down, right = torch.meshgrid(axis, axis, indexing="ij")
    window = torch.exp(-(down.square() + right.square()) / (2 * (side / 3.5) ** 2))
    angle = (torch.arange(n_filters, dtype=torch.float64) * math.pi / n_filters).view(-1, 1, 1)
    phase, length = torch.rand(2, n_filters, 1, 1, generator=draws, dtype=torch.float64)
    across = right * angle.cos() + down * angle.sin()
    waves = window * torch.cos(2 * math.pi * (across / (side * (0.45 + 0.35 * length)) + phase))
    waves = waves - window * (waves.sum((1, 2)) / window.sum()).view(-1, 1, 1)
    colors = torch.randn(n_filters, channels, generator=draws, dtype=torch.float64)
    if channels == 1:
        colors = torch.ones_like(colors)
    return waves[:, None] * colors[:, :, None, None]


def _codes(n: int, n_filters: int, size: int, density: float, draws: torch.Generator) -> Tensor:
    """Return codes (N, M, size, size) with the same number of nonzeros in each signal."""
    places = n_filters * size * size
    count = max(1, round(density * places))
    chosen = torch.rand(n, places, generator=draws).topk(count, dim=1).indices
    sizes = 0.5 + torch.rand(n, count, generator=draws)
    signs = 1.0 - 2.0 * (torch.rand(n, count, generator=draws) < 0.5)
    return torch.zeros(n, places).scatter_(1, chosen, sizes * signs).view(n, n_filters, size, size)


def _read(split: str, size: int | None, limit: int | None, data_root: Path | None) -> PlantedSignals:
    """Return a split: one dictionary for all splits, codes of their own."""
    dictionary = _waves(draws=generator(0, "signals", "dictionary"), **_DEFAULTS)
    seed = derive_seed(0, "convolutional_signals", split)
    drawn = _signals(_ROWS[split], seed, None, None, size or 32, None, 0.005, 0.0, dictionary)
    return replace(drawn, signals=drawn.signals[:limit].clone(), codes=drawn.codes[:limit].clone())


SOURCE = Source(
    name="convolutional_signals",
    tier="planted",
    title=CARD.title,
    summary="sparse sums of eight shifted 7 x 7 filters; the codes and the dictionary are known",
    licence=CARD.licence,
    splits=SPLITS,
    sizes=None,
    read=_read,
)
