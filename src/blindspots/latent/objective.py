"""What the search climbs: the lead of the best wrong class in probability; its direction never underflows."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots.attacks.gradients import logit_margin
from blindspots.types import Flags, Labels, Logits


def lead_direction(logits: Logits, labels: Labels) -> Float[Tensor, "N K"]:
    r"""Return the gradient of J = max_{j != y} p_j - p_y with respect to the logits, up to a positive factor per row.

    With k the best wrong class, q_i = p_i / (1 - p_y) and the factor 1 - p_y left out,
        i = y: -p_y (1 + q_k),     i = k: q_k (1 - p_k + p_y),     else: q_i (p_y - p_k).
    The factor does not change a normalized step; without it the direction stays exact where p_y rounds to 1.

    Args:
        logits: (N, K).
        labels: (N,).

    Returns:
        (N, K) in float64, entries of order 1.

    Source: P2's objective; the factored form is ours.
    """
    values = logits.detach().double()
    own = torch.zeros_like(values, dtype=torch.bool).scatter(1, labels[:, None].long(), True)
    probabilities = values.softmax(dim=1)
    among_wrong = values.masked_fill(own, float("-inf")).softmax(dim=1)
    best = among_wrong.argmax(dim=1, keepdim=True)
    right = probabilities.gather(1, labels[:, None].long())
    best_wrong = probabilities.gather(1, best)
    best_share = among_wrong.gather(1, best)
    weights = among_wrong * (right - best_wrong)
    weights = weights.scatter(1, best, best_share * (1.0 - best_wrong + right))
    return weights.scatter(1, labels[:, None].long(), -right * (1.0 + best_share))


def misread(logits: Logits, labels: Labels) -> Flags:
    """Return whether J > 0 (N,): another class leads. Asked of the logits, where no lead rounds away."""
    return logit_margin(logits, labels.long()) > 0
