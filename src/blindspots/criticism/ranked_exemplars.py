"""The ends of a ranking as exemplars: the best fits are prototypes, the worst are criticisms."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.criticism.exemplars import Exemplars

RULES = ("ranked", "literal")


def ranked_exemplars(
    fit: Tensor,
    n_prototypes: int,
    n_criticisms: int,
    *,
    ties: tuple[Tensor, Tensor],
    allowed: Tensor,
    rule: str,
) -> Exemplars:
    """Take prototypes from the top and criticisms from the bottom.

    Args:
        fit: (N,), how well an example fits its class; inf = meets the method's threshold for a prototype, -inf = that
            for a criticism.
        n_prototypes: at least 1.
        n_criticisms: at least 0.
        ties: two tensors (N,); of equal fits the smallest of the first comes first among prototypes, the smallest of
            the second among criticisms.
        allowed: (N,) bool, which examples may be shown.
        rule: "ranked" goes on with finite fits where too few meet a threshold; "literal" is an error there.

    Raises:
        TypeError, ValueError: bad counts or rule; too few examples.
    """
    checks.check_number(n_prototypes, "n_prototypes", at_least=1, integer=True)
    checks.check_number(n_criticisms, "n_criticisms", at_least=0, integer=True)
    checks.check_choice(rule, "rule", RULES)
    rows = allowed.nonzero().flatten()
    if n_prototypes + n_criticisms > len(rows):
        raise ValueError(
            f"n_prototypes, n_criticisms: expected at most {len(rows)} together, the examples that may be shown, got "
            f"{n_prototypes} + {n_criticisms}; ask for fewer or give more examples"
        )
    best = _order(-fit, ties[0], rows)[:n_prototypes]
    worst = _order(fit, ties[1], rows[~torch.isin(rows, best)])[:n_criticisms]
    literal = int((fit[best] == float("inf")).sum()), int((fit[worst] == float("-inf")).sum())
    if rule == "literal":
        for name, wanted, found in zip(
            ("n_prototypes", "n_criticisms"), (n_prototypes, n_criticisms), literal, strict=True
        ):
            if found < wanted:
                raise ValueError(
                    f"{name}: expected at most {found}, the examples that meet the threshold, got {wanted}; "
                    "use rule='ranked' to go on with the next best"
                )
    return Exemplars(best, worst, *literal)


def _order(keys: Tensor, ties: Tensor, rows: Tensor) -> Tensor:
    """Return rows by ascending key, and by ascending tie among equal keys."""
    rows = rows[ties[rows].argsort(stable=True)]
    return rows[keys[rows].argsort(stable=True)]
