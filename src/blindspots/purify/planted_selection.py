"""How often new points are given to the cluster they come from, on clusters that are planted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.purify.semantic_clusters import COVARIANCES, fit_semantic_clusters


def planted_selection(
    sizes: Sequence[int],
    dimension: int,
    *,
    covariance: str,
    separation: float | int = 10.0,
    n_new: int = 100,
    generator: torch.Generator,
) -> Float[Tensor, "J J"]:
    r"""Fit known Gaussian clusters of given sizes and return where new points of each go.

    Cluster j is a normal distribution with unit covariance around (separation / sqrt 2) e_j, so that every two means
    are `separation` standard deviations apart. Each cluster is fitted on sizes[j] samples, with its membership known,
    and n_new further samples are assigned by the rule.

    Args:
        sizes: samples that each of J clusters is fitted on, each at least 1; J at least 2.
        dimension: D, at least J.
        covariance: the rule, see `fit_semantic_clusters`.
        separation: distance of the means in standard deviations, > 0. At 10 the nearest mean is practically always
            the right one.
        n_new: points drawn from each cluster afterwards, at least 1.
        generator: CPU generator; the same one gives every rule the same points.

    Returns:
        (J, J), float64, on the CPU: row = cluster the points come from, column = cluster they are given, shares that
        sum to 1 in each row. The diagonal is the selection's accuracy.

    Raises:
        TypeError, ValueError: an option out of range, or fewer dimensions than clusters.

    Source: ours; P1 reports neither the sizes of its clusters nor how often the right one is chosen.
    """
    checks.check_number(len(sizes), "number of sizes", at_least=2, integer=True)
    for size in sizes:
        checks.check_number(size, "sizes", at_least=1, integer=True)
    checks.check_number(dimension, "dimension", at_least=1, integer=True)
    if dimension < len(sizes):
        raise ValueError(
            f"dimension: expected at least one for each of {len(sizes)} clusters, got {dimension}; use fewer clusters"
        )
    checks.check_choice(covariance, "covariance", COVARIANCES)
    checks.check_number(separation, "separation", above=0.0)
    checks.check_number(n_new, "n_new", at_least=1, integer=True)
    checks.check_generator(generator)
    n_clusters = len(sizes)
    means = separation / 2**0.5 * torch.eye(n_clusters, dimension, dtype=torch.float64)
    sources = torch.arange(n_clusters)
    members = sources.repeat_interleave(torch.tensor(list(sizes)))
    fresh = sources.repeat_interleave(n_new)
    noise = torch.randn(len(members) + len(fresh), dimension, generator=generator, dtype=torch.float64)
    points = means[torch.cat([members, fresh])] + noise
    # One cluster in each class: what is fitted is the distributions only, not the membership.
    clusters = fit_semantic_clusters(
        points[: len(members)], members, max_clusters=1, covariance=covariance, generator=generator
    )
    given = clusters.assign(points[len(members) :]).view(n_clusters, n_new)
    return torch.stack([row.bincount(minlength=n_clusters) for row in given]).double() / n_new
