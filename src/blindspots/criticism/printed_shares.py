"""What printed shares tell of the counts behind them: sizes that print them, sizes that make them significant."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

from blindspots import checks
from blindspots.criticism.paper_statistics import ZTest


def sizes_that_print(percents: Sequence[float | int], *, at_most: int, slack: float | int = 0.5) -> tuple[int, ...]:
    """Return the sample sizes n for which every percentage is, once rounded, a count of n.

    Args:
        percents: shares of one sample in percent, 0 to 100, as printed.
        at_most: the largest size tried, at least 1.
        slack: how far k / n may be from what is printed, in points; 0.5 for whole percents, above 0.

    Returns:
        Sizes, ascending; none if no size up to at_most prints them all.

    Raises:
        TypeError, ValueError: no percentage, or one out of range.

    Source: P4 Section 3.4, which prints "about 78 %" and "44 %" of its prototypes and no number of them.
    """
    if not len(percents):
        raise ValueError("percents: expected at least one, got none")
    for percent in percents:
        checks.check_number(percent, "percents", at_least=0.0, at_most=100.0)
    checks.check_number(at_most, "at_most", at_least=1, integer=True)
    checks.check_number(slack, "slack", above=0.0)
    return tuple(
        n
        for n in range(1, at_most + 1)
        if all(abs(100 * round(percent / 100 * n) / n - percent) <= slack for percent in percents)
    )


def pooled_z(count_a: float | int, n_a: float | int, count_b: float | int, n_b: float | int) -> ZTest:
    """Return the two-proportion z test from counts, with the pooled standard error.

    Args:
        count_a, count_b: successes, 0 to n; fractions are allowed, for sizes that are only imagined.
        n_a, n_b: sample sizes, above 0.

    Returns:
        ZTest; z = 0 and p = 1 where neither sample varies.

    Raises:
        TypeError, ValueError: a count outside its sample.
    """
    for name, count, n in (("a", count_a, n_a), ("b", count_b, n_b)):
        checks.check_number(n, f"n_{name}", above=0.0)
        checks.check_number(count, f"count_{name}", at_least=0.0, at_most=float(n))
    pooled = (count_a + count_b) / (n_a + n_b)
    if pooled in (0.0, 1.0):
        return ZTest(0.0, 1.0)
    z = (count_a / n_a - count_b / n_b) / math.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    return ZTest(z, float(2 * stats.norm.sf(abs(z))))


def significant_size(
    percent_a: float | int, percent_b: float | int, *, alpha: float = 0.05, at_most: int = 10_000
) -> int | None:
    """Return the smallest n per sample at which two shares differ significantly by the pooled z test.

    Args:
        percent_a, percent_b: shares in percent, 0 to 100, of two samples of n each.
        alpha: two-sided level, in (0, 1).
        at_most: the largest n tried, at least 1.

    Returns:
        n, from which on all sizes are significant too; None if none up to at_most is.

    Raises:
        TypeError, ValueError: a share or the level out of range.
    """
    for name, percent in (("percent_a", percent_a), ("percent_b", percent_b)):
        checks.check_number(percent, name, at_least=0.0, at_most=100.0)
    checks.check_number(alpha, "alpha", above=0.0, at_most=1.0)
    checks.check_number(at_most, "at_most", at_least=1, integer=True)
    one = abs(pooled_z(percent_a / 100, 1, percent_b / 100, 1).z)  # z grows with the square root of n
    if one == 0.0:
        return None
    n = max(1, math.ceil((float(stats.norm.isf(alpha / 2)) / one) ** 2 - 1e-9))
    return n if n <= at_most else None
