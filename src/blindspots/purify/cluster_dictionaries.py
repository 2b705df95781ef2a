"""One dictionary for each cluster of images, learned on what the purifier will code."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.purify.learn_dictionary import DictionaryFit, learn_dictionary
from blindspots.purify.tikhonov import tikhonov_split

DICTIONARY_INPUTS = ("high", "raw")


@dataclass(frozen=True)
class ClusterDictionaries:
    """A dictionary for each of J clusters.

    Attributes:
        dictionaries: (J, M, C, h, w), filters of unit norm.
        n_images: (J,), how many images each was learned on; fewer than asked where the cluster has no more.
        fits: the J fits, with their objectives and whether they converged.
    """

    dictionaries: Float[Tensor, "J M C h w"]
    n_images: Int[Tensor, " J"]
    fits: tuple[DictionaryFit, ...] = field(repr=False)


def fit_cluster_dictionaries(
    images: Tensor,
    assignments: Tensor,
    n_filters: int,
    filter_size: int | tuple[int, ...],
    lmbda: float | int,
    *,
    generator: torch.Generator,
    n_clusters: int | None = None,
    images_per_cluster: int | None = None,
    dictionary_input: str = "high",
    max_iterations: int = 100,
    tolerance: float | int = 2e-2,
    batch_size: int = 32,
    per_channel: bool = False,
    initial: Tensor | None = None,
) -> ClusterDictionaries:
    """Learn a convolutional dictionary on the images of each cluster.

    A cluster with more images than images_per_cluster gives that many of them, drawn without repetition; one with
    fewer gives all it has, be it one, and `n_images` says so: nothing is borrowed from other clusters and no
    image is repeated. What such a dictionary has not seen, it cannot code well; judge it on images held out. A
    cluster without images is refused.

    Args:
        images: (N, C, H, W) in [0, 1], clean.
        assignments: (N,), the cluster of each, 0 to J - 1, such as `SemanticClusters.members`.
        n_filters: M, filters of each dictionary.
        filter_size: see `learn_dictionary`.
        lmbda: see `learn_dictionary`; the one the purifier will code with.
        generator: CPU generator. Each cluster gets a stream of its own, so that its dictionary does not depend on
            the images of others.
        n_clusters: J; None = the largest of assignments, plus 1.
        images_per_cluster: most images to learn a dictionary on, at least 1; None = all.
        dictionary_input: "high" learns on the high-pass parts (`tikhonov_split` with its defaults), which is what
            is coded later; "raw" on the images themselves.
        max_iterations: see `learn_dictionary`.
        tolerance: see `learn_dictionary`.
        batch_size: see `learn_dictionary`.
        per_channel: see `learn_dictionary`.
        initial: filters that every dictionary starts from, see `learn_dictionary`; for small clusters those
            learned on all images make a start.

    Returns:
        ClusterDictionaries, in the dtype and on the device of images.

    Raises:
        TypeError, ValueError: bad images, assignments or options; a cluster without images, or whose images have
            nothing to learn from, such as constant ones.

    Source: P1 Stage I, Algorithm 1 (CDL of the images of a cluster) and Eq. 5.
    Differs from the paper: Eq. 5 and Algorithm 1 learn on whole images, but Eq. 8 codes their high-frequency part;
    the default learns on the latter, "raw" is what is printed.
    """
    checks.check_images(images)
    checks.check_labels(assignments, len(images), name="assignments")
    checks.check_generator(generator)
    checks.check_choice(dictionary_input, "dictionary_input", DICTIONARY_INPUTS)
    if images_per_cluster is not None:
        checks.check_number(images_per_cluster, "images_per_cluster", at_least=1, integer=True)
    if n_clusters is None:
        n_clusters = int(assignments.max()) + 1
    checks.check_number(n_clusters, "n_clusters", at_least=1, integer=True)
    checks.check_labels(assignments, len(images), n_classes=n_clusters, name="assignments")
    counts = assignments.bincount(minlength=n_clusters)
    if not counts.all():
        raise ValueError(
            f"assignments: expected images in each of {n_clusters} clusters, got none in cluster "
            f"{int((counts == 0).nonzero()[0])}; leave it out and renumber the rest"
        )
    parts = []
    seeds = torch.randint(2**62, (n_clusters,), generator=generator).tolist()
    draws = [torch.Generator().manual_seed(seed) for seed in seeds]
    for cluster, draw in enumerate(draws):
        mine = (assignments == cluster).nonzero().flatten()
        if images_per_cluster is not None and len(mine) > images_per_cluster:
            kept = torch.randperm(len(mine), generator=draw)[:images_per_cluster].sort().values
            mine = mine[kept.to(mine.device)]
        part = images[mine].detach()
        part = tikhonov_split(part)[1] if dictionary_input == "high" else part
        # A constant image leaves a high-pass part of rounding errors, which is nothing to learn from.
        if part.abs().max() <= 1e3 * torch.finfo(part.dtype).eps:
            raise ValueError(
                f"images: expected something to learn from in cluster {cluster}, got constant images; leave it out"
            )
        parts.append(part)

    fits = tuple(
        learn_dictionary(
            part,
            n_filters,
            filter_size,
            lmbda,
            generator=draw,
            max_iterations=max_iterations,
            tolerance=tolerance,
            batch_size=batch_size,
            per_channel=per_channel,
            initial=initial,
        )
        for part, draw in zip(parts, draws, strict=True)
    )
    return ClusterDictionaries(
        dictionaries=torch.stack([fit.dictionary for fit in fits]),
        n_images=torch.tensor([len(part) for part in parts], device=images.device),
        fits=fits,
    )
