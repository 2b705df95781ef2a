"""The sparse transformation layer as published: strata of images by an encoder's features, a dictionary for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from sklearn.cluster import KMeans
from torch import Tensor

from blindspots import checks
from blindspots.cache import cached_tensors
from blindspots.fingerprint import fingerprint
from blindspots.purify.cluster_dictionaries import fit_cluster_dictionaries
from blindspots.purify.stl import SparseTransformation, stl_purifier, stratum_features
from blindspots.seeding import derive_seed, generator


def fit_stl(
    images: Tensor,
    encode: Callable[[Tensor], Tensor] | None = None,
    *,
    n_strata: int = 1,
    side: int = 64,
    n_filters: int = 64,
    filter_size: int = 8,
    lmbda: float | int = 0.2,
    images_per_stratum: int | None = 100,
    dictionary_iterations: int = 100,
    coding_iterations: int = 200,
    data_sha256: str | Sequence[str] = (),
    seed: int,
    directory: str | Path | None = None,
) -> SparseTransformation:
    """Sort clean images into strata, learn a dictionary on each, and return the purifier they make.

    The dictionaries come from the cache where the same were learned before.

    Args:
        images: (N, C, H, W) in [0, 1], clean.
        encode: images (n, C, side, side) -> features (n, D), the encoder of a denoising autoencoder; None with one
            stratum.
        n_strata: S, at least 1 and at most N.
        side: see `stl_purifier`.
        n_filters, filter_size: of each dictionary.
        lmbda: weight of the l1 term, for learning and for coding alike, > 0.
        images_per_stratum: the most that a dictionary is learned on; None = all.
        dictionary_iterations: cap on the alternations of dictionary learning.
        coding_iterations: cap on the iterations of the purifier's sparse coding.
        data_sha256: fingerprints of the sets the images come from, kept in the cache's key.
        seed: decides k-means and the dictionaries.
        directory: the cache's folder; None for the usual one.

    Returns:
        SparseTransformation. A stratum that k-means leaves empty has no dictionary and no center.

    Raises:
        TypeError, ValueError: bad images or options; several strata without an encoder.
        OSError: the cache's folder cannot be written to.

    Source: Sun et al. (2019), Section 3: strata of a denoising autoencoder's features at 64 x 64 pixels.
    Differs from the paper: its code has one dictionary; how many strata its text means cannot be read from it. The
    strata are those of k-means.
    """
    checks.check_images(images)
    checks.check_number(n_strata, "n_strata", at_least=1, at_most=len(images), integer=True)
    checks.check_number(lmbda, "lmbda", above=0.0)
    if n_strata > 1 and encode is None:
        raise ValueError(f"encode: expected an encoder, because {n_strata} strata need features, got None; pass it")
    centers, strata = None, torch.zeros(len(images), dtype=torch.long)
    if n_strata > 1:
        features = stratum_features(images, encode, side=side).double().cpu()
        means = KMeans(n_strata, n_init=4, random_state=derive_seed(seed, "strata") % 2**32).fit(features.numpy())
        found, strata = torch.from_numpy(means.labels_).long().unique(return_inverse=True)
        centers = torch.from_numpy(means.cluster_centers_)[found]
    options = dict(
        n_filters=n_filters, filter_size=filter_size, lmbda=float(lmbda), images_per_cluster=images_per_stratum,
        max_iterations=dictionary_iterations,
    )  # fmt: skip

    def build() -> dict[str, Tensor]:
        draws = generator(seed, "stratum dictionaries")
        learned = fit_cluster_dictionaries(images, strata.to(images.device), generator=draws, **options)
        return {"dictionaries": learned.dictionaries}

    prints = [data_sha256] if isinstance(data_sha256, str) else list(data_sha256)
    entry = cached_tensors(
        "stratum-dictionaries", build, data=[*prints, fingerprint(images, strata)], directory=directory,
        parameters=options | {"seed": seed, "device": images.device.type}, sources=[fit_cluster_dictionaries],
    )  # fmt: skip
    dictionaries = list(entry.tensors["dictionaries"].to(images.device))
    if len(dictionaries) == 1:
        return stl_purifier(dictionaries[0], side=side, lmbda=lmbda, max_iterations=coding_iterations)
    return stl_purifier(
        dictionaries, encode=encode, centers=centers, side=side, lmbda=lmbda, max_iterations=coding_iterations
    )
