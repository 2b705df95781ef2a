"""The operator v -> W^T(c * (W v)) + d * v applied many times: W in dense form or in blocks, buffers reused.

A window with 11 weights on 299 pixels is a 299 x 299 matrix of which 4 % is not zero. `BlockedOperator`
multiplies only by the band: the map is cut into blocks of 16 outputs, each of which needs 16 + 10 inputs, and
all blocks share one 16 x 26 matrix. `DenseOperator` multiplies by the whole matrix, which is faster on small
maps.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.perception.window import Window

_BLOCK = 16
_DENSE_SIDE = 56


class DenseOperator:
    """v -> W^T(c * (W v)) + d * v on M maps, with W as two whole matrices."""

    def __init__(
        self, window: Window, coupling: Float[Tensor, "M Q R"], diagonal: Float[Tensor, "M H W"]
    ) -> None:
        """Keep the coefficients and make the buffers."""
        self.window, self.coupling, self.diagonal = window, coupling, diagonal
        self.n_maps, height, _ = diagonal.shape
        n_maps, n_rows, n_columns = coupling.shape
        self._left = window.rows.expand(n_maps, -1, -1)
        self._left_adjoint = window.rows.mT.expand(n_maps, -1, -1)
        self._half = diagonal.new_empty(n_maps, height, n_columns)
        self._inner = diagonal.new_empty(n_maps, n_rows, n_columns)

    def __call__(self, vectors: Float[Tensor, "M H W"], out: Float[Tensor, "M H W"]) -> Tensor:
        """Write the product into out and return it."""
        n_columns, width = self.window.columns.shape
        torch.mm(vectors.view(-1, width), self.window.columns.mT, out=self._half.view(-1, n_columns))
        torch.bmm(self._left, self._half, out=self._inner)
        self._inner.mul_(self.coupling)
        torch.bmm(self._left_adjoint, self._inner, out=self._half)
        torch.mm(self._half.view(-1, n_columns), self.window.columns, out=out.view(-1, width))
        return out.addcmul_(self.diagonal, vectors)

    def select(self, keep: Tensor) -> DenseOperator:
        """Return the operator on the maps at indices keep."""
        return DenseOperator(self.window, self.coupling[keep], self.diagonal[keep])


class BlockedOperator:
    """The same as `DenseOperator`, multiplying only by the band of W.

    Every map lies with a margin of zeros on a page of R x S pixels, R and S multiples of the block. Blocks
    overlap by strides, nothing is copied; what a block reads beyond its map only reaches outputs that are
    thrown away. The product along the rows leaves its result transposed, so that both axes are blocked along
    the leading dimension.
    """

    def __init__(
        self,
        weights: Float[Tensor, " k"],
        padding: str,
        coupling: Float[Tensor, "M Q R"],
        diagonal: Float[Tensor, "M H W"],
    ) -> None:
        """Keep the coefficients, lay out the pages and make the buffers."""
        self.weights, self.padding, self.coupling, self.diagonal = weights, padding, coupling, diagonal
        self.n_maps, height, width = diagonal.shape
        n_maps, n_rows, n_columns = coupling.shape
        halo = weights.numel() - 1
        before, before_adjoint = (halo // 2, halo // 2) if padding == "same" else (0, halo)
        tall, wide = -(-(height + halo) // _BLOCK), -(-(width + halo) // _BLOCK)
        page, span = tall * _BLOCK, wide * _BLOCK
        lines, span_inputs = n_maps * page, _BLOCK + halo

        band = diagonal.new_zeros(_BLOCK, span_inputs)
        for offset in range(_BLOCK):
            band[offset, offset : offset + halo + 1] = weights.to(band)
        self._down, self._across = band.expand(n_maps * tall, -1, -1), band.expand(wide, -1, -1)

        def buffer(n_lines: int, length: int) -> Tensor:
            return diagonal.new_zeros((n_lines + halo + 1) * length)

        page_in, half, inner, half_adjoint = (
            buffer(lines, span),
            buffer(lines, span),
            buffer(span, lines),
            buffer(span, lines),
        )
        self._input = page_in[: lines * span].view(n_maps, page, span)[
            :, before : before + height, before : before + width
        ]
        self._input_blocks = page_in.as_strided((n_maps * tall, span_inputs, span), (_BLOCK * span, span, 1))
        self._half = half[: lines * span].view(n_maps * tall, _BLOCK, span)
        self._half_blocks = half.as_strided((wide, span_inputs, lines), (_BLOCK, 1, span))
        self._averages = diagonal.new_empty(wide, _BLOCK, lines)
        self._means = self._averages.view(span, n_maps, page)[:n_columns, :, :n_rows]
        self._inner = inner[: span * lines].view(span, n_maps, page)[
            before_adjoint : before_adjoint + n_columns, :, before_adjoint : before_adjoint + n_rows
        ]
        self._inner_blocks = inner.as_strided((wide, span_inputs, lines), (_BLOCK * lines, lines, 1))
        self._half_adjoint = half_adjoint[: span * lines].view(wide, _BLOCK, lines)
        self._half_adjoint_blocks = half_adjoint.as_strided(
            (n_maps * tall, span_inputs, span), (_BLOCK, 1, lines)
        )
        self._sums = diagonal.new_empty(n_maps * tall, _BLOCK, span)
        self._output = self._sums.view(n_maps, page, span)[:, :height, :width]
        self._coupling = coupling.permute(2, 0, 1).contiguous()

    def __call__(self, vectors: Float[Tensor, "M H W"], out: Float[Tensor, "M H W"]) -> Tensor:
        """Write the product into out and return it."""
        self._input.copy_(vectors)
        torch.bmm(self._down, self._input_blocks, out=self._half)
        torch.bmm(self._across, self._half_blocks, out=self._averages)
        torch.mul(self._means, self._coupling, out=self._inner)
        torch.bmm(self._across, self._inner_blocks, out=self._half_adjoint)
        torch.bmm(self._down, self._half_adjoint_blocks, out=self._sums)
        return torch.addcmul(self._output, self.diagonal, vectors, out=out)

    def select(self, keep: Tensor) -> BlockedOperator:
        """Return the operator on the maps at indices keep."""
        return BlockedOperator(self.weights, self.padding, self.coupling[keep], self.diagonal[keep])


def window_operator(
    window: Window, weights: Tensor, padding: str, coupling: Tensor, diagonal: Tensor
) -> DenseOperator | BlockedOperator:
    """Return the faster operator for maps of this size."""
    if max(diagonal.shape[-2:]) <= _DENSE_SIDE:
        return DenseOperator(window, coupling, diagonal)
    return BlockedOperator(weights, padding, coupling, diagonal)
