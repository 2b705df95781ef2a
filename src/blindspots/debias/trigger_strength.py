"""How strongly triggers of given rates tell the label: a log odds ratio, and the rates of equal or scaled strength."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from blindspots.checks import check_number

KINDS = ("graded", "one-sided", "constant", "tells the label")


def trigger_strength(rates: Tensor | Sequence[Sequence[float]]) -> Tensor:
    r"""Return the log odds ratio of trigger and label, alpha = logit P(A = 1 | Y = 1) - logit P(A = 1 | Y = 0).

    It is what the best logit of the label gains from trigger 1 over trigger 0 where the rest of the input is
    independent of the trigger given the label, as BaDe assigns it. With the rates of the data, `trigger_rates`, it is
    the same of the group: the strength of the natural bias.

    Args:
        rates: (M, 2) shares in [0, 1] of trigger 0 for labels 0 and 1.

    Returns:
        (M,) float64; infinite where a rate is 0 or 1, NaN where both are 0 or both are 1.

    Raises:
        TypeError, ValueError: another shape, or shares outside [0, 1].

    Source: P3, Sec. 5.3, where "strength" has no definition; Bayes' rule, as in `bayes_toy`.
    """
    rates = _checked(rates)
    return torch.logit(rates[:, 0]) - torch.logit(rates[:, 1])


def rate_kind(rates: Sequence[float]) -> str:
    """Return what becomes of a pair of rates, one of "graded", "one-sided", "constant", "tells the label".

    "graded": both triggers occur with both labels. "constant": all examples carry the same trigger, so the other is
    never seen in training. "tells the label": each trigger occurs with one label only, and the rest of the input is not
    needed. "one-sided": one label has both triggers and the other a single one, so that seeing the absent trigger
    settles the label.

    Args:
        rates: two shares in [0, 1] of trigger 0, for labels 0 and 1.
    """
    first, second = _checked([list(rates)])[0].tolist()
    ends = sum(rate in (0.0, 1.0) for rate in (first, second))
    if ends == 2:
        return "constant" if first == second else "tells the label"
    return "one-sided" if ends else "graded"


def same_strength(rates: Sequence[float], shifts: Sequence[float]) -> Tensor:
    """Return rates (S, 2) of the same strength, with both triggers' frequency moved in the logit.

    Args:
        rates: two shares in (0, 1) of trigger 0, for labels 0 and 1.
        shifts: added to the logit of both; 0 gives the rates themselves, > 0 makes trigger 0 more frequent.
    """
    logits = _inside(rates)
    return torch.sigmoid(logits + torch.tensor([float(shift) for shift in shifts], dtype=torch.float64)[:, None])


def scaled_strength(rates: Sequence[float], factors: Sequence[float]) -> Tensor:
    """Return rates (S, 2) whose strength is that of the given ones times a factor, the mean of their logits kept.

    Args:
        rates: two shares in (0, 1) of trigger 0, for labels 0 and 1.
        factors: 1 gives the rates themselves, 0 equal rates, negative ones turn the artificial bias around.
    """
    logits = _inside(rates)
    middle = logits.mean()
    scale = torch.tensor([float(factor) for factor in factors], dtype=torch.float64)[:, None]
    return torch.sigmoid(middle + scale * (logits - middle))


def _inside(rates: Sequence[float]) -> Tensor:
    pair = _checked([[float(rate) for rate in rates]])[0]
    for rate in pair.tolist():
        check_number(rate, "rates", above=0.0)
        if rate == 1:
            raise ValueError("rates: expected shares in (0, 1), got 1; its logit is infinite")
    return torch.logit(pair)


def _checked(rates: Tensor | Sequence[Sequence[float]]) -> Tensor:
    table = torch.as_tensor(rates, dtype=torch.float64).cpu()
    if table.ndim != 2 or table.shape[1] != 2 or not len(table):
        raise ValueError(f"rates: expected shape (M, 2), a share for each label, got {tuple(table.shape)}")
    if not ((table >= 0) & (table <= 1)).all():
        raise ValueError(f"rates: expected shares in [0, 1], got {table.tolist()}; divide percentages by 100")
    return table
