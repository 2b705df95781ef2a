"""Means by group of what is measured example by example: errors, squared errors, hits; over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_finite, check_generator, check_number
from blindspots.debias.group_cells import check_both_groups, count_cells

MEASURES = ("all", "group_0", "group_1", "gap", "apart", "within", "within_apart")

Interval = tuple[float, float]


@dataclass(frozen=True)
class GroupValueRow:
    """A method's means over several seeds, in the units of its values.

    Measures, by name:

    - "all": over all examples; "group_0", "group_1": over those of a group.
    - "gap": group 1 less group 0; "apart": its absolute value, seed by seed.
    - "within": group 1 less group 0 among examples of one stratum, mean over strata, each counted once;
      "within_apart": with the absolute value of each.

    Attributes:
        method: as given.
        seeds: in order.
        cells: (seeds, 2, S) float64 means by group and stratum; S is 1 without strata.
        counts: (2, S) examples.
        draws: (resamples, seeds, 2, S) of the bootstrap; rows of one call share their resamples.
        drawn_seeds: (resamples, seeds) which seeds each resample is of.
    """

    method: str
    seeds: tuple[int, ...]
    cells: Tensor
    counts: Tensor
    draws: Tensor
    drawn_seeds: Tensor

    def by_seed(self, measure: str) -> tuple[float, ...]:
        """Return a measure of each seed."""
        return tuple(_measured(self.cells, self.counts, measure).tolist())

    def value(self, measure: str) -> float:
        """Return a measure's mean over seeds."""
        return _measured(self.cells, self.counts, measure).mean().item()

    def interval(self, measure: str) -> Interval:
        """Return the 95 % interval of the mean over seeds, over test examples and seeds together.

        A measure of absolute values is raised by resampling, so that its interval may lie above its value.
        """
        return _interval(self._drawn(measure))

    def minus(self, other: GroupValueRow, measure: str) -> tuple[float, float, float]:
        """Return (difference, low, high) of a measure, this row less another of the same call, 95 % paired bootstrap.

        Raises:
            ValueError: an unknown measure, or a row of another call.
        """
        if not torch.equal(self.drawn_seeds, other.drawn_seeds) or self.draws.shape != other.draws.shape:
            raise ValueError("other: expected a row of the same call, got other seeds or resamples")
        apart = self._drawn(measure) - other._drawn(measure)
        return self.value(measure) - other.value(measure), *_interval(apart)

    def _drawn(self, measure: str) -> Tensor:
        return _measured(self.draws, self.counts, measure).gather(1, self.drawn_seeds).mean(1)


def group_value_rows(
    values: Mapping[tuple[str, int], Tensor],
    groups: Tensor,
    *,
    strata: Tensor | None = None,
    resamples: int = 1000,
    generator: torch.Generator,
) -> dict[str, GroupValueRow]:
    """Average values by group and stratum for each method and seed, with intervals over examples and seeds.

    A resample draws examples within their cell (stratum and group) and seeds, both with replacement and the same ones
    for all methods. With squared errors "all" is the MSE; with hits, 0 or 1, the accuracy; with errors the bias.

    Args:
        values: (N,) finite numbers by (method, seed), of the same examples; each method with the same seeds.
        groups: (N,) integers 0 or 1.
        strata: (N,) integers in [0, S), S >= 2, each in both groups; None for a single one.
        resamples: at least 100.
        generator: a CPU generator, advanced.

    Returns:
        GroupValueRow by method, in the order of the values.

    Raises:
        TypeError, ValueError: no values or of another length or not finite, methods with different seeds, one group
            only, an empty cell, which is named.

    Source: P3, Table 5, which has means by group without intervals.
    """
    check_number(resamples, "resamples", at_least=100, integer=True)
    check_generator(generator)
    seeds = _seeds_of(values)
    n = len(next(iter(values.values())))
    if strata is None:
        check_both_groups(groups, n)
        strata, counts = torch.zeros(n, dtype=torch.long), torch.bincount(groups.cpu(), minlength=2)[:, None]
    else:
        counts = count_cells(strata, groups)
    for key, given in values.items():
        if not isinstance(given, Tensor) or given.shape != (len(groups),):
            got = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
            raise ValueError(f"values: expected shape ({len(groups)},), one per example, got {got} for {key}")
        check_finite(given.double(), f"values[{key}]")
    table = torch.stack([given.double().cpu() for given in values.values()])
    cells, draws = _cell_means(table, strata.cpu(), groups.cpu(), counts, resamples, generator)
    drawn_seeds = torch.randint(len(seeds), (resamples, len(seeds)), generator=generator)
    rows = {}
    for method in dict.fromkeys(method for method, _ in values):
        mine = [index for index, (name, _) in enumerate(values) if name == method]
        rows[method] = GroupValueRow(method, seeds, cells[mine], counts, draws[:, mine], drawn_seeds)
    return rows


def _seeds_of(values: Mapping[tuple[str, int], Tensor]) -> tuple[int, ...]:
    if not values:
        raise ValueError("values: expected at least one, got none")
    found: dict[str, list[int]] = {}
    for method, seed in values:
        found.setdefault(method, []).append(seed)
    first, *others = found.values()
    if any(other != first for other in others):
        raise ValueError(f"values: expected the same seeds for each method, got {found}")
    return tuple(first)


def _cell_means(
    table: Tensor, strata: Tensor, groups: Tensor, counts: Tensor, resamples: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return means (runs, 2, S), and those of resamples (resamples, runs, 2, S), the same for all runs."""
    cells = torch.zeros(len(table), *counts.shape, dtype=torch.float64)
    draws = torch.zeros(resamples, len(table), *counts.shape, dtype=torch.float64)
    for group, stratum in torch.cartesian_prod(*(torch.arange(size) for size in counts.shape)).tolist():
        mine = ((groups == group) & (strata == stratum)).nonzero().squeeze(1)
        picked = torch.randint(len(mine), (resamples, len(mine)), generator=generator)
        times = torch.zeros(resamples, len(mine), dtype=torch.float64).scatter_add_(
            1, picked, torch.ones((), dtype=torch.float64).expand(picked.shape)
        )
        cells[:, group, stratum] = table[:, mine].mean(1)
        draws[:, :, group, stratum] = times @ table[:, mine].T / len(mine)
    return cells, draws


def _measured(cells: Tensor, counts: Tensor, measure: str) -> Tensor:
    check_choice(measure, "measure", MEASURES)
    if measure.startswith("within"):
        apart = cells[..., 1, :] - cells[..., 0, :]
        return (apart.abs() if measure == "within_apart" else apart).mean(-1)
    weights = counts.double()
    sums = (cells * weights).sum(-1)
    if measure == "all":
        return sums.sum(-1) / weights.sum()
    first, second = (sums / weights.sum(1)).unbind(-1)
    gap = second - first
    return {"group_0": first, "group_1": second, "gap": gap, "apart": gap.abs()}[measure]


def _interval(values: Tensor) -> Interval:
    low, high = values.quantile(torch.tensor([0.025, 0.975], dtype=values.dtype)).tolist()
    return low, high
