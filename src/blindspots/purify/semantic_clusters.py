"""Clusters of features within each class, and how far other features are from each."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.cluster import KMeans
from sklearn.covariance import ledoit_wolf
from torch import Tensor

from blindspots import checks
from blindspots.purify.elbow import elbow

COVARIANCES = ("ledoit_wolf", "paper_pinv", "euclidean")
_EPSILON = 1e-6
_LEAST_SHARE = 1e-6


@dataclass(frozen=True)
class SemanticClusters:
    """Clusters (J of them, class by class) of features, each with a mean and a precision.

    Attributes:
        means: (J, D).
        covariances: (J, D, D), as estimated by `covariance`; the identity if "euclidean".
        precisions: (J, D, D), their inverses, or pseudo-inverses if "paper_pinv".
        log_determinants: (J,), of the covariances; 0 unless "ledoit_wolf", the only one whose score has this term.
        classes: (J,), the class each cluster belongs to, ascending.
        sizes: (J,), how many samples each has.
        members: (N,), the cluster of each sample they were fitted on.
        wcss: for each class, the within-cluster sum of squares for 1, 2, ... clusters.
        covariance: the rule, "ledoit_wolf", "paper_pinv" or "euclidean".
    """

    means: Float[Tensor, "J D"]
    covariances: Float[Tensor, "J D D"] = field(repr=False)
    precisions: Float[Tensor, "J D D"] = field(repr=False)
    log_determinants: Float[Tensor, " J"]
    classes: Int[Tensor, " J"]
    sizes: Int[Tensor, " J"]
    members: Int[Tensor, " N"] = field(repr=False)
    wcss: dict[int, tuple[float, ...]] = field(repr=False)
    covariance: str

    def __len__(self) -> int:
        """Return the number of clusters J."""
        return len(self.means)

    def _check(self, features: Tensor) -> None:
        if not isinstance(features, Tensor) or features.ndim != 2 or features.shape[1] != self.means.shape[1]:
            got = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise ValueError(
                f"features: expected (N, {self.means.shape[1]}), as the clusters were fitted on, got {got}; "
                "use the same layer"
            )
        checks.check_finite(features, "features")

    def _squared_to(self, features: Tensor, cluster: int) -> Float[Tensor, " N"]:
        """Return the squared distance of features to one cluster, in float32 at least."""
        wide = features.to(torch.promote_types(features.dtype, torch.float32))
        difference = wide - self.means[cluster].to(wide)
        return ((difference @ self.precisions[cluster].to(wide)) * difference).sum(dim=1).clamp_min(0.0)

    def _squared(self, features: Tensor) -> Float[Tensor, "N J"]:
        # One cluster at a time: differences to all of them at once would be (N, J, D).
        self._check(features)
        return torch.stack([self._squared_to(features, cluster) for cluster in range(len(self))], dim=1)

    def mahalanobis(self, features: Tensor) -> Float[Tensor, "N J"]:
        """Return the distance of features (N, D) to every cluster, sqrt((r - mu)' precision (r - mu) + 1e-6).

        Differentiable; the 1e-6 keeps the gradient finite at a cluster's mean. It is the L2 distance (but for the
        1e-6) if covariance = "euclidean". In the dtype and on the device of features.
        """
        return (self._squared(features) + _EPSILON).sqrt().to(features.dtype)

    def mahalanobis_to(self, features: Tensor, clusters: Tensor) -> Float[Tensor, " N"]:
        """Return the distance of each of features (N, D) to a cluster of its own, clusters (N,) of 0 to J - 1.

        What `mahalanobis` has at those places, without the other clusters' cost: the last term of P1 Eq. 7.
        """
        self._check(features)
        checks.check_labels(clusters, len(features), n_classes=len(self), name="clusters")
        squared = features.new_zeros(len(features), dtype=torch.promote_types(features.dtype, torch.float32))
        for cluster in clusters.unique().tolist():
            mine = (clusters == cluster).nonzero().flatten()
            squared = squared.index_copy(0, mine, self._squared_to(features[mine], cluster))
        return (squared + _EPSILON).sqrt().to(features.dtype)

    def scores(self, features: Tensor) -> Float[Tensor, "N J"]:
        """Return what `assign` minimizes: the squared distance plus the covariance's log-determinant.

        With "ledoit_wolf" this is, up to a factor of -2 and a constant, the log-density of a Gaussian; with the
        others there is no determinant, and it is the squared distance.
        """
        squared = self._squared(features)
        return (squared + self.log_determinants.to(squared)).to(features.dtype)

    def assign(self, features: Tensor) -> Int[Tensor, " N"]:
        """Return the index (N,) of the cluster of least score for each of features (N, D), over all classes."""
        return self.scores(features).argmin(dim=1)


def _cluster(rows: np.ndarray, n_clusters: int, seed: int) -> tuple[np.ndarray, float]:
    """Return each row's cluster and the within-cluster sum of squares."""
    if n_clusters == 1:
        return np.zeros(len(rows), dtype=np.int64), float(np.square(rows - rows.mean(axis=0)).sum())
    fit = KMeans(n_clusters, init="k-means++", n_init=4, random_state=seed).fit(rows)
    return fit.labels_.astype(np.int64), float(fit.inertia_)


def _within_class(rows: np.ndarray, max_clusters: int, seed: int) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return each row's cluster, as many as the elbow says, and the sums of squares."""
    distinct = len(np.unique(rows, axis=0))
    fits = [_cluster(rows, n_clusters, seed) for n_clusters in range(1, min(max_clusters, distinct) + 1)]
    # A worse local minimum for more clusters would be a bump that no elbow rule can read.
    wcss = tuple(float(value) for value in np.minimum.accumulate([value for _, value in fits]))
    return fits[elbow(wcss)][0], wcss


def _covariance(rows: np.ndarray, rule: str, pooled: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return covariance, precision and log-determinant of one cluster; pooled is the variance of a usual one."""
    identity = np.eye(rows.shape[1])
    if rule == "euclidean":
        return identity, identity, 0.0
    if rule == "paper_pinv":
        centered = rows - rows.mean(axis=0)
        covariance = centered.T @ centered / len(rows)
        return covariance, np.linalg.pinv(covariance, hermitian=True), 0.0
    # Two samples are opposite around their mean, so Ledoit and Wolf see no noise in their outer products and shrink
    # by 0: every direction but one would be almost infinitely far.
    if len(rows) < 3 or rows.var(axis=0).mean() <= _LEAST_SHARE * pooled:
        covariance = pooled * identity
    else:
        covariance = np.atleast_2d(ledoit_wolf(rows)[0]) + _LEAST_SHARE * pooled * identity
    return covariance, np.linalg.inv(covariance), float(np.linalg.slogdet(covariance)[1])


def _check(features: Tensor, labels: Tensor) -> None:
    if not isinstance(features, Tensor) or features.ndim != 2 or not features.is_floating_point():
        got = (tuple(features.shape), features.dtype) if isinstance(features, Tensor) else type(features).__name__
        raise ValueError(f"features: expected float features (N, D), got {got}; flatten them")
    if features.numel() == 0:
        raise ValueError(f"features: expected at least one sample and one dimension, got {tuple(features.shape)}")
    checks.check_finite(features, "features")
    checks.check_labels(labels, len(features))


def fit_semantic_clusters(
    features: Tensor,
    labels: Tensor,
    *,
    max_clusters: int = 10,
    covariance: str = "ledoit_wolf",
    generator: torch.Generator,
) -> SemanticClusters:
    r"""Cluster features within each class and fit a distribution to each cluster.

    For each class c, k-means++ minimizes for psi = 1, ..., max_clusters
        WCSS(psi) = sum_i sum_{r in cluster i} || r - mu_i ||_2^2                                    (P1 Eq. 4)
    and the `elbow` of that curve picks psi_c. Each cluster gets its mean and
        sigma = E[(r - mu)(r - mu)']
    or another covariance:

    - "ledoit_wolf": shrunk towards a multiple of the identity as far as the samples ask for, so that it can be
      inverted, and with its log-determinant in the score, which is then that of a Gaussian;
    - "paper_pinv": sigma itself and its Moore-Penrose pseudo-inverse. A cluster of n <= D samples then has no
      distance at all in D - n + 1 directions, and the smallest cluster tends to be the nearest of all;
    - "euclidean": the identity.

    Args:
        features: (N, D), penultimate features of clean images, in which clusters are sought.
        labels: (N,), classes, 0-based; a class may be missing.
        max_clusters: most clusters in a class, at least 1; never more than it has distinct features. With 1 or 2
            no elbow can be seen and a class is one cluster.
        covariance: "ledoit_wolf", "paper_pinv" or "euclidean".
        generator: CPU generator for the starts of k-means.

    Returns:
        SemanticClusters, computed in float64 and returned in the dtype and on the device of features. Clusters
        of one sample, or of identical ones, are kept. "ledoit_wolf" gives such a cluster, and one of two samples,
        from which no shrinkage can be estimated, the mean variance within all clusters, in every direction (and
        adds 1e-6 of it to the covariance of the others, for the sake of features that are constant there).
        "paper_pinv" leaves a cluster without spread the covariance 0 and the pseudo-inverse 0, so that no feature
        is at any distance from it, as the rule has it.

    Raises:
        TypeError: labels that are not integers.
        ValueError: bad features, labels or options; "ledoit_wolf" where no cluster has any variance, because
            nothing then says how far is far.

    Source: P1 Stage I, Eq. 4 and Algorithm 1; pseudo-inverse: its section on robust semantic training. Shrinkage:
    Ledoit and Wolf (2004).
    Differs from the paper: Eq. 4 sums distances that are not squared, but is named the within-cluster sum of
    squares; we square. Algorithm 1 writes the mean of the images; we take that of their features, as the text
    says. No elbow rule and no largest number of clusters are given there. The pseudo-inverse is not the default.
    """
    _check(features, labels)
    checks.check_number(max_clusters, "max_clusters", at_least=1, integer=True)
    checks.check_choice(covariance, "covariance", COVARIANCES)
    checks.check_generator(generator)
    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    rows, given = features.detach().cpu().double().numpy(), labels.cpu().numpy()
    members = np.empty(len(rows), dtype=np.int64)
    classes: list[int] = []
    wcss = {}
    for label in np.unique(given).tolist():
        mine = np.flatnonzero(given == label)
        found, wcss[label] = _within_class(rows[mine], max_clusters, seed)
        # k-means may leave a cluster without samples: number those that have some.
        kept, found = np.unique(found, return_inverse=True)
        members[mine] = len(classes) + found
        classes += [label] * len(kept)

    parts = [rows[members == index] for index in range(len(classes))]
    means = np.stack([part.mean(axis=0) for part in parts])
    variance = np.square(rows - means[members]).mean()
    # Differences that are only rounding of the mean are none.
    if covariance == "ledoit_wolf" and variance <= (1e-12 * np.abs(rows).max()) ** 2:
        raise ValueError(
            "features: expected some spread within a cluster, got identical features in each; use "
            "covariance='euclidean' or more images"
        )
    fits = [_covariance(part, covariance, variance) for part in parts]

    def like_features(values: list | np.ndarray) -> Tensor:
        return torch.as_tensor(np.asarray(values), dtype=torch.float64).to(features)

    return SemanticClusters(
        means=like_features(means),
        covariances=like_features([fit[0] for fit in fits]),
        precisions=like_features([fit[1] for fit in fits]),
        log_determinants=like_features([fit[2] for fit in fits]),
        classes=torch.tensor(classes, device=features.device),
        sizes=torch.tensor([len(part) for part in parts], device=features.device),
        members=torch.from_numpy(members).to(features.device),
        wcss=wcss,
        covariance=covariance,
    )
