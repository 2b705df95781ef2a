"""A class shown by MMD-critic: the two selections, one after the other."""

from __future__ import annotations

from torch import Tensor

from blindspots import checks
from blindspots.criticism.exemplars import Exemplars
from blindspots.criticism.select_criticisms import select_criticisms
from blindspots.criticism.select_prototypes import select_prototypes


def mmd_exemplars(
    features: Tensor,
    n_prototypes: int,
    n_criticisms: int = 0,
    *,
    regularizer: str = "logdet",
    weight: float | int = 1.0,
    bandwidth: float | int | None = None,
) -> Exemplars:
    """Choose a class's exemplars by MMD-critic: `select_prototypes`, then `select_criticisms`.

    Args:
        features: (N, D), of the examples of one class.
        n_prototypes: at least 1.
        n_criticisms: at least 0.
        regularizer: as for `select_criticisms`.
        weight: of the regularizer; P4 writes lambda = 1e-5, MMD-critic's code has 1.
        bandwidth: of the Gaussian kernel; None: this class's median distance.

    Raises:
        TypeError, ValueError: as the two functions.
    """
    checks.check_number(n_criticisms, "n_criticisms", at_least=0, integer=True)
    prototypes = select_prototypes(features, n_prototypes, bandwidth=bandwidth)
    criticisms = prototypes.indices[:0]
    if n_criticisms:
        options = dict(regularizer=regularizer, weight=weight)
        criticisms = select_criticisms(features, prototypes, n_criticisms, **options).indices
    return Exemplars(prototypes.indices, criticisms, n_prototypes, n_criticisms)
