"""Votes of a planted crowd: every worker says yes to what is true, and to what is not, at a known rate."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


def planted_votes(
    truth: Tensor,
    hits: Tensor,
    false_alarms: Tensor,
    *,
    per_question: int = 5,
    generator: torch.Generator,
) -> Float[Tensor, "Q W"]:
    """Draw answers to questions whose truth is known, so that estimators can be held against it.

    Args:
        truth: (Q,) bool, whether "yes" is the right answer to each question.
        hits: (W,) floats in [0, 1], the probability that worker w says yes where that is right.
        false_alarms: (W,) floats in [0, 1], the same where it is wrong.
        per_question: workers asked a question, drawn without replacement, 1 to W.
        generator: a CPU generator; truth and rates are on the CPU too.

    Returns:
        (Q, W) in the dtype of hits: 1 = yes, 0 = no, NaN = not asked; answers are independent given the truth.

    Raises:
        TypeError, ValueError: a truth that is not bool (Q,), rates that do not match or leave [0, 1], more workers
            asked than there are.

    Source: the worker model of Dawid and Skene (1979), drawn from instead of fitted. P4 has no such check.
    """
    if not isinstance(truth, Tensor) or truth.dtype != torch.bool or truth.ndim != 1 or len(truth) == 0:
        got = f"{truth.dtype} {tuple(truth.shape)}" if isinstance(truth, Tensor) else type(truth).__name__
        raise TypeError(f"truth: expected a bool tensor (Q,) with Q >= 1, got {got}")
    for name, rates in (("hits", hits), ("false_alarms", false_alarms)):
        if not isinstance(rates, Tensor) or not rates.is_floating_point() or rates.ndim != 1 or len(rates) == 0:
            got = f"{rates.dtype} {tuple(rates.shape)}" if isinstance(rates, Tensor) else type(rates).__name__
            raise TypeError(f"{name}: expected floats (W,), a rate for each worker, got {got}")
        if not ((rates >= 0) & (rates <= 1)).all():
            raise ValueError(f"{name}: expected rates from 0 to 1, got {rates.min():g} to {rates.max():g}")
    checks.check_same_shape(hits, false_alarms, "hits", "false_alarms")
    checks.check_number(per_question, "per_question", at_least=1, at_most=len(hits), integer=True)
    checks.check_generator(generator)
    shape = (len(truth), len(hits))
    order = torch.rand(shape, generator=generator, dtype=torch.float64).argsort(dim=1)
    rates = torch.where(truth[:, None], hits, false_alarms)
    # Drawn in float64, so that a rate of 1 never gives a no.
    answers = (torch.rand(shape, generator=generator, dtype=torch.float64) < rates).to(hits.dtype)
    return answers.masked_fill(order.argsort(dim=1) >= per_question, float("nan"))
