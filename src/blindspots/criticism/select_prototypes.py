"""MMD-critic's prototypes: examples whose mean embedding is closest to that of all."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.criticism.kernels import RowKernel, row_kernel
from blindspots.criticism.settled_means import SettledMeans


@dataclass(frozen=True)
class Selection:
    """Examples picked one after another.

    Attributes:
        indices: (M,), rows of the features, in the order of picking; the first m of them are the selection of size m.
        objective: (M,), float64, the value of what is maximized after each pick.
        bandwidth: of the Gaussian kernel; None if the kernel was given.
        column_means: (N,), float64, (1 / N) sum_i k(x_i, x_j): the witness before anything is subtracted.
        column_means_error: a bound on the error of those that no choice depended on, usually 100 times too large; 0 for
            fewer than 2,000 examples, and on a GPU. Picks and objective are exact in any case, squared_mmd is to this.
        squared_mmd: (M,), float64, the squared maximum mean discrepancy between all examples and the first m; None for
            criticisms, which do not stand for the whole.
    """

    indices: Int[Tensor, " M"]
    objective: Float[Tensor, " M"]
    bandwidth: float | None
    column_means: Float[Tensor, " N"] = field(repr=False)
    column_means_error: float = 0.0
    squared_mmd: Float[Tensor, " M"] | None = None


def select_prototypes(
    features: Tensor, n: int, *, bandwidth: float | int | None = None, kernel: str = "rbf"
) -> Selection:
    r"""Pick prototypes greedily so that their distribution matches that of all examples.

        max_S  J(S) = 2 / (N |S|) sum_{i in [N], j in S} k(x_i, x_j) - 1 / |S|^2 sum_{i, j in S} k(x_i, x_j)
                                                                                                         (P4 Eq. 3)
    with k(x, y) = exp(-||x - y||^2 / (2 bandwidth^2)). Each pick is the example that makes J largest, among equals the
    first. The means of the columns are taken in one pass over blocks, and each pick reads a row of the kernel, so the
    memory is that of the features in float64 and a few vectors, whatever N. With many examples the pass is in float32;
    the means of those that could be picked, given the bound on its error, are then taken in float64.

    Args:
        features: (N, D), of the examples of one class or of all; (N, N) the matrix of a kernel if kernel =
            "precomputed".
        n: prototypes to pick, 1 to N.
        bandwidth: in the units of features, > 0; scikit-learn's gamma is 1 / (2 bandwidth^2). None: the median distance
            between two examples (`median_bandwidth`).
        kernel: "rbf", or "precomputed" for a symmetric positive semidefinite matrix of the caller's.

    Returns:
        Selection; objective is J of the prototypes so far, squared_mmd is mean(k) - J. Indices are on the device of
        features. Whatever the dtype of features, the choices are those of float64, because float32 picks others.

    Raises:
        TypeError, ValueError: bad features or options; fewer examples than prototypes asked; a bandwidth of 0, or none
            given where half of the pairs coincide. A few duplicates are no error: a point that is twice in the data may
            be picked twice.

    Source: Kim, Khanna and Koyejo (2016), Algorithm 1; P4 Section 2, Eq. 3, and Section 3.3.
    Differs from the paper: P4 names no kernel and no width. Equal scores, up to 1e-12, go to the lowest index. J is not
    monotone in general, as its greedy guarantee would need; exactly n prototypes are picked all the same, as in the
    published code.
    """
    checks.check_number(n, "n", at_least=1, integer=True)
    gram = row_kernel(features, bandwidth, kernel)
    if n > len(gram.diagonal):
        raise ValueError(
            f"n: expected at most one prototype per example, got n = {n} for {len(gram.diagonal)} examples; "
            "ask for fewer or give more examples"
        )
    means = SettledMeans(gram, *gram.rough_column_means())
    indices, objective = greedy(gram, means, n)
    return Selection(indices, objective, gram.bandwidth, means.values, means.error, means.values.mean() - objective)


def greedy(kernel: RowKernel, means: SettledMeans, n: int) -> tuple[Int[Tensor, " M"], Float[Tensor, " M"]]:
    """Return n picks, and J of those so far after each, from a kernel and the means of its columns."""
    near = torch.zeros_like(kernel.diagonal)  # sum over the prototypes so far of k(., prototype)
    halves = kernel.diagonal / 2.0  # inf where an example is taken
    picks, cross, within = [], near.new_zeros(()), near.new_zeros(())
    objective = []
    for size in range(1, n + 1):
        # J of the enlarged set, times half its size, is the mean less this, and less what all candidates share.
        cost = (near + halves).div_(size)
        pick, _ = means.pick(lambda values, at, cost=cost: values - cost[at], 1.0)
        cross = cross + means.values[pick]
        within = within + 2.0 * near[pick] + kernel.diagonal[pick]
        objective.append(2.0 * cross / size - within / size**2)
        near += means.row(pick)
        halves[pick] = float("inf")
        picks.append(pick)
    return torch.stack(picks), torch.stack(objective)
