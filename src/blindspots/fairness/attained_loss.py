"""The largest mean loss that attacks really reach within a transport budget, from below."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


def attained_loss(distances: Tensor, losses: Tensor, bounds: Tensor) -> Float[Tensor, " R"]:
    r"""Return, for each radius, the worst mean loss that mixing the attacks found can reach, (R,) float64.

    An attack that moved the data by a mean distance d to a mean loss l is a distribution within d of the data. So is
    every mixture: move a share of the mass by one attack and the rest by another. What mixtures reach at rho is the
    height at rho of the smallest concave, nondecreasing curve over the points (d, l), and no ceiling may lie below it.

    Args:
        distances: (A,), mean distance of each attack, >= 0; one has to be 0, the clean data.
        losses: (A,), mean loss of each.
        bounds: (R,), rho >= 0.

    Returns:
        (R,) float64; beyond the farthest attack of use, the largest loss found.

    Raises:
        TypeError, ValueError: shapes that differ, negative distances or bounds, or no attack at distance 0.

    Source: the definition of D in P0, Section 3: mixing two couplings mixes their costs.
    """
    if distances.ndim != 1 or losses.shape != distances.shape or not len(distances):
        raise ValueError(f"losses: expected one per distance {tuple(distances.shape)}, got {tuple(losses.shape)}")
    for tensor, name in ((distances, "distances"), (losses, "losses"), (bounds, "bounds")):
        checks.check_finite(tensor, name)
    if (distances < 0).any() or (bounds < 0).any():
        raise ValueError("distances: expected distances and bounds >= 0, got a negative one")
    if distances.amin() > 0:
        raise ValueError("distances: expected the clean data at distance 0, got none; add it")
    points = sorted(zip(distances.double().tolist(), losses.double().tolist(), strict=True))
    hull: list[tuple[float, float]] = []
    for d, value in points:
        while hull and value >= hull[-1][1] and d == hull[-1][0]:
            hull.pop()
        if hull and value <= hull[-1][1]:
            continue  # no farther attack is of use unless it reaches more
        while len(hull) > 1 and _below(hull[-2], hull[-1], (d, value)):
            hull.pop()
        hull.append((d, value))
    places, heights = (torch.tensor(part, dtype=torch.float64) for part in zip(*hull, strict=True))
    wanted = bounds.double().cpu()
    right = torch.searchsorted(places, wanted, right=True).clamp(max=len(places) - 1)
    left = (right - 1).clamp(min=0)
    width = places[right] - places[left]
    share = torch.where(width > 0, (wanted - places[left]) / torch.where(width > 0, width, 1.0), 1.0).clamp(max=1.0)
    return heights[left] + share * (heights[right] - heights[left])


def _below(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Say whether the middle point lies on or below the line through the other two."""
    rise = (last[1] - first[1]) * (middle[0] - first[0])
    return (middle[1] - first[1]) * (last[0] - first[0]) <= rise
