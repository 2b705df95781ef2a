"""How often features of clean and of attacked images are matched with the same semantic cluster."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.purify.semantic_clusters import SemanticClusters


@dataclass(frozen=True)
class ClusterAgreement:
    """Shares in [0, 1] of the N images, and how many clusters they were spread over.

    Attributes:
        same: clean and attacked features are assigned to the same cluster.
        reference: attacked features are assigned to the cluster that is given as the image's own.
        right_class: attacked features are assigned to a cluster of the image's class.
        chance: agreement of clean and attacked assignments if they were drawn independently with their own
            frequencies; 1 if all images are in one cluster, whatever it is.
        n_used: clusters that at least one attacked image is assigned to.
    """

    same: float
    reference: float
    right_class: float
    chance: float
    n_used: int

    @property
    def beyond_chance(self) -> float:
        """(same - chance) / (1 - chance), Cohen's kappa; 0 where chance alone gives 1."""
        return (self.same - self.chance) / (1.0 - self.chance) if self.chance < 1.0 else 0.0


def cluster_agreement(
    clusters: SemanticClusters, clean: Tensor, attacked: Tensor, own: Tensor, labels: Tensor
) -> ClusterAgreement:
    """Assign features of the same images, clean and attacked, and count where they agree.

    Args:
        clusters: of stage I.
        clean: (N, D), features of clean images by the encoder that matches, robust or not.
        attacked: (N, D), features of the attacked images by the same encoder.
        own: (N,), the cluster of each image, 0 to J - 1: what the baseline's clean features are assigned to.
        labels: (N,), classes.

    Raises:
        TypeError, ValueError: bad features, clusters' indices or labels.

    Source: P1 stage III matches R_rob(x') with clusters of the baseline's features; it does not say how often
    that finds the cluster of the clean image.
    """
    if not isinstance(attacked, Tensor) or not isinstance(clean, Tensor) or clean.shape != attacked.shape:
        got = tuple(getattr(attacked, "shape", ()))
        raise ValueError(f"attacked: expected features of the shape of clean, got {got}; pass the same images")
    if len(clean) == 0:
        raise ValueError("clean: expected at least one image, got none")
    checks.check_labels(own, len(clean), n_classes=len(clusters), name="own")
    checks.check_labels(labels, len(clean))
    before, after = clusters.assign(clean), clusters.assign(attacked)
    shares = [torch.bincount(found, minlength=len(clusters)).double() / len(found) for found in (before, after)]
    return ClusterAgreement(
        same=(before == after).double().mean().item(),
        reference=(after == own.to(after.device)).double().mean().item(),
        right_class=(clusters.classes[after] == labels.to(after.device)).double().mean().item(),
        chance=(shares[0] * shares[1]).sum().item(),
        n_used=int((shares[1] > 0).sum()),
    )
