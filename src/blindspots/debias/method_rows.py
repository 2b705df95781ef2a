"""Rows of the debiasing tables: each method's mean over seeds, with intervals, and its distance from another row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_generator, check_number
from blindspots.debias.group_metrics import GroupIntervals, eacc_of, group_intervals, group_rates, odds_of
from blindspots.debias.method_runs import MethodRun
from blindspots.debias.resampled_cells import Interval, common_seeds, middle_95, resampled_cell_means


@dataclass(frozen=True)
class MethodRow:
    """A method over several seeds, in percent on the test split.

    Attributes:
        method: as of its runs.
        seeds: in order; what is "by seed" follows them.
        odds_by_seed, eacc_by_seed, accuracy_by_seed: one number each.
        odds_interval, eacc_interval: of the mean over seeds, 95 %, over test examples and seeds together.
        by_seed: each run's own intervals, over test examples alone.
        seconds: of training one run, mean over seeds; `search_seconds` with all candidates.
        odds_draws, eacc_draws: (resamples,) float64 means over seeds. Rows of one call share their resamples, so that
            differences of draws are paired.
    """

    method: str
    seeds: tuple[int, ...]
    odds_by_seed: tuple[float, ...]
    eacc_by_seed: tuple[float, ...]
    accuracy_by_seed: tuple[float, ...]
    odds_interval: Interval
    eacc_interval: Interval
    by_seed: tuple[GroupIntervals, ...]
    seconds: float
    search_seconds: float
    odds_draws: Tensor
    eacc_draws: Tensor

    @property
    def odds(self) -> float:
        """Return the mean Odds over seeds."""
        return _mean(self.odds_by_seed)

    @property
    def eacc(self) -> float:
        """Return the mean EAcc over seeds."""
        return _mean(self.eacc_by_seed)

    @property
    def accuracy(self) -> float:
        """Return the mean accuracy over seeds."""
        return _mean(self.accuracy_by_seed)

    @property
    def odds_if_fair(self) -> Interval:
        """Return what Odds of one run would measure if both groups had its pooled recalls, ends averaged over seeds."""
        low, high = zip(*(intervals.odds_if_fair for intervals in self.by_seed), strict=True)
        return _mean(low), _mean(high)

    def minus(self, other: MethodRow, measure: str) -> tuple[float, float, float]:
        """Return (difference, low, high) of a measure, this row less another of the same call, 95 % paired bootstrap.

        Args:
            other: a row of the same call of `method_rows`.
            measure: "odds" or "eacc".
        """
        check_choice(measure, "measure", ("odds", "eacc"))
        mine, others = getattr(self, f"{measure}_draws"), getattr(other, f"{measure}_draws")
        if mine.shape != others.shape or self.seeds != other.seeds:
            raise ValueError("other: expected a row of the same call, got other seeds or resamples")
        return getattr(self, measure) - getattr(other, measure), *middle_95(mine - others)


def method_rows(
    runs: Mapping[tuple[str, int], MethodRun],
    labels: Tensor,
    groups: Tensor,
    *,
    selected_on: str = "validation",
    resamples: int = 1000,
    generator: torch.Generator,
) -> dict[str, MethodRow]:
    """Average runs over their seeds, with intervals over the test examples and the seeds.

    A resample draws test examples within their cell (label and group) and seeds, both with replacement and the same
    ones for all methods. Odds is a mean of absolute values: resampling raises it, so that its interval may lie above
    the measured value where groups are treated nearly alike.

    Args:
        runs: by (method, seed), each method with the same seeds (see `method_runs`).
        labels: (N,) integers, of the test split.
        groups: (N,) integers 0 or 1.
        selected_on: "validation" for the epochs chosen there; "test" for the paper's habit, whose figures are too good.
        resamples: at least 100.
        generator: a CPU generator, advanced.

    Returns:
        MethodRow by method, in the order of the runs.

    Raises:
        ValueError: no runs, methods with different seeds, predictions of another length, an empty cell.

    Source: P3, Tables 2 and 3, which print means without intervals; Table 1 prints standard deviations over five runs.
    """
    check_choice(selected_on, "selected_on", ("validation", "test"))
    check_number(resamples, "resamples", at_least=100, integer=True)
    check_generator(generator)
    seeds = common_seeds(runs)
    shown = {
        key: run.test_predictions if selected_on == "validation" else run.from_test_predictions
        for key, run in runs.items()
    }
    for predictions in shown.values():
        if len(predictions) != len(labels):
            raise ValueError(f"runs: expected {len(labels)} test predictions, one per label, got {len(predictions)}")
    hits = torch.stack([(predictions == labels.cpu()) for predictions in shown.values()]).double()
    recalls = resampled_cell_means(hits, labels, groups, resamples=resamples, generator=generator)
    of_seeds = torch.randint(len(seeds), (resamples, len(seeds)), generator=generator)
    rows = {}
    for method in dict.fromkeys(method for method, _ in runs):
        mine = [index for index, (name, _) in enumerate(runs) if name == method]
        drawn = recalls[:, mine]
        rates = [group_rates(shown[method, seed], labels.cpu(), groups.cpu()) for seed in seeds]
        odds, eacc = (measure(drawn).gather(1, of_seeds).mean(1) for measure in (odds_of, eacc_of))
        rows[method] = MethodRow(
            method=method, seeds=seeds, odds_by_seed=tuple(rate.odds for rate in rates),
            eacc_by_seed=tuple(rate.eacc for rate in rates),
            accuracy_by_seed=tuple(100 * value for value in hits[mine].mean(1).tolist()),
            odds_interval=middle_95(odds), eacc_interval=middle_95(eacc),
            by_seed=tuple(
                group_intervals(shown[method, seed], labels.cpu(), groups.cpu(), resamples=resamples,
                                generator=generator)
                for seed in seeds
            ),
            seconds=_mean([runs[method, seed].seconds for seed in seeds]),
            search_seconds=_mean([runs[method, seed].search_seconds for seed in seeds]),
            odds_draws=odds, eacc_draws=eacc,
        )  # fmt: skip
    return rows


def _mean(values: list[float] | tuple[float, ...]) -> float:
    return sum(values) / len(values)
