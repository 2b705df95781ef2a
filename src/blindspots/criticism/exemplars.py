"""A class shown by a few of its examples: prototypes that fit it and criticisms that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class Exemplars:
    """Examples chosen to show a class.

    Attributes:
        prototypes: (P,), rows, the most typical first.
        criticisms: (C,), rows, the least typical first; none of them a prototype.
        n_literal_prototypes: how many of the prototypes meet the method's own threshold; the others are the next best,
            taken because too few do. All of them where a method has no threshold.
        n_literal_criticisms: the same for the criticisms.
    """

    prototypes: Int[Tensor, " P"]
    criticisms: Int[Tensor, " C"]
    n_literal_prototypes: int
    n_literal_criticisms: int

    @property
    def shown(self) -> Int[Tensor, " M"]:
        """Return prototypes and criticisms (P + C,) together."""
        return torch.cat([self.prototypes, self.criticisms])


def exemplars_by_class(labels: Tensor, choose: Callable[[Tensor], Exemplars]) -> dict[int, Exemplars]:
    """Choose exemplars within each class.

    Args:
        labels: (N,), classes, 0-based; a class may be missing.
        choose: rows (n,) of one class -> Exemplars whose indices count within those rows, for instance
            `lambda rows: mmd_exemplars(features[rows], 3, 3)`.

    Returns:
        Exemplars by class, ascending, with indices that count within all N.

    Raises:
        TypeError, ValueError: bad labels; whatever choose raises, with the class named.
    """
    if not isinstance(labels, Tensor) or labels.ndim != 1 or len(labels) == 0:
        raise ValueError("labels: expected classes (N,) with N >= 1, got none; use torch.as_tensor")
    checks.check_labels(labels, len(labels))
    chosen = {}
    for label in labels.unique().tolist():
        rows = (labels == label).nonzero().flatten()
        try:
            local = choose(rows)
        except ValueError as error:
            raise ValueError(f"class {label} ({len(rows)} examples): {error}") from error
        chosen[label] = Exemplars(
            rows[local.prototypes.to(rows.device)],
            rows[local.criticisms.to(rows.device)],
            local.n_literal_prototypes,
            local.n_literal_criticisms,
        )
    return chosen
