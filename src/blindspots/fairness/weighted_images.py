"""Images with the weights by which P0's algorithms draw them, and what the weights do to a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from blindspots import checks

WEIGHTINGS = ("sampling_only", "literal", "normalized")


@runtime_checkable
class LabeledImages(Protocol):
    """Anything with images (N, C, H, W) in [0, 1] and labels (N,)."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class WeightedImages:
    """A set that Algorithm 4.2 can train on.

    Attributes:
        images: (M, C, H, W) in [0, 1].
        labels: (M,), 0 to K - 1.
        weights: (M,) float64, P_i > 0: an item's chance to be drawn is in proportion to it. All 1: plain training.
    """

    images: Tensor
    labels: Tensor
    weights: Tensor


def check_weighted(data: WeightedImages, name: str = "robust_data") -> None:
    """Raise unless a set has images in [0, 1], labels and finite weights > 0.

    Args:
        data: the set.
        name: of the argument.

    Raises:
        TypeError, ValueError: another kind, shape or range.
    """
    if not isinstance(data, WeightedImages):
        raise TypeError(f"{name}: expected WeightedImages(images, labels, weights), got {type(data).__name__}")
    checks.check_images(data.images, f"{name}.images")
    checks.check_labels(data.labels, len(data.images), name=f"{name}.labels")
    weights = data.weights
    if weights.shape != (len(data.images),) or not weights.is_floating_point():
        raise ValueError(
            f"{name}.weights: expected floats ({len(data.images)},), one per image, got {weights.dtype} "
            f"{tuple(weights.shape)}"
        )
    checks.check_finite(weights, f"{name}.weights")
    if (weights <= 0).any():
        raise ValueError(f"{name}.weights: expected weights > 0, got {weights.min().item():g}; leave such items out")


def draw_rows(weights: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return n rows drawn with replacement in proportion to weights (M,), on the CPU: (n,) long.

    Args:
        weights: (M,), > 0.
        n: draws.
        generator: a CPU generator; it is advanced.
    """
    return torch.multinomial(weights.double().cpu(), n, replacement=True, generator=generator)


def step_factors(weights: Tensor, weighting: str) -> Tensor:
    r"""Return what multiplies an item's gradient step, (M,) float64.

    "sampling_only": 1, the weight only decides how often an item is drawn. "literal": P_i, as the algorithms print it,
    on top of being drawn in proportion to P_i. "normalized": P_i / mean(P).

    Args:
        weights: (M,), P_i > 0.
        weighting: one of the three.

    Source: P0, Algorithm 4.1 line 5 and Algorithm 4.2 line 5.
    Differs from the paper: only "literal" is printed. There the mean step is sum P^2 / sum P long, 2/3 of the largest
    weight for weights 1, 2, ..., M, so that any learning rate that suits a few images diverges with more of them.
    """
    checks.check_choice(weighting, "weighting", WEIGHTINGS)
    wide = weights.double()
    if weighting == "sampling_only":
        return torch.ones_like(wide)
    return wide if weighting == "literal" else wide / wide.mean()


def why_diverged(weights: Tensor, weighting: str, learning_rate: float | int, step: int) -> str:
    """Return the message of a training whose loss or weights became NaN or infinite at a step, counted from 1."""
    largest = step_factors(weights, weighting).max().item()
    text = (
        f"learning_rate: training diverged at step {step} (loss or weights are not finite) at {learning_rate:g} with "
        f"weighting {weighting!r}, whose longest steps are learning_rate times {largest:.4g}"
    )
    if weighting == "literal":
        return f'{text}: the weights P_i multiply the gradient as printed; use "sampling_only" or "normalized"'
    return f"{text}; lower it"
