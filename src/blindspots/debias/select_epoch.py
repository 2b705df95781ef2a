"""Choose one epoch of a training by the measures of its history: on validation, or on test as the paper does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from blindspots.checks import check_choice, check_number

RULES = (
    "least_odds_near_best_eacc",
    "best_eacc",
    "least_odds",
    "largest_area",
    "least_error",
    "least_gap_near_least_error",
    "last",
)


def select_epoch(
    history: Sequence[Mapping[str, float]],
    *,
    rule: str = "least_odds_near_best_eacc",
    split: str = "validation",
    margin: float | int = 1.0,
) -> int:
    """Return the epoch that a rule picks, counted from 1; the first of equal ones.

    The rules read "<split>_odds" and "<split>_eacc", in percent, from each record:

    - "least_odds_near_best_eacc": the least Odds among the epochs whose EAcc is within `margin` points of the best.
    - "best_eacc": the largest EAcc. "least_odds": the least Odds, whatever it costs.
    - "largest_area": the largest EAcc (100 - Odds), the area that a model's point spans with the worst corner of the
      plane of the two.
    - "least_error": the least "<split>_mse", for a regression.
    - "least_gap_near_least_error": for a regression, the least difference between "<split>_mse_0" and "<split>_mse_1"
      among the epochs whose "<split>_mse" is at most `margin` percent above the least.
    - "last": the last epoch; needs no measure.

    Args:
        history: one record per epoch, as `GroupTraining.history` with `group_evaluator` holds them.
        rule: one of `RULES`.
        split: whose measures are read. "validation" is sound; "test" chooses and reports on the same examples, which is
            what the paper describes, and its figures are then too good.
        margin: >= 0; points of EAcc for the first rule, percent of the least MSE for the last but one.

    Raises:
        ValueError: no records, an unknown rule, a measure that is absent or not finite.

    Source: P3, Sec. 4.1: "We used the test part of the D_balance dataset to select the best teacher model ... We ranked
        the AUC of the teacher models".
    Differs from the paper: what that AUC is of is not said. The default rule is ours; "largest_area" is one reading of
        the words. Nothing is said of a regression's epoch; its rule is the default's counterpart, ours.
    """
    if not len(history):
        raise ValueError("history: expected at least one epoch, got none")
    check_choice(rule, "rule", RULES)
    check_number(margin, "margin", at_least=0.0)
    if rule == "last":
        return len(history)
    if rule == "least_error":
        return _first_best([-error for error in _read(history, f"{split}_mse")])
    if rule == "least_gap_near_least_error":
        error, first, second = (_read(history, f"{split}_{name}") for name in ("mse", "mse_0", "mse_1"))
        most = min(error) * (1 + margin / 100)
        return _first_best(
            [-abs(a - b) if all_of <= most else -math.inf for all_of, a, b in zip(error, first, second, strict=True)]
        )
    eacc = _read(history, f"{split}_eacc")
    if rule == "best_eacc":
        return _first_best(eacc)
    odds = _read(history, f"{split}_odds")
    if rule == "least_odds":
        return _first_best([-value for value in odds])
    if rule == "largest_area":
        return _first_best([right * (100 - apart) for right, apart in zip(eacc, odds, strict=True)])
    near = max(eacc) - margin
    return _first_best([-apart if right >= near else -math.inf for right, apart in zip(eacc, odds, strict=True)])


def _read(history: Sequence[Mapping[str, float]], name: str) -> list[float]:
    for epoch, record in enumerate(history, start=1):
        if name not in record:
            raise ValueError(
                f'history: expected "{name}" in each record, got {", ".join(record)} in epoch {epoch}; '
                "train with an evaluation of that split"
            )
        if not math.isfinite(record[name]):
            raise ValueError(f'history: expected a finite "{name}", got {record[name]} in epoch {epoch}')
    return [float(record[name]) for record in history]


def _first_best(values: list[float]) -> int:
    return values.index(max(values)) + 1
