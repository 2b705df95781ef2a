"""What a dictionary update has to know of the codes: how they correlate at lags within a filter, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.types import Images

_BLOCK_VALUES = 1 << 22
_BLOCK_ROWS = 16
_PROBE_STEPS = 2
_FIRST_PROBE_STEPS = 10
_SAFETY = 1.1
_LEAST_USE = 1e-3


def _window(lags: Tensor, dim: int, size: int) -> Tensor:
    """Return lags -(size - 1) to size - 1 of a circular axis on one of 2 size places, 0 at lag size.

    An axis that short already is returned as it is: there lags wrap around.
    """
    length = lags.shape[dim]
    if length <= 2 * size:
        return lags
    ends = lags.narrow(dim, 0, size), lags.narrow(dim, length - size + 1, size - 1)
    gap = torch.zeros_like(lags.narrow(dim, 0, 1))
    return torch.cat([ends[0], gap, ends[1]], dim=dim)


@dataclass(frozen=True)
class CodeCorrelations:
    """Means over signals from which the fit of any dictionary to fixed codes follows.

    (1/2) mean ||sum_m d_m * x_m - s||^2 = energy - <cross, d> + (1/2) <d, lags * d>, for filters of h x w pixels.

    Attributes:
        lags: (g, g', M, M), correlation of map m with map m' at each lag, circular; g = min(H, 2 h).
        cross: (M, C, h, w), correlation of map m with channel c of the signals.
        energy: half the mean squared norm of a signal.
        penalty: mean l1 norm of a signal's codes.
    """

    lags: Float[Tensor, "G G2 M M"]
    cross: Float[Tensor, "M C h w"]
    energy: Float[Tensor, ""]
    penalty: Float[Tensor, ""]

    def blend(self, other: CodeCorrelations, share: float) -> CodeCorrelations:
        """Return the mean with other, which counts for `share`, in [0, 1]."""
        return CodeCorrelations(
            *(
                torch.lerp(getattr(self, name), getattr(other, name), share)
                for name in ("lags", "cross", "energy", "penalty")
            )
        )


def correlate_codes(codes: Float[Tensor, "N M H W"], signals: Images, height: int, width: int) -> CodeCorrelations:
    """Return the correlations of codes and signals (N, C, H, W) that filters of height x width pixels need."""
    n, n_filters, *sides = codes.shape
    maps = torch.fft.rfft2(codes).flatten(2).permute(2, 1, 0).contiguous()
    pixels = torch.fft.rfft2(signals).flatten(2).permute(2, 0, 1)
    half = (sides[0], sides[1] // 2 + 1)
    conjugate = maps.conj().resolve_conj()
    cross = torch.bmm(conjugate, pixels).permute(1, 2, 0).unflatten(2, half)
    cross = torch.fft.irfft2(cross, s=sides)[..., :height, :width] / n
    # Map m with m' at a lag is m' with m at the opposite one: half of the pairs are enough.
    rows = max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // (len(maps) * n_filters)))
    grid = [min(side, 2 * size) for side, size in zip(sides, (height, width), strict=True)]
    lags = codes.new_empty(*grid, n_filters, n_filters)
    for start in range(0, n_filters, rows):
        stop = min(start + rows, n_filters)
        spectrum = torch.bmm(conjugate[:, start:stop], maps[:, start:].mT).unflatten(0, half)
        part = torch.fft.irfft2(spectrum, s=sides, dim=(0, 1))
        part = _window(_window(part, 0, height), 1, width)
        lags[:, :, start:stop, start:] = part
        opposite = part[..., stop - start :].flip(0, 1).roll((1, 1), (0, 1))
        lags[:, :, stop:, start:stop] = opposite.mT
    return CodeCorrelations(
        lags=lags.div_(n),
        cross=cross,
        energy=0.5 * signals.square().sum() / n,
        penalty=codes.abs().sum() / n,
    )


class DictionaryUpdate:
    """Projected gradient steps on a dictionary for fixed codes, each filter in the unit ball.

    Filters have step sizes of their own: a filter that is rarely used has small correlations, and with a step size
    for all of them would hardly move.
    """

    def __init__(self, probe: Float[Tensor, "M 1 h w"]) -> None:
        """Take the vector from which the search for the largest eigenvalue starts."""
        self._probe = probe
        self._steps = _FIRST_PROBE_STEPS

    def _step_sizes(self, lags: Float[Tensor, "G G2 M M"], spectrum: Tensor) -> Float[Tensor, "M 1 1 1"]:
        """Return 1 / (c a_m), a_m the energy of map m, with c a bound of the operator scaled by them.

        The power method starts from where it was for the last codes. It comes from below, and a gradient step
        still goes down while c is above half the largest eigenvalue.
        """
        use = lags[0, 0].diagonal()
        use = use.clamp_min(_LEAST_USE * use.max()).clamp_min(torch.finfo(use.dtype).tiny).view(-1, 1, 1, 1)
        scale = use.rsqrt()
        for _ in range(self._steps):
            unit = self._probe / torch.linalg.vector_norm(self._probe)
            self._probe = scale * _apply(spectrum, lags.shape[:2], scale * unit)
        self._steps = _PROBE_STEPS
        bound = _SAFETY * torch.linalg.vector_norm(self._probe)
        return 1.0 / (bound * use)

    def __call__(
        self, dictionary: Float[Tensor, "M C h w"], correlations: CodeCorrelations, steps: int
    ) -> tuple[Float[Tensor, "M C h w"], Float[Tensor, ""]]:
        """Return the dictionary after accelerated steps, restarted where momentum points uphill, and its misfit.

        The misfit is (1/2) mean ||sum_m d_m * x_m - s||^2.
        """
        lags = correlations.lags
        spectrum = torch.fft.rfft2(lags, dim=(0, 1)).flatten(0, 1)
        if not correlations.penalty > 0:
            return dictionary, correlations.energy
        sizes = self._step_sizes(lags, spectrum)
        point, momentum = dictionary, 1.0
        for _ in range(steps):
            gradient = _apply(spectrum, lags.shape[:2], point) - correlations.cross
            moved = _into_unit_balls(point - sizes * gradient)
            if ((point - moved) / sizes * (moved - dictionary)).sum() > 0:
                momentum = 1.0
            after = (1.0 + math.sqrt(1.0 + 4.0 * momentum * momentum)) / 2.0
            point = moved + (momentum - 1.0) / after * (moved - dictionary)
            dictionary, momentum = moved, after
        quadratic = 0.5 * (dictionary * _apply(spectrum, lags.shape[:2], dictionary)).sum()
        return dictionary, correlations.energy - (correlations.cross * dictionary).sum() + quadratic


def _apply(spectrum: Tensor, sides: tuple[int, int], filters: Float[Tensor, "M C h w"]) -> Float[Tensor, "M C h w"]:
    """Return sum_m' lags[m, m'] * d_m' within the filters' support."""
    height, width = filters.shape[-2:]
    mixed = torch.bmm(spectrum, torch.fft.rfft2(filters, s=tuple(sides)).flatten(2).permute(2, 0, 1))
    grid = mixed.permute(1, 2, 0).unflatten(2, (sides[0], sides[1] // 2 + 1))
    return torch.fft.irfft2(grid, s=tuple(sides))[..., :height, :width]


def _into_unit_balls(filters: Float[Tensor, "M C h w"]) -> Float[Tensor, "M C h w"]:
    return filters / torch.linalg.vector_norm(filters, dim=(1, 2, 3), keepdim=True).clamp_min(1.0)
