"""An attribute's share among prototypes and criticisms: what P4 reads a bias from."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats
from torch import Tensor

from blindspots import checks
from blindspots.criticism.exemplars import Exemplars
from blindspots.criticism.inputs import check_indices


@dataclass(frozen=True)
class AttributeSkew:
    """How an attribute is spread over what is shown of a class.

    Attributes:
        class_share: share of the class's examples with the attribute, in [0, 1].
        prototype_share: the same of the prototypes.
        criticism_share: the same of the criticisms; None if there are none.
        gap: prototype_share less criticism_share; without criticisms, less class_share.
        p_value: two-sided, of a gap as unlikely by chance: Fisher's exact test of prototypes against criticisms;
            without criticisms, the hypergeometric test of the prototypes as a draw from the class.
        n_prototypes: how many prototypes.
        n_criticisms: how many criticisms.
    """

    class_share: float
    prototype_share: float
    criticism_share: float | None
    gap: float
    p_value: float
    n_prototypes: int
    n_criticisms: int

    def recovers(self, direction: int, *, alpha: float = 0.05) -> bool:
        """Return whether the gap is significant and points the planted way.

        Args:
            direction: 1 = the attribute was planted as typical of the class, -1 = as untypical, 0 = not at all, where
                any significant gap is a false alarm and counts.
            alpha: level of the test, in (0, 1).
        """
        checks.check_number(alpha, "alpha", above=0.0, at_most=1.0)
        if direction not in (-1, 0, 1):
            raise ValueError(f"direction: expected -1, 0 or 1, got {direction!r}")
        return self.p_value < alpha and (direction == 0 or self.gap * direction > 0)


def attribute_skew(attribute: Tensor, exemplars: Exemplars) -> AttributeSkew:
    """Compare an attribute's share among the prototypes of a class with that among its criticisms.

    Args:
        attribute: (N,), 0 or 1 (or bool), for the examples of one class.
        exemplars: of that class, with indices from 0 to N - 1; at least one prototype.

    Returns:
        AttributeSkew.

    Raises:
        TypeError, ValueError: an attribute that is not binary, indices out of range.

    Source: P4 Section 3.4: of its basketball images 53 % show a black person, of the prototypes 78 %, of the criticisms
    20 %.
    Differs from the paper: it gives shares and no counts, so no test. Fisher's test is conservative for few exemplars.
    """
    if not isinstance(attribute, Tensor) or attribute.ndim != 1 or len(attribute) == 0:
        got = tuple(attribute.shape) if isinstance(attribute, Tensor) else type(attribute).__name__
        raise ValueError(f"attribute: expected 0 or 1 for each example (N,), got {got}")
    if not ((attribute == 0) | (attribute == 1)).all():
        raise ValueError("attribute: expected 0 or 1 for each example, got other values; compare with a threshold")
    has = attribute.bool().cpu()
    n = len(has)
    check_indices(exemplars.prototypes, n, "exemplars.prototypes")
    if len(exemplars.criticisms):
        check_indices(exemplars.criticisms, n, "exemplars.criticisms")
    of_prototypes, of_criticisms = has[exemplars.prototypes.cpu()], has[exemplars.criticisms.cpu()]
    k, m = int(of_prototypes.sum()), len(of_prototypes)
    c, q = int(of_criticisms.sum()), len(of_criticisms)
    class_share, share = has.double().mean().item(), k / m
    if q:
        table = [[k, m - k], [c, q - c]]
        other = c / q
    else:
        table = [[k, m - k], [int(has.sum()) - k, n - m - int(has.sum()) + k]]
        other = class_share
    return AttributeSkew(
        class_share=class_share,
        prototype_share=share,
        criticism_share=other if q else None,
        gap=share - other,
        p_value=float(stats.fisher_exact(table)[1]),
        n_prototypes=m,
        n_criticisms=q,
    )
