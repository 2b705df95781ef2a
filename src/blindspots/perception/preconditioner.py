"""Preconditioners of the SSIM Newton system: a diagonal, and a diagonal with a coarse correction.

Where an image is flat and bright, a and b nearly cancel for slow changes: their cost is some hundred times
below what the diagonal W^T b says, and conjugate gradients spends most of its iterations on them. Slow
changes are well described by one number per block of pixels, so the system on the blocks is solved directly.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.perception.window import Window

_BLOCKS_PER_SIDE = 16
_MIN_BLOCK = 8
_DARK_EDGE_WEIGHT = 30.0


class DiagonalPreconditioner:
    """r -> r / d, one diagonal for each of M maps."""

    def __init__(self, diagonal: Float[Tensor, "M H W"]) -> None:
        """Keep the inverse."""
        self._inverse = diagonal.reciprocal()

    def __call__(self, residuals: Float[Tensor, "M H W"], out: Float[Tensor, "M H W"]) -> Tensor:
        """Write the preconditioned residuals into out and return it."""
        return torch.mul(residuals, self._inverse, out=out)

    def select(self, keep: Tensor) -> DiagonalPreconditioner:
        """Return the preconditioner of the maps at indices keep."""
        chosen = object.__new__(DiagonalPreconditioner)
        chosen._inverse = self._inverse[keep]
        return chosen


def _blocks(side: int, like: Tensor) -> Tensor:
    count = -(-side // max(_MIN_BLOCK, -(-side // _BLOCKS_PER_SIDE)))
    owner = torch.arange(side, device=like.device) * count // side
    return torch.nn.functional.one_hot(owner, count).to(like.dtype)


class CoarsePreconditioner:
    r"""r -> D^-1 r + Z [E^-1 - F^-1] Z^T r, with E = Z^T A Z, F = Z^T D Z and Z constant on blocks of pixels.

    A = W^T diag(c) W + diag(d) is the system and D = d + 30 (W squared)^T max(c, 0): the second term raises D
    at the edges of dark regions, where c exceeds d by far. D^-1 - Z F^-1 Z^T is positive semidefinite, since
    it is D^-1 less its part on the blocks, and E^-1 is positive definite: together they are positive
    definite.

    Source: two-level additive correction as in domain decomposition (Toselli and Widlund, 2005).
    """

    def __init__(
        self, window: Window, coupling: Float[Tensor, "M Q R"], diagonal: Float[Tensor, "M H W"]
    ) -> None:
        """Form and factor the system on the blocks."""
        n_maps, height, width = diagonal.shape
        dominant = diagonal + _DARK_EDGE_WEIGHT * window.squared().adjoint(coupling.clamp_min(0.0))
        self._inverse = dominant.reciprocal()
        self._tall, self._wide = _blocks(height, diagonal), _blocks(width, diagonal)
        n_tall, n_wide = self._tall.shape[1], self._wide.shape[1]

        def blockwise(maps: Tensor) -> Tensor:
            return (self._tall.mT @ maps @ self._wide).flatten(1)

        seen_tall, seen_wide = window.rows @ self._tall, window.columns @ self._wide
        pairs_tall = (seen_tall[:, :, None] * seen_tall[:, None]).flatten(1)
        pairs_wide = (seen_wide[:, :, None] * seen_wide[:, None]).flatten(1)
        coarse = (pairs_tall.mT @ coupling @ pairs_wide).view(n_maps, n_tall, n_tall, n_wide, n_wide)
        coarse = coarse.transpose(2, 3).reshape(n_maps, n_tall * n_wide, n_tall * n_wide)
        coarse = coarse + torch.diag_embed(blockwise(diagonal))
        factor, failed = torch.linalg.cholesky_ex(coarse)
        correction = torch.cholesky_inverse(factor) - torch.diag_embed(blockwise(dominant).reciprocal())
        # A matrix that rounding left without a factor is no help: those maps keep the diagonal alone.
        self._correction = torch.where((failed == 0)[:, None, None], correction, 0.0)

    def __call__(self, residuals: Float[Tensor, "M H W"], out: Float[Tensor, "M H W"]) -> Tensor:
        """Write the preconditioned residuals into out and return it."""
        blocks = self._tall.mT @ (residuals @ self._wide)
        change = (self._correction @ blocks.flatten(1)[:, :, None]).view(blocks.shape)
        torch.matmul(self._tall @ change, self._wide.mT, out=out)
        return out.addcmul_(residuals, self._inverse)

    def select(self, keep: Tensor) -> CoarsePreconditioner:
        """Return the preconditioner of the maps at indices keep."""
        chosen = object.__new__(CoarsePreconditioner)
        chosen._tall, chosen._wide = self._tall, self._wide
        chosen._inverse, chosen._correction = self._inverse[keep], self._correction[keep]
        return chosen
