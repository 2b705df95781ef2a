"""Kernels that are read row by row, and averaged block by block: an n x n array never exists."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.criticism.inputs import check_features

KERNELS = ("rbf", "precomputed")
_LARGEST_HALF = 1e9  # ||x||^2 / (2 bandwidth^2) of the example farthest from the mean
_MANY = 2000  # of fewer examples the exact means cost little
_ROUGHEST = 1e-4  # with a larger error too many examples would have to be looked at again
_BLOCK = 512  # A block of 512 x 512 doubles is 2 MiB and stays in a core's cache.


def median_bandwidth(features: Tensor, *, max_examples: int = 1000) -> float:
    """Return the median Euclidean distance between two examples: the usual bandwidth of a Gaussian kernel.

    Args:
        features: (N, D), N >= 2.
        max_examples: of more examples than this, every N / max_examples-th is looked at, beginning with the first: the
            median of half a million distances is known to well under a percent, and the rule needs no random numbers.

    Returns:
        The lower median over all pairs i < j, in the units of features, > 0.

    Raises:
        TypeError, ValueError: bad features; one example only; at least half of the pairs coincide, so that the
            median is 0.
    """
    check_features(features)
    checks.check_number(max_examples, "max_examples", at_least=2, integer=True)
    n = features.shape[0]
    if n < 2:
        raise ValueError("features: expected at least 2 examples for a median distance, got 1; give a bandwidth")
    if n > max_examples:
        features = features[torch.arange(max_examples, device=features.device) * n // max_examples]
    points = features.detach().double()
    median = torch.nn.functional.pdist(points - points.mean(dim=0)).median().item()
    if median == 0.0:
        raise ValueError(
            "features: expected fewer than half of the pairs to coincide, got a median distance of 0; "
            "give a bandwidth > 0 or remove the duplicates"
        )
    return median


class GaussianKernel:
    """k(x, y) = exp(-||x - y||^2 / (2 bandwidth^2)) on the rows of features (N, D), in float64."""

    def __init__(self, features: Tensor, bandwidth: float | int | None) -> None:
        check_features(features)
        if bandwidth is None:
            bandwidth = median_bandwidth(features)
        checks.check_number(bandwidth, "bandwidth", above=0.0)
        self.bandwidth: float | None = float(bandwidth)
        # Distances do not change when everything moves; near 0 they lose the fewest digits.
        self._points = features.detach().to(torch.float64, copy=True)
        self._points -= self._points.mean(dim=0)
        self._points /= self.bandwidth
        self._halves = 0.5 * torch.linalg.vector_norm(self._points, dim=1).square()
        # Exponents are differences of numbers of this size, and must keep some digits.
        if not self._halves.amax().item() <= _LARGEST_HALF:
            raise ValueError(
                f"bandwidth: expected a length on the scale of the features, got {bandwidth:g}, less than a 10,000th "
                "of their spread; leave it None for the median distance"
            )
        self.diagonal = torch.ones_like(self._halves)

    def rows(self, indices: Int[Tensor, " M"]) -> Float[Tensor, "M N"]:
        """Return the rows of the kernel at indices."""
        rows = _exponents(self._points[indices], self._halves[indices], self._points, self._halves).exp_()
        rows[torch.arange(len(indices), device=rows.device), indices] = 1.0
        return rows

    def column_means(self) -> Float[Tensor, " N"]:
        """Return the mean of each column, from the blocks on and above the diagonal."""
        return _block_means(self._points, self._halves)

    def rough_column_means(self) -> tuple[Float[Tensor, " N"], float]:
        """Return the means from single precision, and a bound on their error; 0 where they were taken in double."""
        n, n_dimensions = self._points.shape
        largest = self._halves.amax().item()
        # Rounding of a float32 product of D terms, of the two norms, of the exponential and of the sums in a block.
        error = 2.0**-24 * (largest * (2 * n_dimensions + 24) + 64)
        worthwhile = n >= _MANY and error <= _ROUGHEST and self._points.device.type == "cpu"
        if not worthwhile or torch.get_float32_matmul_precision() != "highest":
            return self.column_means(), 0.0
        return _block_means(self._points.float(), self._halves.float()), error


def _block_means(points: Tensor, halves: Tensor) -> Float[Tensor, " N"]:
    """Return the column means of exp(-||x - y||^2 / 2) in float64, from blocks in the dtype of points."""
    n = len(points)
    sums = torch.zeros(n, dtype=torch.float64, device=points.device)
    for first in range(0, n, _BLOCK):
        here = slice(first, first + _BLOCK)
        for second in range(first, n, _BLOCK):
            there = slice(second, second + _BLOCK)
            block = _exponents(points[here], halves[here], points[there], halves[there]).exp_()
            if second == first:
                sums[here] += block.fill_diagonal_(1.0).sum(dim=1)
            else:
                sums[here] += block.sum(dim=1)
                sums[there] += block.sum(dim=0)
    return sums / n


def _exponents(points: Tensor, halves: Tensor, others: Tensor, their_halves: Tensor) -> Tensor:
    """Return -||x - y||^2 / 2 for points x (M, D) and others y (T, D), (M, T), from half their squared norms."""
    return torch.addmm(their_halves, points, others.T, beta=-1.0).sub_(halves[:, None])


class GramKernel:
    """A kernel given as its matrix (N, N): symmetric, with entries > 0 on the diagonal."""

    bandwidth: float | None = None

    def __init__(self, matrix: Tensor) -> None:
        check_features(matrix)
        if matrix.shape[0] != matrix.shape[1]:
            raise ValueError(
                f"features: expected the kernel's matrix (N, N) with kernel='precomputed', got {tuple(matrix.shape)}"
            )
        self._matrix = matrix.detach().double()
        self.diagonal = self._matrix.diagonal().clone()
        scale = self._matrix.abs().amax().item()
        if (self._matrix - self._matrix.T).abs().amax().item() > 1e-6 * scale or self.diagonal.amin().item() <= 0.0:
            raise ValueError(
                "features: expected a symmetric kernel matrix with a diagonal > 0, got another; average it with its "
                "transpose, or leave out examples of norm 0"
            )

    def rows(self, indices: Int[Tensor, " M"]) -> Float[Tensor, "M N"]:
        """Return the rows of the matrix at indices."""
        return self._matrix[indices]

    def column_means(self) -> Float[Tensor, " N"]:
        """Return the mean of each column."""
        return self._matrix.mean(dim=0)

    def rough_column_means(self) -> tuple[Float[Tensor, " N"], float]:
        """Return the means, which are exact here, and 0."""
        return self.column_means(), 0.0


RowKernel = GaussianKernel | GramKernel
"""A positive semidefinite kernel on N examples, in float64: rows, column means, diagonal (N,), bandwidth or None."""


def row_kernel(features: Tensor, bandwidth: float | int | None, kernel: str) -> RowKernel:
    """Return the kernel that the options of a public function ask for.

    Raises:
        TypeError, ValueError: bad features, bandwidth or kernel; a bandwidth beside a precomputed kernel.
    """
    checks.check_choice(kernel, "kernel", KERNELS)
    if kernel == "rbf":
        return GaussianKernel(features, bandwidth)
    if bandwidth is not None:
        raise ValueError(f"bandwidth: expected None with kernel='precomputed', got {bandwidth!r}")
    return GramKernel(features)


def first_of_the_best(scores: Float[Tensor, " N"]) -> Tensor:
    """Return the index () of the largest score, the first of those that rounding alone tells apart.

    So the choice between duplicates depends neither on the size of a block nor on the device.
    """
    best = scores.amax()
    return (scores >= best - 1e-12 * best.abs().clamp_min(1.0)).to(torch.uint8).argmax()
