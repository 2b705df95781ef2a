"""Column means in single precision, made exact where a choice depends on it, so that every choice is the exact one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots.criticism.kernels import RowKernel, first_of_the_best

_AT_ONCE = 32


class SettledMeans:
    """Column means of a kernel that are known up to a bound, and exactly where a pick needed it.

    Choosing the largest of N scores needs exact scores of those only that could be the largest: a handful. Their means
    are taken from their rows, in float64, one of which the pick needs anyway.

    Attributes:
        values: (N,), float64, the means as they are known now.
        error: bound on the error of those that are not exact; 0 if all are.
        exact: (N,), which are exact.
    """

    def __init__(self, kernel: RowKernel, values: Float[Tensor, " N"], error: float) -> None:
        self._kernel = kernel
        self.values: Float[Tensor, " N"] = values.clone()
        self.error = error
        self.exact: Bool[Tensor, " N"] = torch.full_like(values, error == 0.0, dtype=torch.bool)
        self._rows: dict[int, Tensor] = {}

    def pick(
        self, scores_of: Callable[[Tensor, Tensor | slice], Tensor], slope: float
    ) -> tuple[Int[Tensor, ""], Float[Tensor, ""]]:
        """Return the example whose score is the largest, the first of equal ones, and its score.

        Args:
            scores_of: (means of some examples, which examples) -> their scores, each a function of its own mean.
            slope: the most by which a score changes when its mean changes by 1.

        Returns:
            The index () and the score (), both as exact means give them.
        """
        everything = slice(None)
        scores = scores_of(self.values, everything)
        if self.error > 0.0:
            # Whoever is below this is below the best by more than both errors.
            likely = (scores >= scores.amax() - 2.0 * slope * self.error).nonzero().flatten()
            doubtful = likely[~self.exact[likely]]
            if len(doubtful) <= _AT_ONCE:
                if len(doubtful):
                    rows = self._kernel.rows(doubtful)
                    self.values[doubtful] = rows.mean(dim=1)
                    self.exact[doubtful] = True
                    self._rows = dict(zip(doubtful.tolist(), rows, strict=True))
                scores = scores_of(self.values[likely], likely)
                best = first_of_the_best(scores)
                return likely[best], scores[best]
            self.values, self.error = self._kernel.column_means(), 0.0
            self.exact = torch.ones_like(self.exact)
            scores = scores_of(self.values, everything)
        best = first_of_the_best(scores)
        return best, scores[best]

    def row(self, index: Int[Tensor, ""]) -> Float[Tensor, " N"]:
        """Return the kernel's row at an index (), without computing it again if the last pick did."""
        row = self._rows.get(int(index)) if self._rows else None
        return self._kernel.rows(index[None])[0] if row is None else row
