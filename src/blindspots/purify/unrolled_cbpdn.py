"""Convolutional sparse coding with a gradient: a fixed number of iterations, differentiated one by one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from blindspots import checks
from blindspots.purify.cbpdn import Codes, check_coding
from blindspots.purify.packed_filters import PackedFilters

_RELAXATION = 1.8
_CHUNK_VALUES = 1 << 18  # on a CPU, so that the working set stays in its cache


class _Unrolled(torch.autograd.Function):
    """The iterations of `cbpdn` with a fixed rho, and their adjoints in reverse order.

    With t = lmbda / rho the state is v = (y + u) / t, u is v clipped to [-1, 1] and y the rest. An iteration is
    linear but for the clip, whose slope is 0 or 1. So the backward pass needs one bit per coefficient and
    iteration, and runs the same two transforms as the forward pass, because D^H (rho + D D^H)^-1 D is its own
    adjoint.
    """

    @staticmethod
    def forward(ctx, signals: Tensor, filters: PackedFilters, lmbda: float, rho: float, iterations: int) -> Tensor:
        rotated = filters.rotate(signals)
        scratch = filters.scratch(len(signals))
        gain = (_RELAXATION / (rho + filters.values[:, None])).to(rotated.dtype)
        state = filters.spread(rotated / lmbda, scratch)
        slopes = [state.abs() < 1.0]
        state.clamp_(-1.0, 1.0)
        pull = rotated * (gain * (rho / lmbda))
        for _ in range(iterations):
            point = torch.sub(state, state.clamp(-1.0, 1.0), alpha=2.0)
            slopes.append(state.abs() < 1.0)
            weights = torch.addcmul(pull, filters.project(point, scratch), gain, value=-1.0)
            state.lerp_(point, _RELAXATION / 2.0).add_(filters.spread(weights, scratch))
        slopes.append(state.abs() < 1.0)
        ctx.filters, ctx.slopes, ctx.settings = filters, slopes, (lmbda, rho)
        return filters.unpack((state - state.clamp(-1.0, 1.0)) * (lmbda / rho))

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        filters, slopes, (lmbda, rho) = ctx.filters, ctx.slopes, ctx.settings
        scratch = filters.scratch(len(gradient))
        gain = (_RELAXATION / (rho + filters.values[:, None])).to(scratch.dtype)
        pulled = filters.pack(gradient) * (lmbda / rho)
        pulled = pulled.masked_fill(slopes[-1], 0.0)
        total = scratch.new_zeros(filters.channels, *scratch.shape[2:])
        for slope in reversed(slopes[1:-1]):
            projected = filters.project(pulled, scratch) * gain
            total.add_(projected, alpha=rho / lmbda)
            across = filters.spread(projected, scratch)
            # The slope is 1 - 2 m through the linear step and 1 - a m beside it, m the slope of the clip.
            pulled = torch.where(slope, (1.0 - _RELAXATION) * pulled + across, pulled - across)
        start = filters.project(pulled.masked_fill(~slopes[0], 0.0), scratch)
        total.add_(start, alpha=1.0 / lmbda)
        turned = torch.einsum("cdk,cbk->bdk", filters.turn.conj(), total)
        found = torch.fft.ifft2(turned.unflatten(2, (filters.height, filters.width))).real
        return found, None, None, None, None


def unrolled_cbpdn(
    signals: Tensor,
    dictionary: Tensor,
    lmbda: float | int,
    *,
    iterations: int = 50,
    rho: float | int = 4.0,
) -> Codes:
    r"""Code signals as `cbpdn` does, by a fixed number of iterations that a gradient can flow through.

    Minimizes the sum of `cbpdn`,
        (1/2) || sum_m d_m * x_m - s ||_2^2 + lmbda sum_m || x_m ||_1                          (P1 Eq. 8),
    by the same over-relaxed alternating direction method from the same start, but with one penalty parameter
    for all signals and iterations and without a stop, so that the codes are a fixed, almost everywhere
    differentiable function of the signals. Its gradient is exact, for these iterations.

    Memory for the backward pass is one byte per coefficient and iteration; its time is about that of the
    forward pass. There is no second derivative. Each signal is coded on its own: a batch changes nothing.

    Args:
        signals: (N, C, H, W), any range, the high-pass part; differentiable.
        dictionary: (M, C, h, w) or (M, 1, h, w), as in `cbpdn`; a constant.
        lmbda: weight of the l1 term, in the units of `signals` for filters of unit norm; > 0.
        iterations: how many, at least 1.
        rho: penalty parameter of the splitting, > 0, the same for any scale of the signals; it changes the path
            and not where it leads. With 4, 50 iterations leave the objective of a high-pass photograph within a
            thousandth of the minimum at lmbda 0.05 to 0.2.

    Returns:
        Codes (N, M, H, W), or (N, C, M, H, W) where filters of one channel code each of several channels alone.

    Raises:
        TypeError: not float tensors.
        ValueError: a shape, a filter larger than the signal, NaN, an option out of range, or a dictionary that
            asks for a gradient.

    Source: P1 Stage III, Eq. 8; the paper relies on the solver having no gradient ("cannot extract gradient
    information from our transformation due to the nature of" it). Unrolling: Gregor and LeCun (2010).
    Differs from the paper: it is what the paper says an attacker does not have.
    """
    check_coding(signals, dictionary, lmbda)
    checks.check_number(iterations, "iterations", at_least=1, integer=True)
    checks.check_number(rho, "rho", above=0.0)
    if dictionary.requires_grad:
        raise ValueError("dictionary: expected a constant, got one that requires a gradient; use .detach()")
    n, channels, height, width = signals.shape
    alone = dictionary.shape[1] == 1 and channels > 1
    dtype = torch.promote_types(signals.dtype, torch.float32)
    items = signals.to(dtype)
    if alone:
        items = items.reshape(n * channels, 1, height, width)
    filters = PackedFilters(dictionary.to(dtype), height, width)
    settings = (filters, float(lmbda), float(rho), iterations)
    size = len(items)
    if items.device.type == "cpu":
        size = max(1, _CHUNK_VALUES // (2 * filters.pairs * height * width))
    codes = torch.cat([_Unrolled.apply(part, *settings) for part in items.split(size)])
    shape = (n, channels, -1, height, width) if alone else (n, -1, height, width)
    return codes.view(shape).to(signals.dtype)
