"""Whether one measure ranks classifiers more like a second than like a third."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class CorrelationGap:
    """The difference of two rank correlations over the same N classifiers.

    Attributes:
        value: rho(first, second) - rho(first, third); NaN where a measure is the same for all.
        interval: 95 % percentiles of the bootstrap over classifiers; NaN where the value is.
        n: N.
        n_undefined: resamples in which a correlation is not defined; they are left out of the interval.
    """

    value: float
    interval: tuple[float, float]
    n: int
    n_undefined: int


def correlation_gap(
    first: Tensor, second: Tensor, third: Tensor, *, resamples: int = 2000, seed: int = 0
) -> CorrelationGap:
    """Compare the Spearman correlations of `first` with `second` and with `third`, which share their classifiers.

    Args:
        first, second, third: (N,), a value per classifier, N >= 3; infinity ranks last.
        resamples: of the bootstrap, at least 100.
        seed: of the resamples.

    Raises:
        ValueError: fewer than three classifiers, lengths that differ, NaN.
    """
    checks.check_number(resamples, "resamples", at_least=100, integer=True)
    table = [values.detach().double().cpu().numpy() for values in (first, second, third)]
    if len({len(values) for values in table}) > 1 or len(table[0]) < 3 or any(np.isnan(v).any() for v in table):
        raise ValueError("first, second, third: expected three or more numbers each, of the same classifiers, no NaN")
    draws = np.random.default_rng(seed).integers(len(table[0]), size=(resamples, len(table[0])))
    value = float(_gap([values[None] for values in table])[0])
    gaps = _gap([values[draws] for values in table])
    undefined = int(np.isnan(gaps).sum())
    if np.isnan(value) or undefined == resamples:
        return CorrelationGap(float("nan"), (float("nan"),) * 2, len(table[0]), undefined)
    low, high = np.nanquantile(gaps, [0.025, 0.975])
    return CorrelationGap(value, (float(low), float(high)), len(table[0]), undefined)


def _gap(table: list[np.ndarray]) -> np.ndarray:
    ranks = [stats.rankdata(values, axis=1) for values in table]
    ranks = [values - values.mean(axis=1, keepdims=True) for values in ranks]
    norms = [np.sqrt((values**2).sum(axis=1)) for values in ranks]
    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = ((ranks[0] * ranks[k]).sum(axis=1) / (norms[0] * norms[k]) for k in (1, 2))
    return one - other
