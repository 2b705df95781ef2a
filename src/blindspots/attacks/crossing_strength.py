"""At which strength an accuracy has fallen to a given level, between the strengths that were tried."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from blindspots import checks


def crossing_strength(strengths: Sequence[float | int], accuracies: Tensor, level: Tensor | float) -> Tensor:
    """Return the first strength at which curves of accuracy, drawn with straight lines, reach a level from above.

    Args:
        strengths: S rising numbers >= 0, the first usually 0 (no attack).
        accuracies: (..., S), one curve over the strengths in each row; curves need not fall throughout.
        level: a number for all curves, or one for each (...).

    Returns:
        (...) in the dtype of accuracies: the first strength where the curve is at the level or below; strengths[0]
        where it starts there, infinity where it never comes.

    Raises:
        TypeError, ValueError: fewer than two strengths, strengths that do not rise, or shapes that do not fit.

    Source: ours; P1 says that larger strengths defeat the purifier and not from where on.
    """
    for index, strength in enumerate(strengths):
        checks.check_number(strength, f"strengths[{index}]", at_least=0.0)
    if len(strengths) < 2 or any(b <= a for a, b in itertools.pairwise(strengths)):
        raise ValueError(f"strengths: expected at least two, each larger than the one before, got {list(strengths)}")
    if not isinstance(accuracies, Tensor) or not accuracies.is_floating_point():
        raise TypeError(f"accuracies: expected a float tensor (..., {len(strengths)}), got {type(accuracies).__name__}")
    if accuracies.ndim < 1 or accuracies.shape[-1] != len(strengths):
        raise ValueError(
            f"accuracies: expected shape (..., {len(strengths)}), one value per strength, got {tuple(accuracies.shape)}"
        )
    levels = torch.as_tensor(level, dtype=accuracies.dtype, device=accuracies.device)
    if levels.ndim and levels.shape != accuracies.shape[:-1]:
        raise ValueError(f"level: expected a number or shape {tuple(accuracies.shape[:-1])}, got {tuple(levels.shape)}")
    at = torch.tensor(list(strengths), dtype=accuracies.dtype, device=accuracies.device)
    below = accuracies <= levels[..., None]
    after = below.long().argmax(dim=-1)  # the first that is below; 0 where none is
    before = (after - 1).clamp_min(0)
    upper = accuracies.gather(-1, before[..., None]).squeeze(-1)
    lower = accuracies.gather(-1, after[..., None]).squeeze(-1)
    share = torch.where(after > 0, (upper - levels) / (upper - lower).clamp_min(torch.finfo(at.dtype).tiny), 0.0)
    reached = at[before] + share * (at[after] - at[before])
    return torch.where(below.any(dim=-1), reached, torch.inf)
