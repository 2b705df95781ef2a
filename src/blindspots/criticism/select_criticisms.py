"""MMD-critic's criticisms: examples that the prototypes represent worst, and that differ from one another."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.criticism.inputs import check_indices
from blindspots.criticism.kernels import RowKernel, row_kernel
from blindspots.criticism.select_prototypes import Selection
from blindspots.criticism.settled_means import SettledMeans

REGULARIZERS = ("logdet", "none", "iterative")
_ROWS_AT_ONCE = 32
# A Schur complement below this share of its diagonal entry is rounding: the example depends on those picked.
_DEPENDENT = 1e-12


def select_criticisms(
    features: Tensor,
    prototypes: Selection | Tensor,
    n: int,
    *,
    regularizer: str = "logdet",
    weight: float | int = 1.0,
    bandwidth: float | int | None = None,
    kernel: str = "rbf",
) -> Selection:
    r"""Pick criticisms greedily where the witness function of the prototypes is largest in absolute value.

        max_C  sum_{c in C} | (1 / N) sum_i k(x_i, c) - (1 / M) sum_{j in S} k(x_j, c) | + weight log det K_C
    over examples that are no prototypes. The gain of a candidate in log det K_C is the logarithm of its Schur
    complement, which a Cholesky factor grown by one row per pick gives for all candidates at once; nothing is inverted,
    and no N x N array exists.

    Args:
        features: (N, D), those the prototypes were picked from; (N, N) if kernel = "precomputed".
        prototypes: the Selection of `select_prototypes`, whose column means and bandwidth are used again, or indices
            (M,) of the features.
        n: criticisms to pick, 1 to N - M.
        regularizer: "logdet"; "none", the largest witnesses as they are; or "iterative", which counts each criticism
            among the prototypes before the next is picked, with no log det.
        weight: of log det K_C, > 0. P4's lambda = 1e-5 is read as this weight; MMD-critic's own code has 1.
        bandwidth: as for `select_prototypes`. None: that of the Selection, or the median distance.
        kernel: "rbf" or "precomputed".

    Returns:
        Selection; objective is the value above of the criticisms so far (with "iterative": the sum of the witnesses as
        they were at each pick).

    Raises:
        TypeError, ValueError: bad features or options; prototypes that are out of range, given twice, or selected from
            other features; fewer examples left than criticisms asked; with "logdet", fewer distinct ones.

    Source: Kim, Khanna and Koyejo (2016), Algorithm 2 and Section 3.2; P4 Sections 2 and 3.3. "iterative": an option of
    the published code that its paper does not describe.
    Differs from the published code: the first pick adds +weight log k(c, c), as the objective has it, where that code
    subtracts it; for a kernel with a constant diagonal, as the Gaussian, the picks are the same. Its branch for sparse
    matrices leaves the logarithm out; there is one path here. The weight is an option.
    """
    checks.check_number(n, "n", at_least=1, integer=True)
    checks.check_choice(regularizer, "regularizer", REGULARIZERS)
    checks.check_number(weight, "weight", above=0.0)
    if isinstance(prototypes, Selection) and bandwidth is None:
        bandwidth = prototypes.bandwidth
    gram = row_kernel(features, bandwidth, kernel)
    chosen = _checked_prototypes(prototypes, gram, n)
    means, near = _means_and_sum(prototypes, chosen, gram)
    taken = torch.zeros_like(near)
    taken[chosen] = float("-inf")
    if regularizer == "iterative":
        picks, objective = _iterative(means, near, len(chosen), taken, n)
    else:
        shares = near / len(chosen)
        picks, objective = _regularized(gram, means, shares, taken, weight if regularizer == "logdet" else None, n)
    return Selection(picks, objective, gram.bandwidth, means.values, means.error)


def _checked_prototypes(prototypes: Selection | Tensor, gram: RowKernel, n: int) -> Tensor:
    """Return the indices (M,) of the prototypes, on the kernel's device."""
    indices = prototypes.indices if isinstance(prototypes, Selection) else prototypes
    n_examples = len(gram.diagonal)
    check_indices(indices, n_examples, "prototypes")
    if n > n_examples - len(indices):
        raise ValueError(
            f"n: expected at most {n_examples - len(indices)} criticisms, the examples that are no prototypes, "
            f"got {n}; ask for fewer or give more examples"
        )
    return indices.to(gram.diagonal.device).long()


def _means_and_sum(
    prototypes: Selection | Tensor, chosen: Tensor, gram: RowKernel
) -> tuple[SettledMeans, Float[Tensor, " N"]]:
    """Return the column means, and the sum over the prototypes of k(., prototype), (N,)."""
    near, of_prototypes = torch.zeros_like(gram.diagonal), []
    for some in chosen.split(_ROWS_AT_ONCE):
        rows = gram.rows(some)
        near += rows.sum(dim=0)
        of_prototypes.append(rows.mean(dim=1))
    if not isinstance(prototypes, Selection) or prototypes.bandwidth != gram.bandwidth:
        return SettledMeans(gram, *gram.rough_column_means()), near
    means = prototypes.column_means.to(near.device)
    # The rows of the prototypes are at hand: their means tell whether the selection is from these very features.
    if len(means) != len(near) or (means[chosen] - torch.cat(of_prototypes)).abs().max().item() > 1e-9:
        raise ValueError(
            "prototypes: expected a Selection from these features and this kernel, got one from others; "
            "select the prototypes again, or give their indices"
        )
    return SettledMeans(gram, means, prototypes.column_means_error), near


def _regularized(
    gram: RowKernel, means: SettledMeans, shares: Tensor, taken: Tensor, weight: float | int | None, n: int
) -> tuple[Tensor, Tensor]:
    """Return the picks (n,) and the objective after each; weight None leaves log det out."""
    factor = shares.new_zeros((n if weight is not None else 0, len(shares)))  # rows of the Cholesky factor, by pick
    schur, floor = gram.diagonal.clone(), _DEPENDENT * gram.diagonal
    picks, objective, value = [], [], shares.new_zeros(())
    for size in range(n):
        gains = taken
        if weight is not None:
            gains = taken + weight * torch.where(schur > floor, schur, 0.0).log()
        pick, gain = means.pick(lambda values, at, gains=gains: (values - shares[at]).abs() + gains[at], 1.0)
        if gain.item() == float("-inf"):
            raise ValueError(
                f"n: expected at most {size} criticisms, the distinct examples that are no prototypes, got {n}; "
                "ask for fewer, remove duplicates, or use regularizer='none'"
            )
        value = value + gain
        objective.append(value)
        taken[pick] = float("-inf")
        picks.append(pick)
        if weight is not None and size + 1 < n:
            row = means.row(pick) - factor[:size, pick] @ factor[:size]
            factor[size] = row / schur[pick].sqrt()
            schur -= factor[size].square()
    return torch.stack(picks), torch.stack(objective)


def _iterative(means: SettledMeans, near: Tensor, n_prototypes: int, taken: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the picks (n,) and the sums of witnesses, each criticism counting as a prototype for those after it."""
    picks, objective, value = [], [], near.new_zeros(())
    for size in range(n_prototypes, n_prototypes + n):
        shares = near / size
        pick, gain = means.pick(lambda values, at, shares=shares: (values - shares[at]).abs() + taken[at], 1.0)
        value = value + gain
        objective.append(value)
        near = near + means.row(pick)
        taken[pick] = float("-inf")
        picks.append(pick)
    return torch.stack(picks), torch.stack(objective)
