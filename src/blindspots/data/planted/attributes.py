"""Binary attributes with chosen prevalences and chosen correlations between pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_generator, check_number

_SLACK = 1e-9


def phi_coefficient(first: Tensor, second: Tensor) -> float:
    """Return the correlation phi of two binary vectors (N,): (n11 n00 - n10 n01) / sqrt(n1. n0. n.1 n.0).

    Raises:
        ValueError: unequal lengths, or a vector with one value only, whose correlation is undefined.
    """
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"second: expected shape {tuple(first.shape)} (N,), got {tuple(second.shape)}")
    a, b = first.double(), second.double()
    scale = a.mean() * (1 - a.mean()) * b.mean() * (1 - b.mean())
    if scale <= 0:
        raise ValueError(
            "first, second: expected both values in each vector, got a constant one; phi is undefined"
        )
    return float(((a * b).mean() - a.mean() * b.mean()) / scale.sqrt())


def phi_range(first_prevalence: float, second_prevalence: float) -> tuple[float, float]:
    """Return the lowest and highest phi that two attributes of given prevalences in (0, 1) can have."""
    scale = _scale(first_prevalence, second_prevalence)
    product = first_prevalence * second_prevalence
    low = max(0.0, first_prevalence + second_prevalence - 1.0)
    high = min(first_prevalence, second_prevalence)
    return (low - product) / scale, (high - product) / scale


def correlated_attributes(
    n: int,
    names: tuple[str, ...],
    *,
    generator: torch.Generator,
    prevalences: Mapping[str, float] | None = None,
    correlations: Mapping[tuple[str, str], float] | None = None,
) -> Tensor:
    """Draw binary attributes with exact prevalences and paired correlations, up to rounding of counts.

    Each correlated pair gets the 2 x 2 table of counts that its phi and prevalences ask for; who falls into
    which cell is drawn at random. Attributes without a chosen correlation are drawn independently: their
    sample correlation is noise of size 1 / sqrt(n). In a chain a - b - c that of a and c is the product.

    Args:
        n: rows, >= 1.
        names: the attributes.
        generator: CPU generator.
        prevalences: share of rows with an attribute, in (0, 1); 0.5 where none is given.
        correlations: phi in [-1, 1] by pair of names. The pairs must form no loop: around a loop the last
            correlation follows from the others.

    Returns:
        (n, A) bool, in the order of names.

    Raises:
        ValueError: an unknown name, a prevalence outside (0, 1) or that rounds to nobody or everybody, a
            pair given twice or closing a loop, a correlation that the prevalences do not allow (the message
            names the range).
    """
    check_number(n, "n", at_least=1, integer=True)
    check_generator(generator)
    shares = _checked_prevalences(n, names, prevalences or {})
    neighbors = _checked_pairs(names, shares, correlations or {})
    columns: dict[str, Tensor] = {}
    for root in names:
        if root in columns:
            continue
        columns[root] = _choose(torch.arange(n), _count(n, shares[root]), n, generator)
        waiting = [root]
        while waiting:
            parent = waiting.pop()
            for child, phi in neighbors[parent]:
                if child not in columns:
                    columns[child] = _follow(columns[parent], shares[parent], shares[child], phi, generator)
                    waiting.append(child)
    return torch.stack([columns[name] for name in names], dim=1)


def _scale(first: float, second: float) -> float:
    return math.sqrt(first * (1 - first) * second * (1 - second))


def _count(n: int, share: float) -> int:
    return math.floor(n * share + 0.5)


def _choose(rows: Tensor, count: int, n: int, generator: torch.Generator) -> Tensor:
    """Return (n,) bool, true at `count` of the rows, drawn at random."""
    chosen = torch.zeros(n, dtype=torch.bool)
    chosen[rows[torch.randperm(len(rows), generator=generator)[:count]]] = True
    return chosen


def _follow(
    parent: Tensor, parent_share: float, share: float, phi: float, generator: torch.Generator
) -> Tensor:
    """Return (n,) bool with the given share and the given phi to the parent."""
    n, with_parent = len(parent), int(parent.sum())
    total = _count(n, share)
    both = _count(n, parent_share * share + phi * _scale(parent_share, share))
    both = min(max(both, 0, total - (n - with_parent)), total, with_parent)
    among = _choose(parent.nonzero().squeeze(1), both, n, generator)
    return among | _choose((~parent).nonzero().squeeze(1), total - both, n, generator)


def _checked_prevalences(n: int, names: tuple[str, ...], given: Mapping[str, float]) -> dict[str, float]:
    shares = dict.fromkeys(names, 0.5)
    for name, share in given.items():
        check_choice(name, "prevalences", names)
        check_number(share, f"prevalences[{name!r}]", above=0.0)
        if not 0 < _count(n, share) < n:
            raise ValueError(
                f"prevalences[{name!r}]: expected a share in (0, 1) that leaves both values among {n} rows, "
                f"got {share}; change the share or draw more rows"
            )
        shares[name] = float(share)
    return shares


def _checked_pairs(
    names: tuple[str, ...], shares: dict[str, float], correlations: Mapping[tuple[str, str], float]
) -> dict[str, list[tuple[str, float]]]:
    """Return for every attribute those tied to it, after checking that the ties exist, fit, form no loop."""
    neighbors: dict[str, list[tuple[str, float]]] = {name: [] for name in names}
    family = {name: name for name in names}
    for pair, phi in correlations.items():
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(f"correlations: expected pairs of names as keys, got {pair!r}")
        first, second = pair
        for name in pair:
            check_choice(name, "correlations", names)
        check_number(phi, f"correlations[{pair!r}]", at_least=-1.0, at_most=1.0)
        if family[first] == family[second]:
            raise ValueError(
                f"correlations: expected pairs that form no loop, got {pair!r} although these are tied; "
                "leave it out, it follows from the others"
            )
        low, high = phi_range(shares[first], shares[second])
        if not low - _SLACK <= phi <= high + _SLACK:
            raise ValueError(
                f"correlations[{pair!r}]: expected a phi in [{low:.3f}, {high:.3f}] for prevalences "
                f"{shares[first]:g} and {shares[second]:g}, got {phi:g}; bring the prevalences closer"
            )
        old, new = family[second], family[first]
        family = {name: new if tied == old else tied for name, tied in family.items()}
        neighbors[first].append((second, float(phi)))
        neighbors[second].append((first, float(phi)))
    return neighbors
