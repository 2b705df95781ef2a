"""The image reduced to the superpixels that speak most for a class, and where they lie."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.criticism.hidden_images import hiding_fill
from blindspots.criticism.lime_explain import Explanation
from blindspots.criticism.superpixels import check_image


def superpixel_order(explanation: Explanation, label: int, *, positive_only: bool = True) -> Int[Tensor, " S"]:
    """Return the superpixels of a class by falling importance.

    Args:
        explanation: see `lime_explain`.
        label: one of its classes.
        positive_only: True lists superpixels with positive weights, the largest first; False those with any
            weight but 0, by its size.

    Returns:
        (S,), perhaps empty; of equals the lower number first.

    Raises:
        ValueError: a class that was not explained.

    Source: P4 Sec. 2: "superpixels with positive weights towards a specific class".
    """
    weights = explanation.weights_of(label)
    size = weights if positive_only else weights.abs()
    order = size.argsort(descending=True, stable=True)
    return order[size[order] > 0]


def attention_mask(
    explanation: Explanation, label: int, *, n_superpixels: int = 8, positive_only: bool = True
) -> Bool[Tensor, "H W"]:
    """Return where the superpixels that speak most for a class lie.

    Args:
        explanation, label, positive_only: see `superpixel_order`.
        n_superpixels: how many, at least 1; fewer if fewer have such a weight.

    Returns:
        (H, W), True inside them.

    Raises:
        TypeError, ValueError: a class that was not explained, n_superpixels below 1.
    """
    checks.check_number(n_superpixels, "n_superpixels", at_least=1, integer=True)
    top = superpixel_order(explanation, label, positive_only=positive_only)[:n_superpixels]
    return torch.isin(explanation.segments, top)


def attention_image(
    image: Tensor,
    explanation: Explanation,
    label: int,
    *,
    n_superpixels: int = 8,
    background: float | Tensor = 0.0,
    positive_only: bool = True,
) -> Float[Tensor, "C H W"]:
    """Return the image with its top superpixels alone: P4's image with attention.

    Args:
        image: (C, H, W) in [0, 1], the one explained.
        explanation, label, n_superpixels, positive_only: see `attention_mask`.
        background: color of the rest, in [0, 1], one number or (C,).

    Returns:
        (C, H, W) like the image.

    Raises:
        TypeError, ValueError: an image that does not fit the superpixels, a bad color, as `attention_mask`.

    Source: P4 Sec. 2 and 3.2 (8 superpixels, Fig. 5 and 6). Differs from the paper: it does not say what the rest
    shows; the lime package calls it gray and makes it black, the default here.
    """
    check_image(image)
    fill = hiding_fill(image, explanation.segments, background)
    inside = attention_mask(explanation, label, n_superpixels=n_superpixels, positive_only=positive_only)
    return torch.where(inside, image, fill)


def attention_share(
    explanation: Explanation, label: int, region: Tensor, *, n_superpixels: int = 8, positive_only: bool = True
) -> float:
    """Return the share of the attended pixels that lie in a region, such as the object.

    Hold it against the region's share of the whole image, which an explanation without any aim would have.

    Args:
        explanation, label, n_superpixels, positive_only: see `attention_mask`.
        region: (H, W) bool.

    Returns:
        0 to 1; NaN if no superpixel is attended.

    Raises:
        TypeError, ValueError: a region of another shape or kind, as `attention_mask`.
    """
    inside = attention_mask(explanation, label, n_superpixels=n_superpixels, positive_only=positive_only)
    if not isinstance(region, Tensor) or region.dtype != torch.bool or region.shape != inside.shape:
        got = f"{region.dtype} {tuple(region.shape)}" if isinstance(region, Tensor) else type(region).__name__
        raise ValueError(f"region: expected a bool tensor {tuple(inside.shape)}, got {got}; threshold it")
    return float((inside & region.to(inside.device)).sum().double() / inside.sum().double())
