"""What a search has found, made shorter: along the boundary, towards the foot of its tangent planes."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from blindspots.latent.scaled_norm import scaled_norm
from blindspots.latent.search_runs import Question, shortened

SHARES = (1.0, 0.5, 0.25, 0.125)
"""Of the way from the direction that was found to that of the foot, tried in this order."""
INSIDE = 1.0 - 1e-6
"""Tried points lie inside the sphere by a millionth, so that each success is shorter."""
ENOUGH = 1e-4
"""A row that gains less than this share of its length has arrived."""


def tangent_steps(
    question: Question, centers: Tensor, changes: Tensor, rows: Tensor, *, steps: int, bisections: int, rivals: int = 9
) -> tuple[Float[Tensor, "M D"], Int[Tensor, " M"]]:
    r"""Return misread changes that are no longer than those given, and how many gradients each took.

    At p = c + D the lead of each rival class j over the label is taken as linear, z_j(v) - z_y(v) = m_j + g_j (v - p).
    The foot of its boundary seen from the center lies in the direction of g_j at the distance
        t_j = (g_j D - m_j) / ||g_j||_2,
    and the nearest foot gives the direction to turn to: all the way, or half, a quarter or an eighth of it, the first
    that is still misread at D's length. Bisection shortens what was turned. Where all classes are linear one step is
    exact up to the bisection, whichever class D had been found in, if the nearest class is among the rivals.

    Args:
        question: about the points.
        centers: (M, D), read as the label.
        changes: (M, D), each misread.
        rows: (M,), the subject of each.
        steps: most turns, at least 1; who gains nothing stops.
        bisections: halvings after each turn.
        rivals: classes whose boundaries are looked at, those of the highest logits.

    Source: ours, after the linear steps of DeepFool (Moosavi-Dezfooli et al. 2016) and FAB (Croce and Hein 2020),
    which start at a center and at the boundary; here it starts from what P2's search has found.
    """
    best = changes.clone()
    spent = torch.zeros(len(changes), dtype=torch.long, device=changes.device)
    active = torch.arange(len(changes), device=changes.device)
    for _ in range(steps):
        if active.numel() == 0:
            break
        old, own = best[active], rows[active]
        leads, slopes = question.leads(centers[active] + old, own, rivals)
        spent[active] += leads.shape[1]
        feet = _nearest_feet(old, leads, slopes)
        gained = torch.zeros(len(active), dtype=torch.bool, device=active.device)
        for share in SHARES:
            open_rows = (~gained & feet.abs().amax(dim=1).gt(0)).nonzero().flatten()
            if open_rows.numel() == 0:
                break
            turned = _turned(old[open_rows], feet[open_rows], share)
            hits = question.clearly_misread(centers[active[open_rows]] + turned, own[open_rows])
            here = open_rows[hits]
            best[active[here]] = shortened(
                question, centers[active[here]], turned[hits], own[here], bisections=bisections
            )
            gained[here] = True
        gained &= scaled_norm(best[active]) < (1.0 - ENOUGH) * scaled_norm(old)
        active = active[gained]
    return best, spent


def _nearest_feet(changes: Tensor, leads: Tensor, slopes: Tensor) -> Float[Tensor, "M D"]:
    """Return a unit vector to the nearest foot ahead of each center, 0 where no boundary is ahead."""
    lengths = slopes.norm(dim=2)
    units = slopes / torch.where(lengths > 0, lengths, 1.0)[:, :, None]
    distances = torch.einsum("mrd,md->mr", units, changes) - leads / torch.where(lengths > 0, lengths, 1.0)
    ahead = (distances > 0) & (lengths > 0)
    nearest = torch.where(ahead, distances, torch.inf).argmin(dim=1)
    here = torch.arange(len(changes), device=changes.device)
    return units[here, nearest] * ahead[here, nearest][:, None]


def _turned(changes: Tensor, feet: Tensor, share: float) -> Float[Tensor, "M D"]:
    """Return changes turned towards unit vectors by a share, of the length that they had."""
    lengths = changes.norm(dim=1, keepdim=True)
    mixed = (1.0 - share) * changes / lengths + share * feet
    sizes = mixed.norm(dim=1, keepdim=True)
    return torch.where(sizes > 0, mixed / torch.where(sizes > 0, sizes, 1.0) * lengths * INSIDE, changes * INSIDE)
