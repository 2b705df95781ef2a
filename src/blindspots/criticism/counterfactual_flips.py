"""The same picture with one attribute changed: does the answer change? P4's Figure 8, where the pairs can be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.types import Classifier


@dataclass(frozen=True)
class CounterfactualFlips:
    """What a model answers to pairs of images that differ in one attribute.

    Attributes:
        with_attribute: (N,), predictions for the images that have it.
        without_attribute: (N,), predictions for the same images without it.
        flipped: (N,), whether the two differ.
        flip_rate: share of the pairs, in [0, 1].
        interval: Wilson's 95 % interval of that share.
        class_rate_with: share of the images with the attribute that are taken for the class asked about.
        class_rate_without: the same without it; the difference of the two is the attribute's effect.
        n_gained: pairs taken for the class with the attribute only.
        n_lost: pairs taken for the class without it only.
        p_value: two-sided exact McNemar test of n_gained against n_lost; 1 if no pair changed.
    """

    with_attribute: Int[Tensor, " N"]
    without_attribute: Int[Tensor, " N"]
    flipped: Bool[Tensor, " N"]
    flip_rate: float
    interval: tuple[float, float]
    class_rate_with: float
    class_rate_without: float
    n_gained: int
    n_lost: int
    p_value: float


def counterfactual_flips(
    model: Classifier,
    images: Tensor,
    counterparts: Tensor,
    has_attribute: Tensor,
    *,
    target_class: int,
    batch_size: int = 256,
) -> CounterfactualFlips:
    """Count the answers that change with one attribute of the image.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        counterparts: (N, C, H, W), the same images with the attribute changed to its opposite, as `flip_attribute`
            draws them.
        has_attribute: (N,), bool or 0 / 1, whether the first of each pair has the attribute; the second has it where
            the first has not.
        target_class: the class whose bias is asked about, 0 to K - 1.
        batch_size: images per forward pass.

    Returns:
        CounterfactualFlips.

    Raises:
        TypeError, ValueError: bad images, counterparts of another shape, an attribute that is not binary, a class that
            the model does not have.

    Source: P4 Section 3.4 and Figure 8.
    Differs from the paper: its pairs are different photographs, sought so that a model's answers differ; these are the
    same picture but for the attribute, and all of them count.
    """
    checks.check_images(images)
    checks.check_images(counterparts, "counterparts")
    checks.check_same_shape(images, counterparts, "images", "counterparts")
    if not isinstance(has_attribute, Tensor) or has_attribute.shape != images.shape[:1]:
        got = tuple(has_attribute.shape) if isinstance(has_attribute, Tensor) else type(has_attribute).__name__
        raise ValueError(f"has_attribute: expected one flag per image, ({len(images)},), got {got}")
    if not ((has_attribute == 0) | (has_attribute == 1)).all():
        raise ValueError("has_attribute: expected 0 or 1 for each image, got other values; compare with a threshold")
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    first, n_classes = _predictions(model, images, batch_size)
    second, _ = _predictions(model, counterparts, batch_size)
    checks.check_number(target_class, "target_class", at_least=0, at_most=n_classes - 1, integer=True)
    has = has_attribute.to(first.device).bool()
    with_it, without = torch.where(has, first, second), torch.where(has, second, first)
    flipped = first != second
    gained = int(((with_it == target_class) & (without != target_class)).sum())
    lost = int(((with_it != target_class) & (without == target_class)).sum())
    n = len(first)
    low, high = proportion_confint(int(flipped.sum()), n, method="wilson")
    return CounterfactualFlips(
        with_attribute=with_it,
        without_attribute=without,
        flipped=flipped,
        flip_rate=flipped.double().mean().item(),
        interval=(float(low), float(high)),
        class_rate_with=(with_it == target_class).double().mean().item(),
        class_rate_without=(without == target_class).double().mean().item(),
        n_gained=gained,
        n_lost=lost,
        p_value=float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0,
    )


def _predictions(model: Classifier, images: Tensor, batch_size: int) -> tuple[Tensor, int]:
    """Return the predicted classes (N,), and their number."""
    answers = []
    with judged(model), torch.no_grad():
        for some in images.split(batch_size):
            logits = model(some)
            checks.check_logits(logits, len(some))
            answers.append(logits.argmax(dim=1))
    return torch.cat(answers), logits.shape[1]
