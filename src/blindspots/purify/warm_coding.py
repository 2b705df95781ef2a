"""Codes of a batch that are carried from dictionary to dictionary, a few iterations at a time."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.purify.packed_filters import PackedFilters
from blindspots.types import Images, Scores

_RELAXATION = 1.8
_RESIDUAL_RATIO = 1.2
_LARGEST_CHANGE = 10.0
_CHUNK_VALUES = {"cpu": 1 << 17}
_CHUNK_VALUES_ELSEWHERE = 1 << 27


def _norms(packed: Float[Tensor, "B P H W 2"]) -> Scores:
    return torch.linalg.vector_norm(packed, dim=(1, 2, 3, 4))


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
        shape = (filters.pairs, filters.height, filters.width, 2)
        first = self._state is None
        if first:
            self._state = self.signals.new_empty(len(self.signals), *shape)
        codes = self.signals.new_empty(len(self.signals), filters.n_filters, filters.height, filters.width)
        room = _CHUNK_VALUES.get(self.signals.device.type, _CHUNK_VALUES_ELSEWHERE)
        per_chunk = max(1, room // math.prod(shape))
        for start in range(0, len(self.signals), per_chunk):
            part = slice(start, start + per_chunk)
            codes[part] = filters.unpack(self._advance_part(filters, part, iterations, first))
        return codes

    def _advance_part(
        self, filters: PackedFilters, part: slice, iterations: int, first: bool
    ) -> Float[Tensor, "B P H W 2"]:
        rotated, rho, lmbda = filters.rotate(self.signals[part]), self._rho[part], self.lmbda
        spectrum = rotated.new_empty(len(rotated), filters.pairs, rotated.shape[2])
        scratch = torch.empty_like(spectrum)
        state = self._state[part]
        if first:
            torch.div(filters.spread(rotated, spectrum, scratch), lmbda, out=state).clamp_(-1.0, 1.0)
        gain = _RELAXATION / (rho[:, None, None] + filters.values)
        pull = rotated * (gain * (rho / lmbda)[:, None, None])
        clipped, point = torch.empty_like(state), torch.empty_like(state)
        for done in range(1, iterations + 1):
            torch.clamp(state, -1.0, 1.0, out=clipped)
            torch.sub(state, clipped, alpha=2.0, out=point)
            projected = filters.project(point, spectrum, scratch)
            step = filters.spread(torch.addcmul(pull, projected, gain, value=-1.0), spectrum, scratch)
            if done == iterations:
                y_before, x = state - clipped, point.add_(step, alpha=1.0 / _RELAXATION)
            state.add_(step).sub_(clipped, alpha=_RELAXATION)

        torch.clamp(state, -1.0, 1.0, out=clipped)
        y = state - clipped
        tiny = torch.finfo(state.dtype).tiny
        primal = _norms(x - y) / torch.maximum(_norms(x), _norms(y)).clamp_min(tiny)
        dual = _norms(y - y_before) / _norms(clipped).clamp_min(tiny)
        ratio = primal / (self._target * dual).clamp_min(tiny)
        factors = ratio.sqrt().clamp(1.0 / _LARGEST_CHANGE, _LARGEST_CHANGE)
        balanced = (ratio <= _RESIDUAL_RATIO) & (ratio >= 1.0 / _RESIDUAL_RATIO)
        # A signal without codes has no residual to balance.
        factors = torch.where(balanced | (_norms(y) == 0), 1.0, factors)
        codes = y * (lmbda / rho).view(-1, 1, 1, 1, 1)
        torch.addcmul(clipped, y, factors.view(-1, 1, 1, 1, 1), out=state)
        self._rho[part] = rho * factors
        return codes
