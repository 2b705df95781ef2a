"""Which trigger each example carries: as often as its group for its label, and independent of its own group."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from blindspots.checks import check_generator, check_labels
from blindspots.debias.group_cells import check_both_groups, check_groups, count_cells


def trigger_rates(labels: Tensor, groups: Tensor, *, per_class: bool = True) -> Tensor:
    """Return the trigger adding rates TAR(y) = P(B = 0 | Y = y): the shares that are to carry trigger 0.

    Args:
        labels: (N,) integers in [0, K); with per_class=False of any kind, as targets of a regression are.
        groups: (N,) integers 0 or 1, the bias variable B.
        per_class: one rate for each label; False for a single one, P(B = 0).

    Returns:
        (K,) float64 on the CPU, in (0, 1); (1,) with per_class=False.

    Raises:
        TypeError, ValueError: labels or groups of a wrong kind, shape or value, one group only, a class without
            examples, or a group without examples of a class (its trigger could not be told from the label).

    Source: P3, Sec. 4.1, Eq. 4; per class for several classes and a single rate for a regression: Sec. 5.5.
    """
    if per_class:
        counts = count_cells(labels, groups)
        return counts[0].double() / counts.sum(0)
    check_both_groups(groups, _length(labels))
    return (groups == 0).double().mean().reshape(1).cpu()


def assign_triggers(
    labels: Tensor,
    groups: Tensor,
    *,
    generator: torch.Generator,
    rates: Tensor | Sequence[float] | None = None,
    per_class: bool = True,
) -> Tensor:
    """Assign to each example the trigger it is to be trained with.

    Among the n_y examples of label y, round(rate_y n_y) chosen at random get trigger 0 and the rest trigger 1. The
    choice does not look at B, so A is independent of B given Y; and P(A = 0 | Y = y) is the rate to within 1 / (2 n_y),
    exactly P(B = 0 | Y = y) with the rates of the data. Call it once per seed: the assignment is then frozen.

    Args:
        labels: (N,) integers in [0, K); with per_class=False of any kind.
        groups: (N,) integers 0 or 1, the bias variable B.
        generator: a CPU generator, advanced.
        rates: (K,) shares in [0, 1] of trigger 0 by label (0 and 1 give all examples one trigger), (1,) with
            per_class=False; None for those of the data, `trigger_rates`.
        per_class: as in `trigger_rates`.

    Returns:
        (N,) long on the device of `groups`: A, 0 or 1.

    Raises:
        TypeError, ValueError: as in `trigger_rates`; rates of a wrong length or outside [0, 1].

    Source: P3, Sec. 4.1 and Algorithm 1, lines 4-8; other rates: Sec. 5.3, Figure 5.
    Differs from the paper: it says "rate of D"; here counts are exact, and frozen (the paper does not say whether the
        triggers are drawn anew for each epoch).
    """
    check_generator(generator)
    n = _length(labels)
    if rates is None:
        shares = trigger_rates(labels, groups, per_class=per_class).tolist()
    else:
        check_groups(groups, n)
        if per_class:
            check_labels(labels, n)
        shares = [float(rate) for rate in rates]
        if not all(math.isfinite(share) and 0 <= share <= 1 for share in shares):
            raise ValueError(f"rates: expected shares in [0, 1], got {shares}; divide percentages by 100")
        wanted = max(2, int(labels.max()) + 1) if per_class else 1
        if len(shares) != wanted:
            raise ValueError(
                f"rates: expected {wanted}, {'one per class' if per_class else 'one for all'}, got {len(shares)}"
            )
    assignment = torch.ones(n, dtype=torch.long)
    for label, share in enumerate(shares):
        mine = torch.nonzero(labels.cpu() == label).flatten() if per_class else torch.arange(n)
        chosen = torch.randperm(len(mine), generator=generator)[: round(share * len(mine))]
        assignment[mine[chosen]] = 0
    return assignment.to(groups.device)


def inverted_triggers(groups: Tensor) -> Tensor:
    """Return the trigger of the other group, A = 1 - B, for the examples of D_balance.

    Args:
        groups: (N,) integers 0 or 1.

    Returns:
        (N,) long on the device of `groups`.

    Raises:
        TypeError, ValueError: groups of a wrong kind or value.

    Source: P3, Algorithm 1, lines 9-14.
    """
    check_groups(groups, _length(groups, "groups"))
    return 1 - groups.long()


def _length(values: Tensor, name: str = "labels") -> int:
    if not isinstance(values, Tensor) or not values.ndim or not len(values):
        got = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"{name}: expected a tensor (N,) of at least one example, got {got}")
    return len(values)
