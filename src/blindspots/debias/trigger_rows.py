"""Models under seven inputs and several seeds: means with intervals, and how far each model reacts to triggers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_number
from blindspots.debias.logit_effects import cell_means
from blindspots.debias.resampled_cells import Interval, common_seeds, middle_95, resampled_cell_means
from blindspots.debias.trigger_inputs import SEVEN_INPUTS, TriggerInputs

MEASURES = (
    *SEVEN_INPUTS, "balance", "own",
    *(f"{name}{of}" for name in ("changed", "shift", "size") for of in ("", "_0", "_1")),
)  # fmt: skip
"""What a row holds. EAcc in percent: the seven inputs, "balance" (everyone with the trigger of the other group) and
"own" (with that of the own group). Of the move from trigger 0 to trigger 1: "changed", percent of examples whose class
changes; "shift", mean change of the logit of class 1 over class 0; "size", its mean absolute value; and each of them
for one group, "changed_0" and so on."""


@dataclass(frozen=True)
class TriggerRow:
    """A model over several seeds.

    Attributes:
        model: its name.
        seeds: in order.
        by_seed: for each of `MEASURES`, one number a seed.
        draws: for each of them, (resamples,) means over seeds; the same resamples for all rows of a call.
    """

    model: str
    seeds: tuple[int, ...]
    by_seed: dict[str, tuple[float, ...]]
    draws: dict[str, Tensor]

    def value(self, measure: str) -> float:
        """Return the mean over seeds of a measure."""
        check_choice(measure, "measure", MEASURES)
        return sum(self.by_seed[measure]) / len(self.seeds)

    def interval(self, measure: str) -> Interval:
        """Return the 95 % interval of that mean, over examples and seeds together."""
        check_choice(measure, "measure", MEASURES)
        return middle_95(self.draws[measure])

    def minus(self, other: TriggerRow, measure: str, of_other: str | None = None) -> tuple[float, float, float]:
        """Return (difference, low, high) of a measure, this row less another of the same call, 95 % paired bootstrap.

        Args:
            other: a row of the same call of `trigger_rows`; this one itself to compare two measures of it.
            measure: one of `MEASURES`.
            of_other: the other row's measure; None for the same.
        """
        of_other = measure if of_other is None else of_other
        value = self.value(measure) - other.value(of_other)
        mine, others = self.draws[measure], other.draws[of_other]
        if mine.shape != others.shape or self.seeds != other.seeds:
            raise ValueError("other: expected a row of the same call, got other seeds or resamples")
        return value, *middle_95(mine - others)


def trigger_rows(
    seen: Mapping[tuple[str, int], TriggerInputs], *, resamples: int = 1000, generator: torch.Generator
) -> dict[str, TriggerRow]:
    """Average models over their seeds under the seven inputs, with intervals over examples and seeds.

    A resample draws examples within their cell (label and group) and seeds, both with replacement and the same ones for
    all models and inputs. So differences of models, of inputs and of triggers are paired, example by example.

    Args:
        seen: by (model, seed), each model with the same seeds, all on the same examples (see `trigger_inputs`).
        resamples: at least 100.
        generator: a CPU generator, advanced.

    Returns:
        TriggerRow by model, in the order given.

    Raises:
        ValueError: none seen, models with different seeds, or on other examples.

    Source: P3, Table 4, which prints means without intervals.
    """
    check_number(resamples, "resamples", at_least=100, integer=True)
    seeds = common_seeds(seen)
    first = next(iter(seen.values()))
    for (model, seed), one in seen.items():
        if not (torch.equal(one.labels, first.labels) and torch.equal(one.groups, first.groups)):
            raise ValueError(f"seen: expected the same examples for all, got others for {model!r} with seed {seed}")
    known = torch.stack([
        torch.cat([one.right.double(), _moves(one)])
        for one in seen.values()
    ])  # fmt: skip
    counts = first.rates[0].counts.double()
    exact = cell_means(known.flatten(0, 1).T, first.labels, first.groups).permute(2, 1, 0).unflatten(0, known.shape[:2])
    drawn = resampled_cell_means(
        known.flatten(0, 1), first.labels, first.groups, resamples=resamples, generator=generator
    ).unflatten(1, known.shape[:2])
    of_seeds = torch.randint(len(seeds), (resamples, len(seeds)), generator=generator)
    measured, spread = _measures(exact, counts), _measures(drawn, counts)
    rows = {}
    for model in dict.fromkeys(model for model, _ in seen):
        mine = [index for index, (name, _) in enumerate(seen) if name == model]
        rows[model] = TriggerRow(
            model, seeds, {key: tuple(values[mine].tolist()) for key, values in measured.items()},
            {key: values[:, mine].gather(1, of_seeds).mean(1) for key, values in spread.items()},
        )  # fmt: skip
    return rows


def _moves(one: TriggerInputs) -> Tensor:
    shift = one.shift.double()
    return torch.stack([one.changed.double(), shift, shift.abs()])


def _measures(cells: Tensor, counts: Tensor) -> dict[str, Tensor]:
    """Return each measure (...) from cell means (..., 6, 2, 2): right with three inputs, changed, shift, its size."""
    right, moved = 100 * cells[..., :3, :, :], cells[..., 3:, :, :]
    found = {}
    for name, (group, trigger) in SEVEN_INPUTS.items():
        of_input = right[..., 0 if trigger is None else 1 + trigger, :, :]
        found[name] = of_input.mean((-2, -1)) if group is None else of_input[..., group, :].mean(-1)
    found["balance"] = (found["1_with_0"] + found["0_with_1"]) / 2
    found["own"] = (found["1_with_1"] + found["0_with_0"]) / 2
    for index, (name, unit) in enumerate((("changed", 100), ("shift", 1), ("size", 1))):
        sums = unit * moved[..., index, :, :] * counts
        found[name] = sums.sum((-2, -1)) / counts.sum()
        for group in (0, 1):
            found[f"{name}_{group}"] = sums[..., group, :].sum(-1) / counts[group].sum()
    return found
