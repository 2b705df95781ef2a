"""P0's primal problem as a linear program: move the data's mass to where the loss is largest, within a budget."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class WorstDistribution:
    """The worst distribution among those on the places given.

    Attributes:
        value: its mean loss.
        plan: (N, J), mass moved from each example to each place; every row sums to 1 / N.
        distance: what the plan costs, at most the bound.
        multiplier: the price of the budget, the lambda of the dual.
    """

    value: float
    plan: Float[Tensor, "N J"]
    distance: float
    multiplier: float


def transport_primal(losses: Tensor, costs: Tensor, bound: float | int) -> WorstDistribution:
    r"""Find the worst distribution within a transport budget, among those on J places.

        max_pi sum_ij pi_ij l_ij     such that     sum_j pi_ij = 1 / N,     sum_ij pi_ij c_ij <= bound,     pi >= 0.
    No multiplier, gradient or concavity is used: it is the inside of P0's Eq. 3.1, its supremum over P restricted to
    the places, and so at most as large. An infinite cost for changing the label is kept by taking l_ij at the label of
    example i.

    Args:
        losses: l_ij (N, J), the loss of example i's label at place j.
        costs: c_ij >= 0 (N, J), from example i to place j; each example needs a place of cost 0.
        bound: delta, >= 0, in the units of the costs.

    Returns:
        WorstDistribution in float64.

    Raises:
        TypeError, ValueError: shapes that differ, negative costs, an example that cannot stay where it is.
        RuntimeError: the solver gave up.

    Source: P0, Eq. 3.1 and the definition of D; solved by HiGHS through scipy.
    """
    if losses.ndim != 2 or losses.shape != costs.shape:
        raise ValueError(f"costs: expected {tuple(losses.shape)}, one per loss, got {tuple(costs.shape)}")
    checks.check_finite(losses, "losses")
    checks.check_finite(costs, "costs")
    checks.check_number(bound, "bound", at_least=0.0)
    if (costs < 0).any():
        raise ValueError(f"costs: expected >= 0, got {costs.min().item():g}")
    if (costs.amin(1) > 0).any():
        raise ValueError("costs: expected a place of cost 0 for each example, its own; add it to the places")
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix

    n, places = losses.shape
    rows = csr_matrix((np.ones(n * places), (np.repeat(np.arange(n), places), np.arange(n * places))))
    # In shares of an example, so that the solver's tolerances do not depend on how many there are.
    found = linprog(
        -losses.detach().double().cpu().numpy().ravel(), A_ub=costs.detach().double().cpu().numpy().reshape(1, -1),
        b_ub=[n * bound], A_eq=rows, b_eq=np.ones(n), method="highs",
    )  # fmt: skip
    if found.status != 0:
        raise RuntimeError(f"transport_primal: the linear program was not solved: {found.message}")
    plan = torch.from_numpy(found.x.reshape(n, places)) / n
    distance = (plan * costs.detach().double().cpu()).sum().item()
    return WorstDistribution(-found.fun / n, plan, distance, -float(found.ineqlin.marginals[0]))
