"""A second look at the statistics that P4 prints: what follows from its own numbers, computed and never typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from scipy import stats

from blindspots import checks


@dataclass(frozen=True)
class ZTest:
    """A two-sided z test: the statistic `z` and its p-value."""

    z: float
    p: float


@dataclass(frozen=True)
class ConditionsTest:
    """A chi-square test that all conditions have one success rate.

    Attributes:
        chi2, degrees, p: statistic, degrees of freedom and p-value.
        sizes: answers in each condition, implied by its mean and standard deviation.
        total: their sum, to be held against the number of answers that the paper states.
    """

    chi2: float
    degrees: int
    p: float
    sizes: tuple[float, ...]
    total: float


@dataclass(frozen=True)
class PairTest:
    """The z test of conditions number `first` and `second`."""

    first: int
    second: int
    test: ZTest


def rescued_share(error: float, rectified: float) -> float:
    """Return the share of mistakes, 0 to 1, that people must have accepted for a rectified error.

    Args:
        error: percent, above 0.
        rectified: percent, 0 to error.

    Source: P4 Table 1: share = (error - rectified) / error.
    """
    checks.check_number(error, "error", above=0.0, at_most=100.0)
    checks.check_number(rectified, "rectified", at_least=0.0, at_most=float(error))
    return (error - rectified) / error


def flipped_share(clean_accuracy: float, attacked_accuracy: float, error: float, rectified: float) -> float:
    """Return the percent of the images flipped by an attack that people must have accepted.

    Only images that were right before the attack can be flipped, so the points that people gave back are held
    against the fall in accuracy and not against the whole error.

    Args:
        clean_accuracy: percent right before the attack.
        attacked_accuracy: percent right after it, below clean_accuracy.
        error: error under the attack, percent.
        rectified: rectified error under the attack, percent, at most error.

    Returns:
        100 (error - rectified) / (clean_accuracy - attacked_accuracy).

    Raises:
        TypeError, ValueError: a percentage out of range, or accuracy that does not fall.

    Source: P4 Table 2 and the 22.01 and 30.80 % of Sec. 3.2.
    """
    checks.check_number(clean_accuracy, "clean_accuracy", at_least=0.0, at_most=100.0)
    checks.check_number(attacked_accuracy, "attacked_accuracy", at_least=0.0, at_most=100.0)
    if attacked_accuracy >= clean_accuracy:
        raise ValueError(
            f"attacked_accuracy: expected less than clean_accuracy ({clean_accuracy:g}), got {attacked_accuracy:g}"
        )
    checks.check_number(error, "error", at_least=0.0, at_most=100.0)
    checks.check_number(rectified, "rectified", at_least=0.0, at_most=float(error))
    return 100 * (error - rectified) / (clean_accuracy - attacked_accuracy)


def exact_shares(agreement: Sequence[float]) -> tuple[float, ...]:
    """Return the shares with exactly k yes answers from those with at least k, for falling thresholds.

    Args:
        agreement: shares with at least k, k + 1, ... yes answers; none may exceed the one before.

    Returns:
        Shares with exactly k, k + 1, ..., the last unchanged.

    Source: P4 Sec. 3.1: 39.76 % of five among 58.26 % of at least four leave 18.5 % of exactly four.
    """
    for before, after in pairwise(agreement):
        if after > before:
            raise ValueError(f"agreement: expected shares that do not rise with the threshold, got {list(agreement)}")
    return tuple(before - after for before, after in zip(agreement, [*agreement[1:], 0.0], strict=True))


def binomial_size(percent: float, sd: float) -> float:
    """Return the number of answers n that give a share its binomial standard deviation, p (1 - p) / sd^2.

    Args:
        percent: the share, inside 0 to 100.
        sd: its standard deviation in points, above 0.

    Source: P4 Table 3, whose standard deviations are those of a binomial share.
    """
    checks.check_number(percent, "percent", above=0.0, at_most=100.0)
    if percent == 100:
        raise ValueError("percent: expected a share below 100, which has a standard deviation, got 100")
    checks.check_number(sd, "sd", above=0.0)
    return percent * (100 - percent) / sd**2


def two_proportion_z(percent_a: float, sd_a: float, percent_b: float, sd_b: float) -> ZTest:
    """Return the z test that two shares are equal, from the shares and their standard deviations.

    Args:
        percent_a, percent_b: shares in percent, 0 to 100.
        sd_a, sd_b: their standard deviations in points, above 0.

    Returns:
        ZTest with z = (a - b) / sqrt(sd_a^2 + sd_b^2), the unpooled form, and its two-sided p.

    Raises:
        TypeError, ValueError: a number out of range.
    """
    for name, value in (("percent_a", percent_a), ("percent_b", percent_b)):
        checks.check_number(value, name, at_least=0.0, at_most=100.0)
    for name, value in (("sd_a", sd_a), ("sd_b", sd_b)):
        checks.check_number(value, name, above=0.0)
    z = (percent_a - percent_b) / (sd_a**2 + sd_b**2) ** 0.5
    return ZTest(z, float(2 * stats.norm.sf(abs(z))))


def largest_pair(percents: Sequence[float], sds: Sequence[float]) -> PairTest:
    """Return the pair of conditions whose z test is the most extreme; of equals the first.

    With seven conditions it is the largest of 21, so its p-value is no evidence by itself.

    Args:
        percents: shares in percent, at least two.
        sds: their standard deviations in points.

    Raises:
        TypeError, ValueError: lists of different length, fewer than two, a number out of range.
    """
    _check_conditions(percents, sds)
    pairs = [
        PairTest(i, j, two_proportion_z(percents[i], sds[i], percents[j], sds[j]))
        for i, j in combinations(range(len(percents)), 2)
    ]
    return max(pairs, key=lambda pair: abs(pair.test.z))


def conditions_chi2(percents: Sequence[float], sds: Sequence[float]) -> ConditionsTest:
    """Return the chi-square test that all conditions have one success rate.

    The number of answers of each condition is implied by its binomial standard deviation (`binomial_size`), the
    table of successes and failures follows, and Pearson's test is made on it.

    Args:
        percents: success rates in percent, at least two, inside 0 to 100.
        sds: their standard deviations in points.

    Returns:
        ConditionsTest; sizes are not rounded, since two decimals do not fix them.

    Raises:
        TypeError, ValueError: as `largest_pair`.

    Source: P4 Table 3, which makes no test.
    """
    _check_conditions(percents, sds)
    sizes = [binomial_size(percent, sd) for percent, sd in zip(percents, sds, strict=True)]
    table = [
        [size * share / 100 for size, share in zip(sizes, percents, strict=True)],
        [size * (100 - share) / 100 for size, share in zip(sizes, percents, strict=True)],
    ]
    found = stats.chi2_contingency(table, correction=False)
    return ConditionsTest(float(found.statistic), int(found.dof), float(found.pvalue), tuple(sizes), sum(sizes))


def _check_conditions(percents: Sequence[float], sds: Sequence[float]) -> None:
    if len(percents) != len(sds) or len(percents) < 2:
        raise ValueError(
            f"sds: expected one for each of at least two percents, got {len(sds)} for {len(percents)} percents"
        )
