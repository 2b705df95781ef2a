"""Granularity over many sizes at once: which number of images would make a table's hits least like chance?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from scipy.stats import binom
from torch import Tensor

from blindspots import checks
from blindspots.purify.grim import _check, _printed


@dataclass(frozen=True)
class GrimScan:
    """How a list of printed percentages sits on the grid of each size.

    `sizes` (S,) are the sizes 1 to max_n; `hits` (S,) the distinct values that are some k / n; `base_rates` (S,) the
    share of all printable percentages that are; `tails` (S,) the chance of at least as many hits if each value hit
    with the base rate, on its own; `n_values` the number of distinct values.
    """

    sizes: Tensor
    hits: Tensor
    base_rates: Tensor
    tails: Tensor
    n_values: int

    @property
    def best(self) -> int:
        """The size with the smallest tail; the smallest of equals."""
        return int(self.sizes[self.tails.argmin()])


def grim_table(
    max_n: int, *, decimals: int = 2, rule: str = "either", device: torch.device | str | None = None
) -> Tensor:
    """Return for each size and each printable percentage whether some k / n prints as it.

    Args:
        max_n: largest size, 1 to 10,000.
        decimals: decimals printed, 0 to 3.
        rule: "rounded", "truncated" or "either", as for `grim`.
        device: where the table is made.

    Returns:
        (max_n, 100 * 10^decimals + 1) truth values; row n - 1 is size n, column u is u last decimals.

    Raises:
        TypeError, ValueError: an option out of range.

    Source: the rule of `grim`, marked from the fractions instead of asked for each value.
    """
    _check(decimals, rule)
    checks.check_number(decimals, "decimals", at_most=3)
    checks.check_number(max_n, "max_n", at_least=1, at_most=10_000, integer=True)
    full = 100 * 10**decimals
    table = torch.zeros(max_n, full + 1, dtype=torch.bool, device=device)
    for n in range(1, max_n + 1):
        parts = torch.arange(n + 1, device=device) * full
        below, rest = parts // n, parts % n
        if rule != "rounded":
            table[n - 1, below] = True
        if rule != "truncated":  # a tie rounds down or up
            table[n - 1, below[2 * rest <= n]] = True
            table[n - 1, below[2 * rest >= n] + 1] = True
    return table


def grim_scan(values: Iterable[float | int], *, max_n: int = 200, decimals: int = 2, rule: str = "either") -> GrimScan:
    """Count for every size how many of the printed percentages it could have printed.

    A value that stands in the list twice counts once: two cells with the same number may be one measurement.

    Args:
        values: printed percentages, 0 to 100 each; at least one.
        max_n: largest size, 1 to 10,000. From a few hundred on nearly every size hits something.
        decimals: decimals printed, 0 to 3.
        rule: "rounded", "truncated" or "either".

    Raises:
        TypeError, ValueError: no values, one out of range or with more decimals, an option out of range.

    Source: the granularity test of Brown and Heathers (2017); the scan over sizes and its tails are ours.
    """
    table = grim_table(max_n, decimals=decimals, rule=rule)
    units = torch.tensor([[_printed(value, decimals, "values") for value in values]])
    if units.numel() == 0:
        raise ValueError("values: expected at least one percentage, got none")
    hits, counts = distinct_hits(units, table)
    rates = table.double().mean(1)
    tails = tail_chances(hits, counts, rates)
    return GrimScan(torch.arange(1, max_n + 1), hits[0], rates, tails[0], int(counts))


def distinct_hits(units: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Count the hits of many lists on every row of a table of `grim_table`.

    Args:
        units: (R, M) whole numbers, each percentage in last decimals.
        table: (S, U) truth values.

    Returns:
        Hits (R, S) among the distinct values of each list, and how many distinct values there are (R,).
    """
    ordered = units.sort(dim=1).values
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    # one list at a time: all at once would hold S * R * M flags
    hits = torch.stack([table[:, row[new]].sum(1) for row, new in zip(ordered, first, strict=True)])
    return hits, first.sum(1)


def tail_chances(hits: Tensor, counts: Tensor, rates: Tensor) -> Tensor:
    """Return the chance (R, S) of at least `hits` (R, S) in `counts` (R,) tries with chance `rates` (S,) each."""
    most = int(counts.max())
    tries = torch.arange(most + 1)[:, None, None]
    least = torch.arange(most + 1)[:, None]
    known = torch.from_numpy(binom.sf(least - 1, tries, rates.cpu()))  # (tries, least, S)
    return known[counts.cpu()[:, None], hits.cpu(), torch.arange(len(rates))].to(rates.device)
