"""Granularity: which numbers of test images could have printed a percentage?"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from blindspots import checks

RULES = ("either", "rounded", "truncated")


def _printed(value: float | int, decimals: int, name: str = "value") -> int:
    """Return a percentage as a whole number of its last printed decimal; raise if it has more of them."""
    checks.check_number(value, name, at_least=0.0, at_most=100.0)
    units = Fraction(str(value)) * 10**decimals
    if units.denominator != 1:
        raise ValueError(
            f"{name}: expected at most {decimals} decimals, got {value!r}; raise decimals or round it first"
        )
    return int(units)


def _check(decimals: int, rule: str) -> None:
    checks.check_number(decimals, "decimals", at_least=0, at_most=12, integer=True)
    checks.check_choice(rule, "rule", RULES)


def _prints(units: int, n: int, full: int, rule: str) -> bool:
    """Say whether some k of n prints as units, full units being 100 %; exact half units round either way."""
    rounded = (2 * units + 1) * n // (2 * full) * 2 * full >= (2 * units - 1) * n
    truncated = -(-units * n // full) * full < (units + 1) * n
    return (rounded and rule != "truncated") or (truncated and rule != "rounded")


def grim(
    value: float | int, *, decimals: int = 2, max_n: int = 1000, rule: str = "either"
) -> tuple[int, ...]:
    r"""List the sample sizes n for which some k / n prints as a given percentage.

    Rounded: |100 k / n - value| is at most half a last decimal, on either side of a tie. Truncated: 100 k / n
    is at least value and less than one last decimal above it. All in whole numbers, so no float decides.

    Args:
        value: a printed percentage, 0 to 100.
        decimals: how many decimals it was printed with, 0 to 12; 87.5 with 2 stands for 87.50.
        max_n: largest sample size to try, at least 1.
        rule: "rounded", "truncated", or "either", since a paper seldom says which.

    Returns:
        The sample sizes from 1 to max_n, ascending. From 10^(decimals + 2) on every size is among them.

    Raises:
        TypeError, ValueError: a value outside 0 to 100 or with more decimals, an option out of range.

    Source: the granularity test of Brown and Heathers (2017), there for means of whole numbers.
    """
    _check(decimals, rule)
    checks.check_number(max_n, "max_n", at_least=1, integer=True)
    units, full = _printed(value, decimals), 100 * 10**decimals
    return tuple(n for n in range(1, max_n + 1) if _prints(units, n, full, rule))


def grim_hits(
    values: Iterable[float | int], n: int, *, decimals: int = 2, rule: str = "either"
) -> tuple[bool, ...]:
    """Say of each printed percentage whether it is some k / n.

    Args:
        values: printed percentages, 0 to 100 each.
        n: sample size, at least 1.
        decimals: see `grim`.
        rule: see `grim`.

    Returns:
        One flag for each value. Compare their share with `grim_base_rate`.

    Raises:
        TypeError, ValueError: as `grim`.
    """
    _check(decimals, rule)
    checks.check_number(n, "n", at_least=1, integer=True)
    full = 100 * 10**decimals
    return tuple(_prints(_printed(value, decimals, "values"), n, full, rule) for value in values)


def grim_base_rate(n: int, *, decimals: int = 2, rule: str = "either") -> float:
    """Return the share of all printable percentages, 0 to 100, that are some k / n: what chance would hit.

    Args:
        n: sample size, at least 1.
        decimals: see `grim`, at most 6 here.
        rule: see `grim`.

    Returns:
        The share, in (0, 1]; near 1 the test can tell nothing.

    Raises:
        TypeError, ValueError: as `grim`.
    """
    _check(decimals, rule)
    checks.check_number(decimals, "decimals", at_most=6)
    checks.check_number(n, "n", at_least=1, integer=True)
    full = 100 * 10**decimals
    return sum(_prints(units, n, full, rule) for units in range(full + 1)) / (full + 1)
