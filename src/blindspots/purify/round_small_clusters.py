"""Clusters of so few images that no shrinkage can be estimated, given a round covariance instead."""

from __future__ import annotations

from dataclasses import replace

import torch

from blindspots import checks
from blindspots.purify.semantic_clusters import SemanticClusters


def round_small_clusters(clusters: SemanticClusters, *, at_most: int = 2) -> SemanticClusters:
    r"""Give clusters of few images the covariance v I, with v the mean variance within all clusters.

    Ledoit and Wolf estimate the shrinkage from how much the outer products of the samples differ. Two samples lie
    opposite each other around their mean, so their outer products are equal, the shrinkage is 0 whatever they are,
    and the covariance has rank one: every other direction is almost infinitely far. `fit_semantic_clusters` gives a
    cluster of one image the variance used here; this does the same for two.

    Args:
        clusters: fitted with covariance "ledoit_wolf".
        at_most: clusters of up to this many images are changed, at least 1.

    Returns:
        The same clusters, with other covariances, precisions and log-determinants for the small ones.

    Raises:
        ValueError: clusters of another covariance, or a bad size.

    Source: ours. Shrinkage: Ledoit and Wolf (2004).
    """
    checks.check_number(at_most, "at_most", at_least=1, integer=True)
    if clusters.covariance != "ledoit_wolf":
        raise ValueError(
            f"clusters: expected covariance 'ledoit_wolf', the one that shrinks, got {clusters.covariance!r}"
        )
    dimensions = clusters.means.shape[1]
    variances = clusters.covariances.diagonal(dim1=1, dim2=2).mean(dim=1)
    sizes = clusters.sizes.to(variances)
    variance = (variances * sizes).sum() / sizes.sum()
    small = clusters.sizes <= at_most
    identity = torch.eye(dimensions, dtype=variances.dtype, device=variances.device)
    flat = small[:, None, None]
    return replace(
        clusters,
        covariances=torch.where(flat, variance * identity, clusters.covariances),
        precisions=torch.where(flat, identity / variance, clusters.precisions),
        log_determinants=torch.where(small, dimensions * variance.log(), clusters.log_determinants),
    )
