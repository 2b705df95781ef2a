"""P1's purifier: keep the low frequencies, and say the rest again in the words of the nearest cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.purify.cbpdn import cbpdn, synthesize_codes
from blindspots.purify.straight_through import straight_through
from blindspots.purify.tikhonov import tikhonov_split
from blindspots.purify.unrolled_cbpdn import unrolled_cbpdn
from blindspots.types import Counts, Flags, Images, Scores

CHOICES = ("nearest", "random")
_CHUNK_CODES = 1 << 24  # coefficients held at once; 64 MiB in float32


@runtime_checkable
class Clusters(Protocol):
    """What matching needs of the semantic clusters of stage I."""

    def __len__(self) -> int:
        """Return the number of clusters J."""
        ...

    def assign(self, features: Tensor) -> Tensor:
        """Return the index (N,) of the nearest of all J clusters for features (N, D)."""
        ...


@dataclass(frozen=True)
class Purification:
    """Purified images and how they came about.

    Attributes:
        images: (N, C, H, W) in [0, 1], low + reconstructed, clamped.
        low: (N, C, H, W), the low-pass part, kept as it was.
        high: (N, C, H, W), the rest of the given images.
        reconstructed: (N, C, H, W), what stands for the rest, from the cluster's dictionary.
        cluster: (N,), whose dictionary was used, 0 to J - 1.
        nonzero: (N,) in [0, 1], share of the coefficients that are not 0.
        iterations: (N,), of the sparse coding.
        converged: (N,), whether the sparse coding met its tolerance.
        seconds: wall time for all N, the matching included.
    """

    images: Images
    low: Images
    high: Images
    reconstructed: Images
    cluster: Counts
    nonzero: Scores
    iterations: Counts
    converged: Flags
    seconds: float


@dataclass(frozen=True)
class AcsrPurifier:
    """A purifier made by `acsr_purifier`: images (N, C, H, W) in [0, 1] -> images."""

    encode: Callable[[Tensor], Tensor] | None = field(repr=False)
    clusters: Clusters | None = field(repr=False)
    dictionaries: tuple[Tensor, ...] = field(repr=False)
    lmbda: float
    tikhonov: float
    pad: int
    choose: str | Tensor
    generator: torch.Generator | None = field(repr=False)
    max_iterations: int
    tolerance: float
    unrolled_iterations: int

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Images:
        """Return images purified; no gradient flows through.

        Raises:
            TypeError, ValueError: not float images in [0, 1], or not as many as clusters were given for.
        """
        return self.in_detail(images).images

    @torch.no_grad()
    def in_detail(self, images: Tensor) -> Purification:
        """Return images purified, with the parts they were put together from.

        Raises:
            TypeError, ValueError: not float images in [0, 1], or not as many as clusters were given for.
        """
        checks.check_images(images)
        started = time.perf_counter()
        images = images.detach()
        cluster = self._choice(images)
        low, high = self.low_and_high(images)
        rebuilt, nonzero = torch.zeros_like(high), high.new_zeros(len(high))
        iterations = torch.zeros_like(cluster)
        converged = torch.zeros_like(cluster, dtype=torch.bool)
        for which, members in self._groups(cluster, high):
            dictionary = self.dictionaries[which].to(high)
            fit = cbpdn(
                high[members], dictionary, self.lmbda, max_iterations=self.max_iterations, tolerance=self.tolerance
            )
            rebuilt[members] = fit.synthesize()
            nonzero[members] = (fit.codes != 0).flatten(1).float().mean(dim=1).to(nonzero)
            iterations[members], converged[members] = fit.iterations, fit.converged
        purified = (low + rebuilt).clamp(0.0, 1.0)
        if images.device.type == "cuda":
            torch.cuda.synchronize(images.device)
        return Purification(
            purified, low, high, rebuilt, cluster, nonzero, iterations, converged, time.perf_counter() - started
        )

    def low_and_high(self, images: Tensor) -> tuple[Images, Images]:
        """Return the low-pass part that purifying keeps and the rest, differentiable in images."""
        return tikhonov_split(images, weight=self.tikhonov, pad=self.pad)

    def unrolled(self, images: Tensor) -> Images:
        """Return exactly what purifying returns, with a gradient through an unrolled solver.

        The choice of the cluster has no gradient (it is constant almost everywhere), the split and the clamp have
        their own, and the sparse coding has that of `unrolled_cbpdn` with `unrolled_iterations`.

        Raises:
            TypeError, ValueError: as calling it.
        """
        found = self.in_detail(images)
        low, high = self.low_and_high(images)
        members_of, parts = [], []
        for which, members in self._groups(found.cluster, high):
            dictionary = self.dictionaries[which].detach().to(high)
            codes = unrolled_cbpdn(high[members], dictionary, self.lmbda, iterations=self.unrolled_iterations)
            members_of.append(members)
            parts.append(synthesize_codes(codes, dictionary))
        rebuilt = torch.cat(parts)[torch.cat(members_of).argsort()]
        # The clamp's slope is taken where the true output is, so that both agree on what has been cut off.
        total = straight_through(found.low + found.reconstructed, low + rebuilt)
        return total.clamp(0.0, 1.0)

    def _choice(self, images: Images) -> Counts:
        n, count = len(images), len(self.dictionaries)
        if isinstance(self.choose, Tensor):
            if len(self.choose) != n:
                raise ValueError(
                    f"images: expected {len(self.choose)}, as many as clusters were given for, got {n}; "
                    "make a purifier for these images"
                )
            return self.choose.to(images.device, torch.long)
        if self.choose == "random":
            return torch.randint(count, (n,), generator=self.generator).to(images.device)
        if count == 1:
            return torch.zeros(n, dtype=torch.long, device=images.device)
        owner = getattr(self.encode, "__self__", self.encode)
        with judged(owner):
            features = self.encode(images)
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != n:
            got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise ValueError(f"encode: expected features ({n}, D), got {got}; flatten them to one row per image")
        return self.clusters.assign(features).to(images.device, torch.long)

    def _groups(self, cluster: Counts, high: Images) -> list[tuple[int, Tensor]]:
        """Return (dictionary, indices of images) pairs that cover all images, none too large to hold its codes."""
        groups = []
        for which in cluster.unique().tolist():
            dictionary = self.dictionaries[which]
            maps = len(dictionary) * (high.shape[1] if dictionary.shape[1] == 1 else 1)
            size = max(1, _CHUNK_CODES // (maps * high.shape[-2] * high.shape[-1]))
            groups += [(which, part) for part in (cluster == which).nonzero().flatten().split(size)]
        return groups


def acsr_purifier(
    encode: Callable[[Tensor], Tensor] | None,
    clusters: Clusters | None,
    dictionaries: Sequence[Tensor],
    *,
    lmbda: float | int = 0.2,
    tikhonov: float | int = 5.0,
    pad: int = 16,
    choose: str | Tensor = "nearest",
    generator: torch.Generator | None = None,
    max_iterations: int = 200,
    tolerance: float | int = 5e-3,
    unrolled_iterations: int = 50,
) -> AcsrPurifier:
    r"""Make the purifier of robust semantic features (ACSR, stage III).

    For each image x, with R its robust features,
        j = the nearest of all clusters to R(x),
        x_low, x_high = tikhonov_split(x),
        r = argmin (1/2) ||sum_m d_m * r_m - x_high||_2^2 + lmbda sum_m ||r_m||_1,   d of cluster j,
        x_pur = x_low + sum_m d_m * r_m                                                         (P1 Eq. 8),
    clamped to [0, 1]. Every image is purified, clean or attacked; images of one cluster are coded together.

    Args:
        encode: images (N, C, H, W) in [0, 1] -> robust features (N, D), such as `model.encode`; its model is asked
            in evaluation mode. None where it is not needed: one dictionary, or `choose` not "nearest".
        clusters: fitted on clean images; its `assign` chooses among all clusters of all classes. None as above.
        dictionaries: J tensors (M, C, h, w), or (M, 1, h, w) to code each channel alone, one per cluster; moved to
            the images' device and dtype. A single one is the global dictionary of the ablation.
        lmbda: weight of the l1 term in units of the [0, 1] range, > 0. Larger discards more.
        tikhonov: weight of the split's squared differences, > 0. Larger leaves more to be coded.
        pad: see `tikhonov_split`.
        choose: "nearest"; "random", uniformly, each time anew; or the clusters to take (N,), for N images at a
            time.
        generator: CPU generator for "random", None otherwise.
        max_iterations: see `cbpdn`.
        tolerance: see `cbpdn`.
        unrolled_iterations: for the gradient of `unrolled` only, at least 1.

    Returns:
        AcsrPurifier, a Callable[[Images], Images], with `in_detail(images)` and `unrolled(images)`.

    Raises:
        TypeError, ValueError: no dictionary, one that is none, another number than clusters, an option out of
            range, or an argument that `choose` does not use.

    Source: P1, Robust Semantic Feature Purification, Eq. 8, and Algorithm 1, stage III; lmbda, weight and pad are
    those of the code of Sun et al. (2019), whose setting P1 follows.
    Differs from the paper: it clamps nothing, and prints "argmin of the Mahalanobis distance", which is what
    clusters with the covariance "paper_pinv" assign by; others assign by their own score.
    """
    _check_dictionaries(dictionaries)
    count = len(dictionaries)
    checks.check_number(lmbda, "lmbda", above=0.0)
    checks.check_number(tikhonov, "tikhonov", above=0.0)
    checks.check_number(pad, "pad", at_least=0, integer=True)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)
    checks.check_number(tolerance, "tolerance", above=0.0)
    checks.check_number(unrolled_iterations, "unrolled_iterations", at_least=1, integer=True)
    if isinstance(choose, Tensor):
        checks.check_labels(choose, choose.numel(), n_classes=count, name="choose")
        choose = choose.detach().clone()
    else:
        checks.check_choice(choose, "choose", CHOICES)
    if isinstance(choose, str) and choose == "random":
        checks.check_generator(generator)
    elif generator is not None:
        raise ValueError('generator: expected None, because only choose="random" draws, got a generator')
    if isinstance(choose, str) and choose == "nearest" and count > 1:
        if not callable(encode):
            raise TypeError(f"encode: expected images -> features, got {type(encode).__name__}; use model.encode")
        if not callable(getattr(clusters, "assign", None)):
            raise TypeError(f"clusters: expected semantic clusters with .assign, got {type(clusters).__name__}")
    if clusters is not None and len(clusters) != count and count > 1:
        raise ValueError(
            f"dictionaries: expected {len(clusters)}, one per cluster, or a single one, got {count}; "
            "learn one for each cluster"
        )
    return AcsrPurifier(
        encode=encode, clusters=clusters, dictionaries=tuple(part.detach() for part in dictionaries),
        lmbda=float(lmbda), tikhonov=float(tikhonov), pad=pad, choose=choose, generator=generator,
        max_iterations=max_iterations, tolerance=float(tolerance), unrolled_iterations=unrolled_iterations,
    )  # fmt: skip


def _check_dictionaries(dictionaries: Sequence[Tensor]) -> None:
    if isinstance(dictionaries, Tensor) or not isinstance(dictionaries, Sequence):
        raise TypeError(
            f"dictionaries: expected a list of tensors (M, C, h, w), got {type(dictionaries).__name__}; "
            "put a single one in a list"
        )
    if not dictionaries:
        raise ValueError("dictionaries: expected at least one, got none; learn one for each cluster")
    for index, dictionary in enumerate(dictionaries):
        checks.check_images(dictionary, f"dictionaries[{index}]", unit_range=False)
