"""How far methods that choose examples of a class agree: the share of examples that two of them both show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.criticism.assignment_task import Showing


def exemplar_overlap(methods: Mapping[str, Sequence[Showing]]) -> Float[Tensor, "K K"]:
    r"""Return for each pair of methods the share of examples that both show, a mean over classes and showings.

    Of two sets A and B of one class the share is |A & B| / min(|A|, |B|). Two methods are compared in all pairs of
    their showings. On the diagonal a method's showings are compared with one another: how far a random choice agrees
    with itself; with one showing only it is 1.

    Args:
        methods: by name, one showing or several: rows shown (M,), different, by class; the same classes everywhere.
            M may differ from method to method.

    Returns:
        (K, K), float64, symmetric, 0 to 1, on the CPU, in the order of methods. Two independent random choices of m and
        M >= m of a class's n examples share M / n on average.

    Raises:
        ValueError: no method, no showing, other classes in one than in another, no rows, or a row twice.

    Source: P4 compares its methods in Table 3 and Figure 7; the measure is ours.
    """
    if not methods or not all(len(showings) for showings in methods.values()):
        raise ValueError("methods: expected at least one, with at least one showing each, got none")
    classes = sorted(next(iter(methods.values()))[0])
    sets = {name: [_sets(showing, name, classes) for showing in showings] for name, showings in methods.items()}
    shares = torch.ones(len(sets), len(sets), dtype=torch.float64)
    for (row, first), (column, second) in product(enumerate(sets.values()), repeat=2):
        pairs = list(combinations(first, 2)) if row == column else list(product(first, second))
        if pairs:
            found = [_share(a[name], b[name]) for a, b in pairs for name in classes]
            shares[row, column] = sum(found) / len(found)
    return shares


def _sets(showing: Showing, name: str, classes: Sequence[int]) -> dict[int, set[int]]:
    if not showing or sorted(showing) != classes:
        raise ValueError(f"methods[{name!r}]: expected the classes {classes} in every showing, got {sorted(showing)}")
    rows = {label: shown.flatten().tolist() for label, shown in showing.items()}
    for label, shown in rows.items():
        if not shown or len(set(shown)) < len(shown):
            raise ValueError(f"methods[{name!r}][{label}]: expected different rows, at least one, got {shown}")
    return {label: set(shown) for label, shown in rows.items()}


def _share(first: set[int], second: set[int]) -> float:
    return len(first & second) / min(len(first), len(second))
