"""The median of values some of which may be infinite, with an interval that assumes nothing about them."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from blindspots.checks import check_number


def median_interval(values: object, *, level: float = 0.95) -> tuple[float, float, float]:
    r"""Return the median of values and the interval between two order statistics that holds the true one.

    The j-th smallest and the j-th largest of N values hold the median with probability 1 - 2 P(B <= j - 1), B binomial
    with N and 1/2; j is the largest for which that is at least `level`. With fewer than six values no two are far
    enough apart at 95 %, and the interval is from the smallest to the largest.

    Args:
        values: (N,) numbers, at least one; infinity is allowed, as of what a search did not find.
        level: probability, inside (0, 1).

    Returns:
        (median, low, high); infinite where they lie among the infinite values. Between a number and infinity the
        median is infinite.

    Raises:
        ValueError: no values, NaN, or a level outside (0, 1).
    """
    check_number(level, "level", above=0.0)
    numbers = np.sort(np.asarray(values, dtype=float).ravel())
    if not len(numbers) or np.isnan(numbers).any() or level >= 1:
        raise ValueError(f"values: expected numbers without NaN and a level below 1, got {len(numbers)} and {level!r}")
    n = len(numbers)
    below = int(binom.ppf((1 - level) / 2, n, 0.5))  # smallest k with P(B <= k) >= (1 - level) / 2
    j = max(below if binom.cdf(below, n, 0.5) > (1 - level) / 2 else below + 1, 1)
    middle = (numbers[(n - 1) // 2] + numbers[n // 2]) / 2
    return float(middle), float(numbers[j - 1]), float(numbers[n - j])
