"""Superpixels uncovered one after another in the order of their importance (P4 Fig. 10b)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.criticism.attention_image import superpixel_order
from blindspots.criticism.hidden_images import hiding_fill
from blindspots.criticism.lime_explain import Explanation
from blindspots.criticism.superpixels import check_image


@dataclass(frozen=True)
class ExplanationPath:
    """A path from nothing to the most important superpixels.

    Attributes:
        images: (S + 1, C, H, W), the first shows none of them, the last all S; ask a model about them.
        superpixels: (S,), in the order in which they appear.
        weights: (S,), their weights.
        shown: (S + 1,), the share of pixels uncovered.
    """

    images: Float[Tensor, "N C H W"]
    superpixels: Int[Tensor, " S"]
    weights: Float[Tensor, " S"]
    shown: Float[Tensor, " N"]


def explanation_path(
    image: Tensor,
    explanation: Explanation,
    label: int,
    *,
    n_superpixels: int | None = None,
    background: str | float | Tensor = 0.0,
    positive_only: bool = True,
) -> ExplanationPath:
    """Return the image uncovered superpixel by superpixel, the most important first.

    Args:
        image: (C, H, W) in [0, 1], the one explained.
        explanation: see `lime_explain`.
        label: one of its classes.
        n_superpixels: length of the path, at least 1; None = all in the order. Shorter if the order is.
        background: what is covered shows, see `hiding_fill`; 0 is black, "mean" the superpixels' mean colors.
        positive_only: see `superpixel_order`.

    Returns:
        ExplanationPath like the image.

    Raises:
        TypeError, ValueError: an image that does not fit the superpixels, a class that was not explained, no
            superpixel in the order, an option out of range.

    Source: P4 Sec. 3.4, Fig. 10b.
    """
    check_image(image)
    if n_superpixels is not None:
        checks.check_number(n_superpixels, "n_superpixels", at_least=1, integer=True)
    fill = hiding_fill(image, explanation.segments, background)
    order = superpixel_order(explanation, label, positive_only=positive_only)[:n_superpixels]
    if not len(order):
        raise ValueError(
            f"label: expected a class that some superpixel speaks for, got none for class {label}; "
            "set positive_only=False to see those against it"
        )
    ranks = torch.full_like(explanation.weights_of(label), torch.inf)
    ranks[order] = torch.arange(len(order), dtype=ranks.dtype, device=ranks.device)
    steps = torch.arange(len(order) + 1, dtype=ranks.dtype, device=ranks.device)[:, None, None]
    uncovered = ranks[explanation.segments] < steps
    return ExplanationPath(
        torch.where(uncovered[:, None], image, fill),
        order,
        explanation.weights_of(label)[order],
        uncovered.to(image.dtype).mean(dim=(1, 2)),
    )
