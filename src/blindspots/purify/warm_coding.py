"""Codes of a batch that are carried from dictionary to dictionary, a few iterations at a time."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.purify.packed_filters import PackedFilters, chunk_values, signal_norms
from blindspots.types import Images

_RELAXATION = 1.8
_RESIDUAL_RATIO = 1.2
_LARGEST_CHANGE = 10.0


class WarmCoding:
    """The alternating direction method of `cbpdn`, stopped and taken up again while the dictionary changes.

    A coefficient's state is v = (y + u) / t, t = lmbda / rho: u is v clipped to [-1, 1] and y, the sparse code, the
    rest. Both are kept when the dictionary changes, because a better dictionary is close to the last one.
    """

    def __init__(self, signals: Images, lmbda: float) -> None:
        """Take signals (B, C, H, W), not yet coded."""
        self.signals = signals
        self.lmbda = lmbda
        self._rho = signals.new_full((len(signals),), 50.0 * lmbda + 1.0)
        self._target = 1.0 + 18.3 ** (math.log10(lmbda) + 1.0)
        self._state: Tensor | None = None

    def advance(self, dictionary: Float[Tensor, "M C h w"], iterations: int) -> Float[Tensor, "B M H W"]:
        """Iterate on every signal and return its sparse codes; rho is balanced once, at the end."""
        filters = PackedFilters(dictionary, *self.signals.shape[-2:])
        sides = (filters.height, filters.width, 2)
        first = self._state is None
        if first:
            self._state = self.signals.new_empty(filters.pairs, len(self.signals), *sides)
        codes = self.signals.new_empty(len(self.signals), filters.n_filters, filters.height, filters.width)
        room = chunk_values(self.signals.device)
        per_chunk = max(1, room // (filters.pairs * math.prod(sides)))
        for start in range(0, len(self.signals), per_chunk):
            part = slice(start, start + per_chunk)
            codes[part] = filters.unpack(self._advance_part(filters, part, iterations, first))
        return codes

    def _advance_part(
        self, filters: PackedFilters, part: slice, iterations: int, first: bool
    ) -> Float[Tensor, "P B H W 2"]:
        rotated, rho, lmbda = filters.rotate(self.signals[part]), self._rho[part], self.lmbda
        scratch = filters.scratch(len(rho))
        if first:
            state = filters.spread(rotated, scratch).div_(lmbda).clamp_(-1.0, 1.0)
        else:
            state = self._state[:, part].contiguous()
        gain = _RELAXATION / (rho[:, None] + filters.values[:, None])
        pull = rotated * (gain * (rho / lmbda)[:, None])
        gain, point = gain.to(rotated.dtype), torch.empty_like(state)
        for done in range(1, iterations + 1):
            torch.clamp(state, -1.0, 1.0, out=point)
            torch.sub(state, point, alpha=2.0, out=point)
            weights = torch.addcmul(pull, filters.project(point, scratch), gain, value=-1.0)
            step = filters.spread(weights, scratch)
            if done == iterations:
                y_before, x = state - state.clamp(-1.0, 1.0), torch.add(point, step, alpha=1.0 / _RELAXATION)
            state.lerp_(point, _RELAXATION / 2.0).add_(step)

        clipped = state.clamp(-1.0, 1.0)
        y = state - clipped
        tiny = torch.finfo(state.dtype).tiny
        primal = signal_norms(x - y) / torch.maximum(signal_norms(x), signal_norms(y)).clamp_min(tiny)
        dual = signal_norms(y - y_before) / signal_norms(clipped).clamp_min(tiny)
        ratio = primal / (self._target * dual).clamp_min(tiny)
        factors = ratio.sqrt().clamp(1.0 / _LARGEST_CHANGE, _LARGEST_CHANGE)
        balanced = (ratio <= _RESIDUAL_RATIO) & (ratio >= 1.0 / _RESIDUAL_RATIO)
        # A signal without codes has no residual to balance.
        factors = torch.where(balanced | (signal_norms(y) == 0), 1.0, factors)
        codes = y * (lmbda / rho).view(-1, 1, 1, 1)
        self._state[:, part] = torch.addcmul(clipped, y, factors.view(-1, 1, 1, 1))
        self._rho[part] = rho * factors
        return codes
