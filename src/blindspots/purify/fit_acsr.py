"""Stages I and II of ACSR in one call: clusters, their dictionaries, the robust model, and the purifier they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from blindspots import checks
from blindspots.cache import cached_tensors
from blindspots.fingerprint import fingerprint
from blindspots.purify.acsr import AcsrPurifier, acsr_purifier
from blindspots.purify.cached_robust_training import trained_robust_classifier
from blindspots.purify.cluster_dictionaries import fit_cluster_dictionaries
from blindspots.purify.robust_run import RobustTraining
from blindspots.purify.robust_semantic_training import Augment, check_robust_training
from blindspots.purify.semantic_clusters import SemanticClusters, fit_semantic_clusters
from blindspots.purify.training_attack import TrainingAttack
from blindspots.seeding import generator

_PAPER_ATTACK = TrainingAttack()

Features = Callable[[Any, Tensor], Tensor]
"""(model, images (N, C, H, W) in [0, 1]) -> penultimate features (N, D), in evaluation mode."""


@dataclass(frozen=True)
class AcsrStages:
    """What the purifier is made of.

    Attributes:
        clusters: J semantic clusters of the baseline's features; `clusters.members` (N,) says which image is where.
        dictionaries: (J, M, C, h, w), one for each cluster, filters of unit norm.
        n_images: (J,), how many images each dictionary was learned on.
        global_dictionary: (M, C, h, w), learned on as many images as all J together, drawn from all clusters: the
            ablation that asks whether clusters matter.
        robust: f_rob, the baseline after robust semantic training.
        training: how that training went.
        purifier: the nearest cluster by the features of `robust`, its dictionary.
    """

    clusters: SemanticClusters = field(repr=False)
    dictionaries: Float[Tensor, "J M C h w"] = field(repr=False)
    n_images: Int[Tensor, " J"]
    global_dictionary: Float[Tensor, "M C h w"] = field(repr=False)
    robust: nn.Module = field(repr=False)
    training: RobustTraining = field(repr=False)
    purifier: AcsrPurifier


def fit_acsr(
    baseline: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    features: Features,
    data_sha256: str | Sequence[str] = (),
    max_clusters: int = 10,
    covariance: str = "ledoit_wolf",
    n_filters: int = 64,
    filter_size: int = 8,
    lmbda: float | int = 0.2,
    images_per_cluster: int | None = 100,
    dictionary_iterations: int = 100,
    alpha: float | int = 0.01,
    attack: TrainingAttack = _PAPER_ATTACK,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | int = 0.05,
    augment: Augment | None = None,
    coding_iterations: int = 200,
    seed: int,
    progress: bool = True,
    directory: str | Path | None = None,
) -> AcsrStages:
    """Run stages I and II of ACSR on clean images and return the purifier of stage III.

    The features of the baseline are clustered within each class, a dictionary is learned for each cluster, and the
    baseline's weights are where robust semantic training starts. The dictionaries and the robust model come from the
    cache where the same were made before; an interrupted robust training goes on from its last epoch.

    Args:
        baseline: f_bsl, trained on clean images; with `encode` and `head`. Left as it is.
        images: (N, C, H, W) in [0, 1], clean, on the baseline's device.
        labels: (N,), 0 to K - 1.
        features: (model, images) -> penultimate features (N, D), such as `models.compute_features`.
        data_sha256: fingerprints of the sets the images come from (their cards'), kept in the cache's key.
        max_clusters, covariance: see `fit_semantic_clusters`.
        n_filters, filter_size, images_per_cluster: see `fit_cluster_dictionaries`.
        lmbda: weight of the l1 term, for learning and for coding alike.
        dictionary_iterations: cap on the alternations of dictionary learning.
        alpha, attack, epochs, batch_size, learning_rate, augment: see `robust_semantic_training`.
        coding_iterations: cap on the iterations of the purifier's sparse coding.
        seed: decides k-means, dictionaries and training, each from a stream of its own.
        progress: show a bar of the training.
        directory: the cache's folder; None for the usual one.

    Returns:
        AcsrStages, on the device of images.

    Raises:
        TypeError, ValueError: as the stages do; features of another length than images.
        OSError: the cache's folder cannot be written to.

    Source: P1, Algorithm 1, stages I and II; 64 filters of 8 x 8 and lmbda 0.2 are those of the code of Sun et al.
    (2019), the attack (l2, 0.3, 10 steps) is the paper's.
    Differs from the paper: it gives no largest number of clusters, no alpha, no epochs and no filters; the robust
    model starts from the baseline, so that its features lie near the clusters from the first epoch. At most
    `images_per_cluster` images make a dictionary.
    """
    checks.check_images(images)
    checks.check_labels(labels, len(images))
    checks.check_number(alpha, "alpha", at_least=0.0)
    checks.check_number(coding_iterations, "coding_iterations", at_least=1, integer=True)
    training_options = dict(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    # The clusters are not there yet; all else that training would refuse is refused before any dictionary is learned.
    check_robust_training(
        baseline, images, labels, None, None, alpha=None, semantic=False, attack=attack, objective="pgd", beta=None,
        include_distance_in_attack=False, weight_decay=0.0, **training_options,
    )  # fmt: skip
    prints = [data_sha256] if isinstance(data_sha256, str) else list(data_sha256)
    clean = features(baseline, images)
    if not isinstance(clean, Tensor) or len(clean) != len(images):
        got = tuple(clean.shape) if isinstance(clean, Tensor) else type(clean).__name__
        raise ValueError(f"features: expected one row for each of {len(images)} images, got {got}")
    clusters = fit_semantic_clusters(
        clean, labels, max_clusters=max_clusters, covariance=covariance, generator=generator(seed, "semantic clusters")
    )

    def dictionaries(assignments: Tensor, most: int | None) -> tuple[Tensor, Tensor]:
        options = dict(
            n_filters=n_filters, filter_size=filter_size, lmbda=float(lmbda), images_per_cluster=most,
            max_iterations=dictionary_iterations,
        )  # fmt: skip

        def build() -> dict[str, Tensor]:
            found = fit_cluster_dictionaries(
                images, assignments, generator=generator(seed, "cluster dictionaries"), **options
            )
            return {"dictionaries": found.dictionaries, "n_images": found.n_images}

        entry = cached_tensors(
            "cluster-dictionaries", build, data=[*prints, fingerprint(images, assignments)], directory=directory,
            parameters=options | {"seed": seed, "device": images.device.type}, sources=[fit_cluster_dictionaries],
        )  # fmt: skip
        return entry.tensors["dictionaries"].to(images.device), entry.tensors["n_images"].to(images.device)

    each, n_images = dictionaries(clusters.members, images_per_cluster)
    whole, _ = dictionaries(torch.zeros_like(clusters.members), int(n_images.sum()))
    robust, training = trained_robust_classifier(
        baseline, images, labels, clusters.members, clusters, data_sha256=prints, alpha=alpha, attack=attack,
        augment=augment, progress=progress, directory=directory, **training_options,
    )  # fmt: skip
    purifier = acsr_purifier(robust.encode, clusters, list(each), lmbda=lmbda, max_iterations=coding_iterations)
    return AcsrStages(clusters, each, n_images, whole[0], robust, training, purifier)
