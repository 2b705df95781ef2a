"""Whether two measures rank classifiers alike, with an interval from resampled classifiers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class RankCorrelation:
    """A rank correlation over N classifiers.

    Attributes:
        value: in [-1, 1]; NaN where one measure is the same for all.
        interval: percentiles of the bootstrap over classifiers; NaN where the value is.
        p_value: two-sided, of random pairings: all N! for few classifiers, drawn ones for more.
        n: N.
        n_undefined: resamples in which one measure was the same throughout; they are left out of the interval.
    """

    value: float
    interval: tuple[float, float]
    p_value: float
    n: int
    n_undefined: int


def spearman(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray | float:
    """Spearman's rho along an axis: the correlation of ranks, all resamples at once."""
    ranks = [stats.rankdata(values, axis=axis) for values in (first, second)]
    ranks = [values - values.mean(axis=axis, keepdims=True) for values in ranks]
    squares = [(values**2).sum(axis=axis) for values in ranks]
    with np.errstate(invalid="ignore", divide="ignore"):
        return (ranks[0] * ranks[1]).sum(axis=axis) / np.sqrt(squares[0] * squares[1])


def _kendall(first: np.ndarray, second: np.ndarray) -> float:
    return stats.kendalltau(first, second).statistic


def rank_correlation(
    first: Float[Tensor, " N"],
    second: Float[Tensor, " N"],
    *,
    method: str = "spearman",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> RankCorrelation:
    """Correlate the ranks that two measures give the same classifiers.

    Args:
        first, second: (N,), one value per classifier, N >= 3. Infinity ranks last, as a censored median severity may.
        method: "spearman" (rho) or "kendall" (tau-b).
        level: probability of the interval, inside (0, 1).
        resamples: of the bootstrap and, where N! is more, of the pairings.
        seed: of both.

    Returns:
        RankCorrelation.

    Raises:
        TypeError, ValueError: measures of different length, fewer than three classifiers, NaN, an option out of range.

    Source: ours, for P2's claim that latent metrics go with accuracy and not with conventional robustness; through
    scipy's bootstrap and permutation_test.
    """
    checks.check_choice(method, "method", ("spearman", "kendall"))
    checks.check_number(level, "level", above=0.0)
    checks.check_number(resamples, "resamples", at_least=100, integer=True)
    if level >= 1:
        raise ValueError(f"level: expected a probability below 1, got {level!r}")
    if len(first) < 3:
        raise ValueError(f"first: expected at least three classifiers, got {len(first)}")
    if first.isnan().any() or second.isnan().any():
        raise ValueError("first, second: expected numbers, got NaN; leave the classifier out or say why it has none")
    pair = tuple(values.detach().double().cpu().numpy() for values in (first, second))
    if any(len(np.unique(values)) == 1 for values in pair):
        return RankCorrelation(np.nan, (np.nan, np.nan), np.nan, len(first), resamples)
    statistic, vectorized = (spearman, True) if method == "spearman" else (_kendall, False)
    value = float(statistic(*pair))
    with warnings.catch_warnings():
        # Said of resamples without a correlation; they are counted below.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        drawn = stats.bootstrap(
            pair, statistic, paired=True, vectorized=vectorized, n_resamples=resamples, method="percentile",
            confidence_level=level, random_state=np.random.default_rng(seed),
        ).bootstrap_distribution  # fmt: skip
    ends = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])

    def shuffled(values: np.ndarray, axis: int = -1) -> np.ndarray | float:
        other = np.broadcast_to(pair[1], values.shape)
        return statistic(values, other, axis=axis) if vectorized else statistic(values, other)

    # One measure is shuffled against the other, so that N! pairings are all.
    tested = stats.permutation_test(
        pair[:1], shuffled, permutation_type="pairings", vectorized=vectorized, n_resamples=resamples,
        random_state=np.random.default_rng(seed),
    )  # fmt: skip
    return RankCorrelation(
        value, (float(ends[0]), float(ends[1])), float(tested.pvalue), len(first), int(np.isnan(drawn).sum())
    )
