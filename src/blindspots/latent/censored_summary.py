"""A summary of values of which some are known only to lie beyond a bound: none of them is averaged away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class CensoredSummary:
    """N values, infinite where they were not found up to a bound.

    There is no plain mean: with censored values it is not known.

    Attributes:
        n: N.
        n_censored: how many were not found.
        n_zero: how many are 0, as of points that are misread without a change.
        bound: they were looked for up to here.
        mean_found: mean of those found, too small wherever some are censored; NaN if none was found.
        sd_found: their standard deviation with divisor n - 1; NaN below two.
        mean_at_least: mean with the bound in place of the censored: the true mean is at least this.
        quartiles: the 25, 50 and 75 % points of all N, infinite where they lie among the censored.
    """

    n: int
    n_censored: int
    n_zero: int
    bound: float
    mean_found: float
    sd_found: float
    mean_at_least: float
    quartiles: tuple[float, float, float]

    @property
    def complete(self) -> bool:
        """Whether all were found, so that mean_found is the mean."""
        return self.n_censored == 0


def summarize_censored(values: Tensor, *, bound: float | int) -> CensoredSummary:
    """Summarize values (N,) >= 0 that are infinite where nothing was found up to the bound.

    Raises:
        TypeError, ValueError: no values, NaN, values below 0, a bound that is no positive number.

    Source: P2 gives mean, standard deviation and quartiles.
    Differs from the paper: its code lets failures enter the mean with the length of their last attempt.
    """
    checks.check_number(bound, "bound", above=0.0)
    if values.ndim != 1 or not len(values) or values.isnan().any() or (values < 0).any():
        raise ValueError(
            f"values: expected at least one number >= 0, infinity for what was not found, in shape (N,), "
            f"got shape {tuple(values.shape)}; look for NaN with torch.isnan"
        )
    numbers = values.detach().double().cpu().numpy()
    found = numbers[np.isfinite(numbers)]
    return CensoredSummary(
        n=len(numbers),
        n_censored=len(numbers) - len(found),
        n_zero=int((numbers == 0).sum()),
        bound=float(bound),
        mean_found=float(found.mean()) if len(found) else math.nan,
        sd_found=float(found.std(ddof=1)) if len(found) > 1 else math.nan,
        mean_at_least=float(torch.as_tensor(np.where(np.isfinite(numbers), numbers, bound)).mean()),
        quartiles=tuple(_quantile(numbers, share) for share in (0.25, 0.5, 0.75)),
    )


def _quantile(numbers: np.ndarray, share: float) -> float:
    """Return the interpolated quantile; infinite as soon as an infinite neighbor has a share in it."""
    upper = np.quantile(numbers, share, method="higher")
    if not np.isfinite(upper):
        return math.inf
    # numpy multiplies every value by its weight, and 0 times infinity is no number.
    return float(np.quantile(np.minimum(numbers, numbers[np.isfinite(numbers)].max()), share))
