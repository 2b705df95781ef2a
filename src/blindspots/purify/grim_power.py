"""What the granularity test can tell: planted tables, how often their size is named, and how often chance is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.purify.grim_scan import distinct_hits, grim_table, tail_chances

PRINTING = ("rounded", "truncated")


@dataclass(frozen=True)
class GrimPower:
    """Shares of planted tables, each in [0, 1].

    `fits`: every value of the table is some k / n for the planted n. `smallest`: n is moreover the smallest size that
    fits all. `named`: n has the smallest tail of the scan. `flagged`: that tail is below the threshold, whatever
    the size.
    """

    fits: float
    smallest: float
    named: float
    flagged: float


def plant_percentages(
    n: int, accuracies: Tensor, *, generator: torch.Generator, printing: str = "rounded", decimals: int = 2
) -> Tensor:
    """Draw how many of n images are read correctly and print the share in percent.

    Args:
        n: images, at least 1.
        accuracies: true accuracies in [0, 1], any shape.
        generator: a CPU generator.
        printing: "rounded" (a tie upward) or "truncated".
        decimals: decimals printed, 0 to 3.

    Returns:
        Whole numbers of the accuracies' shape: the printed percentage in last decimals.

    Raises:
        TypeError, ValueError: an option out of range.
    """
    checks.check_number(n, "n", at_least=1, integer=True)
    checks.check_choice(printing, "printing", PRINTING)
    checks.check_number(decimals, "decimals", at_least=0, at_most=3, integer=True)
    full = 100 * 10**decimals
    trials = torch.full_like(accuracies, n, dtype=torch.float64)
    right = torch.binomial(trials, accuracies.double(), generator=generator).long()
    return right * full // n if printing == "truncated" else (2 * right * full + n) // (2 * n)


def smallest_chance_tails(
    n_values: int,
    *,
    repeats: int,
    generator: torch.Generator,
    max_n: int = 200,
    rule: str = "either",
    low: float = 50.0,
    high: float = 100.0,
) -> Tensor:
    """Return what the best size of a scan reaches on tables of any two-decimal percentages: the search's own luck.

    Args:
        n_values: percentages in each table, at least 1.
        repeats: tables drawn, at least 1.
        generator: a CPU generator.
        max_n: largest size scanned.
        rule: the rule of the scan.
        low, high: range of the percentages, 0 to 100.

    Returns:
        (repeats,) smallest tails, ascending. The share of them at or below an observed one answers for the search
        over sizes.

    Raises:
        TypeError, ValueError: an option out of range.
    """
    checks.check_number(n_values, "n_values", at_least=1, integer=True)
    checks.check_number(repeats, "repeats", at_least=1, integer=True)
    _check_range(low, high, 100.0)
    table = grim_table(max_n, rule=rule)
    units = torch.randint(round(100 * low), round(100 * high) + 1, (repeats, n_values), generator=generator)
    hits, counts = distinct_hits(units, table)
    return tail_chances(hits, counts, table.double().mean(1)).min(1).values.sort().values


def search_chance(tail: float, luck: Tensor) -> float:
    """Return the chance that a search does as well by luck: (1 + tails of `luck` at or below `tail`) / (1 + all)."""
    # the slack keeps equal tails equal, which were computed for other numbers of values
    return (1 + int((luck <= tail * (1 + 1e-9)).sum())) / (1 + len(luck))


def grim_power(
    n: int,
    n_values: int,
    *,
    repeats: int,
    threshold: float,
    generator: torch.Generator,
    max_n: int = 200,
    rule: str = "either",
    printing: str = "rounded",
    low: float = 0.6,
    high: float = 0.95,
) -> GrimPower:
    """Plant tables of accuracies measured on n images and say how often the scan finds n.

    Args:
        n: images behind every value, at least 1; it may exceed max_n, and then cannot be named.
        n_values: values in each table, at least 1.
        repeats: tables, at least 1.
        threshold: a scan whose smallest tail is at or below it counts as flagged.
        generator: a CPU generator.
        max_n: largest size scanned.
        rule: the rule of the scan.
        printing: how the tables are printed, "rounded" or "truncated".
        low, high: the true accuracies are uniform between them, in [0, 1].

    Raises:
        TypeError, ValueError: an option out of range.
    """
    checks.check_number(n_values, "n_values", at_least=1, integer=True)
    checks.check_number(repeats, "repeats", at_least=1, integer=True)
    checks.check_number(threshold, "threshold", at_least=0.0, at_most=1.0)
    _check_range(low, high, 1.0)
    table = grim_table(max_n, rule=rule)
    accuracies = low + (high - low) * torch.rand(repeats, n_values, dtype=torch.float64, generator=generator)
    units = plant_percentages(n, accuracies, generator=generator, printing=printing)
    hits, counts = distinct_hits(units, table)
    tails = tail_chances(hits, counts, table.double().mean(1))
    full = hits == counts[:, None]
    inside = n <= max_n
    smallest = full.long().argmax(1) + 1
    return GrimPower(
        fits=_share(full[:, n - 1]) if inside else 0.0,
        smallest=_share(full.any(1) & (smallest == n)),
        named=_share(tails.argmin(1) + 1 == n),
        flagged=_share(tails.min(1).values <= threshold),
    )


def _share(flags: Tensor) -> float:
    return flags.double().mean().item()


def _check_range(low: float, high: float, most: float) -> None:
    checks.check_number(low, "low", at_least=0.0, at_most=most)
    checks.check_number(high, "high", at_least=0.0, at_most=most)
    if low >= high:
        raise ValueError(f"high: expected more than low, got low {low!r} and high {high!r}")
