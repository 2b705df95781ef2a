"""Whether the pictures of a cell suffice to rank classifiers: would other pictures rank them alike?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from blindspots import checks
from blindspots.latent.rank_correlation import spearman
from blindspots.seeding import generator


@dataclass(frozen=True)
class RankReliability:
    """How far a ranking by means over N pictures is the pictures'.

    Attributes:
        half: mean rank correlation of the means over one half of the pictures with those over the other.
        n: N.
    """

    half: float
    n: int

    @property
    def value(self) -> float:
        """The correlation to expect between rankings by N pictures and by N others, 2 h / (1 + h); NaN without one.

        The share of the ranking's variance that is not chance. On average the correlation of two measures shows no
        more than the root of the product of both reliabilities.
        """
        return _lengthened(self.half, 2.0)

    def pictures_for(self, reliability: float) -> float:
        """Return how many pictures a reliability takes, infinite where the halves do not agree at all.

        Raises:
            TypeError, ValueError: reliability outside (0, 1).
        """
        checks.check_number(reliability, "reliability", above=0.0)
        if reliability >= 1:
            raise ValueError(
                f"reliability: expected a number below 1, got {reliability!r}; no number of pictures gives it"
            )
        if not self.half > 0:
            return math.inf
        if self.half >= 1:
            return 1.0
        times = reliability * (1.0 - self.half) / (self.half * (1.0 - reliability))
        return float(math.ceil(times * self.n / 2))


def rank_reliability(values: Tensor, *, splits: int = 500, seed: int = 0) -> RankReliability:
    """Split the pictures into random halves, rank the classifiers by each, and correlate.

    Args:
        values: (C, N), of C >= 3 classifiers on the same N >= 4 pictures; finite: give what was not found the bound.
        splits: random halves, at least 1; of an odd number of pictures one is left out each time.
        seed: of the splits.

    Returns:
        RankReliability; its half is NaN where one half of the pictures leaves all classifiers equal in every split.

    Raises:
        TypeError, ValueError: too few classifiers or pictures, values that are not finite, an option out of range.

    Source: split halves and their lengthening, Spearman (1910) and Brown (1910), here with rank correlations, for
    which the lengthening is an approximation; P2 does not ask.
    """
    checks.check_number(splits, "splits", at_least=1, integer=True)
    if values.ndim != 2 or values.shape[0] < 3 or values.shape[1] < 4:
        raise ValueError(
            f"values: expected at least three classifiers by at least four pictures, got {tuple(values.shape)}"
        )
    checks.check_finite(values, "values")
    whole = values.detach().double().cpu().numpy()
    half, draws = whole.shape[1] // 2, generator(seed, "split halves")
    orders = [torch.randperm(whole.shape[1], generator=draws).numpy() for _ in range(splits)]
    first, second = (
        np.stack([whole[:, order[part]].mean(1) for order in orders])
        for part in (slice(0, half), slice(half, 2 * half))
    )
    found = spearman(first, second, axis=1)
    return RankReliability(float(np.nanmean(found)) if np.isfinite(found).any() else math.nan, whole.shape[1])


def _lengthened(reliability: float, times: float) -> float:
    return times * reliability / (1.0 + (times - 1.0) * reliability)
