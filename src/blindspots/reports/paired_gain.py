"""By how much one model is right more often than another on the same images, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class PairedGain:
    """A difference of two shares and its interval.

    Attributes:
        value: share of the first minus share of the second, in [-1, 1].
        low, high: two-sided 95 % interval, within [-1, 1].
        wins: images that only the first has right.
        losses: images that only the second has right.
        n: images.
    """

    value: float
    low: float
    high: float
    wins: int
    losses: int
    n: int


def paired_gain(first: Tensor, second: Tensor) -> PairedGain:
    r"""Compare two models on the same images.

    With b images that only the first has right and c that only the second has, of n, the gain is (b - c) / n. Its
    interval is Wald's with half an image added to each of the four cells of the table,
        (b - c) / N -+ 1.96 sqrt(b' + c' - (b - c)^2 / N) / N,     b' = b + 1/2, c' = c + 1/2, N = n + 2,
    so that it has a width even where the two never differ. Images that both have right, or both wrong, say nothing.

    Args:
        first, second: (N,) boolean, whether each model has each image right; N at least 1.

    Returns:
        PairedGain. It speaks of other images of the same kind, and of these two models only.

    Raises:
        TypeError: not boolean tensors.
        ValueError: no images, or two shapes.

    Source: Agresti and Min (2005), Statistics in Medicine 24, 729-740.
    """
    for name, flags in (("first", first), ("second", second)):
        if not isinstance(flags, Tensor) or flags.dtype != torch.bool:
            kind = flags.dtype if isinstance(flags, Tensor) else type(flags).__name__
            raise TypeError(f"{name}: expected a boolean tensor, got {kind}")
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(
            f"second: expected the flags (N,) of the same images as first, got {tuple(second.shape)} beside "
            f"{tuple(first.shape)}"
        )
    n, wins, losses = len(first), int((first & ~second).sum()), int((second & ~first).sum())
    wide = n + 2
    center = (wins - losses) / wide
    reach = _NORMAL_95 * (wins + losses + 1 - (wins - losses) ** 2 / wide) ** 0.5 / wide
    value = (wins - losses) / n
    low, high = max(-1.0, center - reach), min(1.0, center + reach)
    return PairedGain(value, low, high, wins, losses, n)
