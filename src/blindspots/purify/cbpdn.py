"""Convolutional basis pursuit denoising: sparse maps whose convolutions with filters add up to the signals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.purify.packed_filters import PackedFilters, chunk_values, signal_norms
from blindspots.types import Counts, Flags, Images, Scores

_RELAXATION = 1.8
_CHECK_EVERY = 10
_RESIDUAL_RATIO = 1.2
_LARGEST_CHANGE = 1000.0

Codes = Float[Tensor, "N *C M H W"]


@dataclass(frozen=True)
class SparseCodes:
    """Sparse codes of a batch of signals, and how good they are.

    Attributes:
        codes: (N, M, H, W), one map per filter, shared by the signal's channels; (N, C, M, H, W) where filters
            of one channel code each of several channels alone.
        objective: (N,), the minimized sum at codes.
        iterations: (N,), iterations each signal took, the most over its channels if these are coded alone.
        converged: (N,), whether both residuals met the tolerance. If not: raise max_iterations.
        primal_residual: (N,), ||x - y|| / max(||x||, ||y||), how far the two halves of the splitting are apart.
        dual_residual: (N,), ||y - y_before|| / ||u||, how much the codes still move; u the scaled dual variable.
        dictionary: (M, C, h, w), as given.
    """

    codes: Codes
    objective: Scores
    iterations: Counts
    converged: Flags
    primal_residual: Scores
    dual_residual: Scores
    dictionary: Float[Tensor, "M C2 h w"] = field(repr=False)

    def synthesize(self) -> Images:
        """Return the signals (N, C, H, W) that the codes stand for, sum_m d_m * x_m with circular boundaries."""
        return synthesize_codes(self.codes, self.dictionary)


def synthesize_codes(codes: Tensor, dictionary: Tensor) -> Images:
    """Return sum_m d_m * x_m with circular boundaries, differentiable in both.

    Args:
        codes: (N, M, H, W), or (N, C, M, H, W) where filters of one channel are used for each channel alone.
        dictionary: (M, C, h, w), or (M, 1, h, w).

    Returns:
        (N, C, H, W), in the dtype of codes.
    """
    sides = codes.shape[-2:]
    dtype = torch.promote_types(codes.dtype, torch.float32)
    spectrum, filters = torch.fft.rfft2(codes.to(dtype)), torch.fft.rfft2(dictionary.to(dtype), s=sides)
    if codes.ndim == 5:
        rebuilt = torch.einsum("ncmhw,mhw->nchw", spectrum, filters[:, 0])
    else:
        rebuilt = torch.einsum("nmhw,mchw->nchw", spectrum, filters)
    return torch.fft.irfft2(rebuilt, s=sides).to(codes.dtype)


def _rho_factors(primal: Scores, dual: Scores, target: float) -> Scores:
    """Return what to multiply rho with, so that the primal residual comes to `target` times the dual one."""
    tiny = torch.finfo(primal.dtype).tiny
    ratio = primal / (target * dual).clamp_min(tiny)
    size = torch.maximum(ratio, ratio.clamp_min(tiny).reciprocal()).sqrt().clamp_max(_LARGEST_CHANGE)
    up, down = ratio > _RESIDUAL_RATIO, ratio < 1.0 / _RESIDUAL_RATIO
    return torch.where(up, size, torch.where(down, 1.0 / size, 1.0))


@dataclass(frozen=True)
class _Solution:
    """What a chunk of signals has come to; its tensors are filled in as signals finish."""

    maps: Float[Tensor, "P B H W 2"]
    iterations: Counts
    primal: Scores
    dual: Scores


def _start(
    filters: PackedFilters,
    rotated: Tensor,
    initial: Float[Tensor, "P B H W 2"] | None,
    lmbda: float,
    rho: Scores,
) -> Float[Tensor, "P B H W 2"]:
    """Return the state of given codes: u is what the optimality conditions say it is at a solution.

    There lmbda u = D^H (s - D y) in units of t, and u = sign(y) where y is not 0.
    """
    scratch = filters.scratch(rotated.shape[1])
    if initial is None:
        return filters.spread(rotated, scratch).div_(lmbda).clamp_(-1.0, 1.0)
    misfit = rotated - filters.project(initial, scratch)
    pull = filters.spread(misfit, scratch).div_(lmbda).clamp_(-1.0, 1.0)
    scaled = initial * (rho / lmbda).view(-1, 1, 1, 1)
    return torch.where(initial == 0, pull, scaled + initial.sign())


def _solve_chunk(
    filters: PackedFilters,
    signals: Images,
    lmbda: float,
    initial: Float[Tensor, "P B H W 2"] | None,
    *,
    max_iterations: int,
    tolerance: float,
) -> _Solution:
    """Iterate until every signal of a chunk has met the tolerance; those that have leave.

    The state is v = (y + u) / t with t = lmbda / rho: u is v clipped to [-1, 1], y is the rest, and z = y - u. With
    r = D^H (rho + D D^H)^-1 (s / t - D z) an over-relaxed iteration is v + a (r - u), where u = (v - z) / 2.
    """
    n, shape = signals.shape[0], (filters.height, filters.width, 2)
    rotated = filters.rotate(signals)
    rho = signals.new_full((n,), 50.0 * lmbda + 1.0)
    target = 1.0 + 18.3 ** (math.log10(lmbda) + 1.0)
    index = torch.arange(n, device=signals.device)
    counts = torch.full((n,), max_iterations, device=signals.device)
    found = _Solution(signals.new_zeros(filters.pairs, n, *shape), counts, signals.new_zeros(n), signals.new_zeros(n))
    state = _start(filters, rotated, initial, lmbda, rho)

    def gains() -> tuple[Tensor, Tensor]:
        gain = _RELAXATION / (rho[:, None] + filters.values[:, None])
        # Complex as what it multiplies, or it would be converted anew at each iteration.
        return gain.to(rotated.dtype), rotated * (gain * (rho / lmbda)[:, None])

    point, scratch = torch.empty_like(state), filters.scratch(n)
    gain, pull = gains()
    for done in range(1, max_iterations + 1):
        torch.clamp(state, -1.0, 1.0, out=point)
        torch.sub(state, point, alpha=2.0, out=point)
        weights = torch.addcmul(pull, filters.project(point, scratch), gain, value=-1.0)
        step = filters.spread(weights, scratch)
        if done % _CHECK_EVERY and done < max_iterations:
            state.lerp_(point, _RELAXATION / 2.0).add_(step)
            continue

        y_before = state - state.clamp(-1.0, 1.0)
        x = torch.add(point, step, alpha=1.0 / _RELAXATION)
        state.lerp_(point, _RELAXATION / 2.0).add_(step)
        clipped = state.clamp(-1.0, 1.0)
        y = state - clipped
        tiny = torch.finfo(state.dtype).tiny
        primal = signal_norms(x - y) / torch.maximum(signal_norms(x), signal_norms(y)).clamp_min(tiny)
        dual = signal_norms(y - y_before) / signal_norms(clipped).clamp_min(tiny)
        finished = (primal <= tolerance) & (dual <= tolerance)
        if done == max_iterations:
            finished = torch.ones_like(finished)
        leaving = index[finished]
        found.maps[:, leaving] = (y * (lmbda / rho).view(-1, 1, 1, 1))[:, finished]
        found.iterations[leaving] = done
        found.primal[leaving], found.dual[leaving] = primal[finished], dual[finished]
        if finished.all():
            break

        factors = _rho_factors(primal, dual, target)
        state = torch.addcmul(clipped, y, factors.view(-1, 1, 1, 1))
        rho = rho * factors
        if finished.any():
            keep = (~finished).nonzero().flatten()
            index, rho, state, rotated = index[keep], rho[keep], state[:, keep], rotated[:, keep]
            point, scratch = torch.empty_like(state), filters.scratch(len(keep))
        gain, pull = gains()
    return found


def _objective(filters: PackedFilters, maps: Float[Tensor, "P B H W 2"], signals: Images, lmbda: float) -> Scores:
    """Return (1/2) ||D y - s||^2 + lmbda ||y||_1, the norm taken in the Fourier domain."""
    n_frequencies = filters.height * filters.width
    misfit = filters.project(maps, filters.scratch(len(signals))) - filters.rotate(signals)
    squares = torch.view_as_real(misfit).double().square().sum(dim=(0, 2, 3)) / n_frequencies
    return 0.5 * squares + lmbda * maps.abs().double().sum(dim=(0, 2, 3, 4))


def _needed(filters: PackedFilters, signals: Images, lmbda: float) -> Flags:
    """Return where codes of 0 are not the solution, that is where max |D^H s| > lmbda."""
    pull = filters.spread(filters.rotate(signals), filters.scratch(len(signals)))
    return pull.abs().amax(dim=(0, 2, 3, 4)) > lmbda


def check_coding(signals: Tensor, dictionary: Tensor, lmbda: float | int, initial: Tensor | None = None) -> None:
    """Raise unless signals can be coded over this dictionary, from these codes where there are any."""
    checks.check_images(signals, "signals", unit_range=False)
    checks.check_images(dictionary, "dictionary", unit_range=False)
    if dictionary.shape[1] not in (1, signals.shape[1]):
        raise ValueError(
            f"dictionary: expected filters of 1 or {signals.shape[1]} channels, as the signals have, got "
            f"{dictionary.shape[1]}; learn them on signals of the same kind"
        )
    sides, filter_sides = signals.shape[-2:], dictionary.shape[-2:]
    if filter_sides[0] > sides[0] or filter_sides[1] > sides[1]:
        raise ValueError(
            f"dictionary: expected filters no larger than the signals {tuple(sides)}, got {tuple(filter_sides)}; "
            "use larger signals or smaller filters"
        )
    if dictionary.dtype != signals.dtype or dictionary.device != signals.device:
        raise ValueError(
            f"dictionary: expected the dtype and device of signals ({signals.dtype}, {signals.device}), got "
            f"{dictionary.dtype}, {dictionary.device}; convert with .to"
        )
    checks.check_number(lmbda, "lmbda", above=0.0)
    if initial is not None:
        alone = dictionary.shape[1] == 1 and signals.shape[1] > 1
        lead = signals.shape[:2] if alone else signals.shape[:1]
        expected = (*lead, dictionary.shape[0], *sides)
        if not isinstance(initial, Tensor) or initial.shape != expected or initial.dtype != signals.dtype:
            got = (tuple(initial.shape), initial.dtype) if isinstance(initial, Tensor) else type(initial).__name__
            raise ValueError(f"initial: expected codes {expected} in {signals.dtype}, got {got}")
        checks.check_finite(initial, "initial")


@torch.no_grad()
def cbpdn(
    signals: Tensor,
    dictionary: Tensor,
    lmbda: float | int,
    *,
    max_iterations: int = 200,
    tolerance: float | int = 5e-3,
    initial: Tensor | None = None,
) -> SparseCodes:
    r"""Code signals over a convolutional dictionary with an l1 penalty.

    Minimizes, for each signal s with filters d_m and coefficient maps x_m,
        (1/2) || sum_m d_m * x_m - s ||_2^2 + lmbda sum_m || x_m ||_1                          (P1 Eq. 8)
    by the alternating direction method, solving the linear step exactly in the Fourier domain, with circular
    boundaries. A coefficient at (i, j) puts the filter's top left corner at (i, j).

    Each signal has its own penalty parameter rho, its own stop and its own count; both residuals are looked at
    every tenth iteration. Compare objectives with other solvers, not iterations.

    Args:
        signals: (N, C, H, W), any range; remove the low-pass part first (see `tikhonov_split`).
        dictionary: (M, C, h, w), filters, usually of unit norm; with 1 channel each channel of the signals is
            coded alone; h <= H, w <= W; dtype and device of signals.
        lmbda: weight of the l1 term, in the units of `signals` for filters of unit norm; > 0. Larger = sparser.
        max_iterations: cap, at least 1.
        tolerance: stop when both relative residuals are at most this, > 0. At 5e-3 objectives are a few
            thousandths above the minimum.
        initial: codes to start from, of the shape and dtype of the result; None = zeros.

    Returns:
        SparseCodes, in the dtype of signals. Codes are exactly 0, after 0 iterations, where that is the
        solution. No gradient flows through.

    Raises:
        TypeError: not float tensors.
        ValueError: a shape, a filter larger than the signal, NaN, or an option out of range.

    Source: P1 Stage III, Eq. 8. Linear step, over-relaxation and residual balancing: Wohlberg (2016); lmbda 0.2,
    200 iterations and tolerance 5e-3 are those of the code of Sun et al. (2019), whose setting P1 follows.
    Differs from the paper: nothing in the problem; it names no solver settings.
    """
    check_coding(signals, dictionary, lmbda, initial)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)
    checks.check_number(tolerance, "tolerance", above=0.0)
    n, channels, height, width = signals.shape
    alone = dictionary.shape[1] == 1 and channels > 1
    dtype = torch.promote_types(signals.dtype, torch.float32)
    items = signals.detach().to(dtype)
    if alone:
        items = items.reshape(n * channels, 1, height, width)
    filters = PackedFilters(dictionary.detach().to(dtype), height, width)
    start = None if initial is None else initial.detach().to(dtype).reshape(-1, filters.n_filters, height, width)
    settings = dict(max_iterations=max_iterations, tolerance=float(tolerance))

    codes = items.new_zeros(len(items), filters.n_filters, height, width)
    objective = items.new_zeros(len(items), dtype=torch.float64)
    iterations = torch.zeros(len(items), dtype=torch.long, device=items.device)
    primal, dual = items.new_zeros(len(items)), items.new_zeros(len(items))
    per_chunk = max(1, chunk_values(items.device) // (2 * filters.pairs * height * width))
    for part in torch.arange(len(items), device=items.device).split(per_chunk):
        needed = _needed(filters, items[part], float(lmbda))
        objective[part] = 0.5 * items[part].double().square().sum(dim=(1, 2, 3))
        part = part[needed]
        if part.numel() == 0:
            continue
        first = None if start is None else filters.pack(start[part])
        found = _solve_chunk(filters, items[part], float(lmbda), first, **settings)
        codes[part] = filters.unpack(found.maps)
        objective[part] = _objective(filters, found.maps, items[part], float(lmbda))
        iterations[part], primal[part], dual[part] = found.iterations, found.primal, found.dual

    shape = (n, channels, -1, height, width) if alone else (n, -1, height, width)
    by_signal = (n, channels) if alone else (n, 1)
    primal, dual = primal.view(by_signal).amax(1), dual.view(by_signal).amax(1)
    return SparseCodes(
        codes=codes.view(shape).to(signals.dtype),
        objective=objective.view(by_signal).sum(1).to(signals.dtype),
        iterations=iterations.view(by_signal).amax(1),
        converged=(primal <= tolerance) & (dual <= tolerance),
        primal_residual=primal.to(signals.dtype),
        dual_residual=dual.to(signals.dtype),
        dictionary=dictionary.detach(),
    )
