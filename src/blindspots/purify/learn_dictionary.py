"""Convolutional dictionary learning: filters whose sparse sums are the signals at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.purify.code_correlations import DictionaryUpdate, correlate_codes
from blindspots.purify.warm_coding import WarmCoding

_FIRST_CODING_STEPS = 10
_CODING_STEPS = 6
_FILTER_STEPS = 8
_ROUND = 5
_FORGETTING = 0.75


@dataclass(frozen=True)
class DictionaryFit:
    """A learned dictionary and how the learning went.

    Attributes:
        dictionary: (M, C, h, w), each filter of unit norm; C = 1 where channels are coded alone.
        objectives: (iterations,), mean objective per signal at the codes and filters of each iteration; with
            several batches a running mean over them, the later ones weighing more. Codes are not solved to the
            end: compare dictionaries by `cbpdn` on signals that neither has seen.
        iterations: how many alternations of codes and filters were made.
        change: ||D - D_before|| / ||D|| over the last five of them. A batch among many moves the filters little, so
            that with many batches a small change says less.
        converged: whether change is at most the tolerance. If not: raise max_iterations.
    """

    dictionary: Float[Tensor, "M C h w"]
    objectives: Float[Tensor, " T"]
    iterations: int
    change: float
    converged: bool


def _sides(filter_size: int | tuple[int, ...], signals: Tensor) -> tuple[int, int]:
    given = filter_size if isinstance(filter_size, tuple) else (filter_size, filter_size)
    if len(given) != 2:
        raise ValueError(f"filter_size: expected a side or (height, width), got {filter_size!r}")
    for side, room in zip(given, signals.shape[-2:], strict=True):
        checks.check_number(side, "filter_size", at_least=1, integer=True)
        if side > room:
            raise ValueError(
                f"filter_size: expected filters no larger than the signals {tuple(signals.shape[-2:])}, got "
                f"{tuple(given)}; use larger signals or smaller filters"
            )
    return given


def _unit(filters: Float[Tensor, "M C h w"]) -> Float[Tensor, "M C h w"]:
    return filters / torch.linalg.vector_norm(filters, dim=(1, 2, 3), keepdim=True)


def _start(initial: Tensor | None, shape: tuple[int, ...], like: Tensor, generator: torch.Generator) -> Tensor:
    """Return the given filters, or white noise, at unit norm."""
    if initial is None:
        return _unit(torch.randn(shape, generator=generator, dtype=torch.float64).to(like))
    checks.check_images(initial, "initial", unit_range=False)
    if initial.shape != shape:
        raise ValueError(f"initial: expected filters {shape}, got {tuple(initial.shape)}")
    if (initial.flatten(1) == 0).all(dim=1).any():
        raise ValueError("initial: expected filters that are not all zero, got a zero filter; draw it at random")
    return _unit(initial.detach().to(like))


def _batches(n: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield indices of batches without end, each signal once before any comes again; nothing drawn for one batch."""
    if n <= batch_size:
        while True:
            yield torch.arange(n)
    left = torch.empty(0, dtype=torch.long)
    while True:
        if len(left) < batch_size:
            left = torch.cat([left, torch.randperm(n, generator=generator)])
        yield left[:batch_size]
        left = left[batch_size:]


@torch.no_grad()
def learn_dictionary(
    signals: Tensor,
    n_filters: int,
    filter_size: int | tuple[int, ...],
    lmbda: float | int,
    *,
    generator: torch.Generator,
    max_iterations: int = 100,
    tolerance: float | int = 2e-2,
    batch_size: int = 32,
    per_channel: bool = False,
    initial: Tensor | None = None,
) -> DictionaryFit:
    r"""Learn filters over which signals have sparse codes.

    Minimizes over filters d_m and coefficient maps x_{s,m} of every signal s
        (1/2) sum_s || sum_m d_m * x_{s,m} - s ||_2^2 + lmbda sum_s sum_m || x_{s,m} ||_1,  || d_m ||_2 <= 1  (P1 Eq. 5)
    with circular boundaries, by turns: a few iterations of the alternating direction method on the codes, from
    where they were, then a few accelerated projected gradient steps on the filters. The latter see the codes
    through their correlations only (M x M at each lag within a filter), so that their cost depends neither on how
    many signals there are nor on their size. More signals than batch_size are taken in batches, five
    alternations each; the correlations of the b-th batch enter their running mean with weight b^(-3/4), or with
    the batch's share of the signals if that is more, so that what is older than one pass fades.

    The problem is not convex: another generator or another start leads to another dictionary, usually of much
    the same objective.

    Args:
        signals: (N, C, H, W), any range; remove the low-pass part first (see `tikhonov_split`).
        n_filters: M, at least 1.
        filter_size: side of a filter in pixels, or (h, w); h <= H, w <= W.
        lmbda: weight of the l1 term, in the units of `signals`; > 0. Use the one for which codes are wanted later.
        generator: CPU generator for the start and the order of signals.
        max_iterations: cap on alternations, at least 1.
        tolerance: stop when the filters change relatively by at most this over five alternations, >= 0.
        batch_size: signals worked on at a time, at least 1; memory grows with it: about M x H x W values each, a
            few times over.
        per_channel: learn filters of one channel, with which each channel is coded alone, as `cbpdn` does. Each
            channel then counts as a signal.
        initial: (M, C, h, w) filters to start from, scaled to unit norm; None = white noise.

    Returns:
        DictionaryFit, in the dtype and on the device of signals. No gradient flows through. Filters of norm
        below 1 are scaled up at the end, which, their codes scaled down, only lowers the objective.

    Raises:
        TypeError: not float tensors, not a generator.
        ValueError: a shape, filters larger than the signals, NaN, signals that are all zero, or an option out of
            range.

    Source: P1 Eq. 5 (CDL), solved by ADMM with the optimizations of Liu et al. (2018): minibatches and a running
    statistic with forgetting are theirs.
    Differs from the paper: nothing in the problem. Liu et al. take a new signal at each update and one step size
    for all filters; here a batch is worked on for five alternations, and each filter has its own step size.
    """
    checks.check_images(signals, "signals", unit_range=False)
    checks.check_number(n_filters, "n_filters", at_least=1, integer=True)
    height, width = _sides(filter_size, signals)
    checks.check_number(lmbda, "lmbda", above=0.0)
    checks.check_generator(generator)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)
    checks.check_number(tolerance, "tolerance", at_least=0.0)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    if not signals.any():
        raise ValueError("signals: expected something to learn from, got zeros only; look at what removed the rest")
    items = signals.detach().to(torch.promote_types(signals.dtype, torch.float32))
    if per_channel:
        items = items.flatten(0, 1)[:, None]
    dictionary = _start(initial, (n_filters, items.shape[1], height, width), items, generator)
    probe = torch.randn(n_filters, 1, height, width, generator=generator, dtype=torch.float64).to(items)
    update = DictionaryUpdate(probe)
    batches = _batches(len(items), batch_size, generator)

    objectives: list[Tensor] = []
    mean, change, n_batches = None, float("inf"), 0
    whole = len(items) <= batch_size
    while len(objectives) < max_iterations:
        if n_batches == 0 or not whole:
            coding = WarmCoding(items[next(batches).to(items.device)], float(lmbda))
            coding_steps = _FIRST_CODING_STEPS
        n_batches += 1
        share = 1.0 if whole else max(n_batches**-_FORGETTING, batch_size / len(items))
        before, mean_before = dictionary, mean
        for _ in range(min(_ROUND, max_iterations - len(objectives))):
            codes = coding.advance(dictionary, coding_steps)
            coding_steps = _CODING_STEPS
            fresh = correlate_codes(codes, coding.signals, height, width)
            mean = fresh if mean_before is None else mean_before.blend(fresh, share)
            dictionary, misfit = update(dictionary, mean, _FILTER_STEPS)
            objectives.append(misfit + lmbda * mean.penalty)
        change = ((dictionary - before).norm() / dictionary.norm()).item()
        if change <= tolerance:
            break
    return DictionaryFit(
        dictionary=_unit(dictionary).to(signals.dtype),
        objectives=torch.stack(objectives).to(signals.dtype),
        iterations=len(objectives),
        change=change,
        converged=change <= tolerance,
    )
