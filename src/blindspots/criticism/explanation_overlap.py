"""How far an explanation moves: top superpixels shared by two explanations, beside what chance would share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy import stats

from blindspots import checks
from blindspots.criticism.attention_image import attention_mask, superpixel_order
from blindspots.criticism.lime_explain import Explanation


@dataclass(frozen=True)
class ExplanationOverlap:
    """What two explanations share.

    Attributes:
        pixels: attended pixels of both over those of either, 0 to 1; NaN if neither attends to any.
        shared: superpixels among the top of both; None with different superpixels, like all below.
        shared_by_chance: the number that two random choices of as many superpixels share on average.
        superpixels: shared over those in either top, 0 to 1; NaN if both are empty.
        rank_correlation: Spearman's, of the weights of all superpixels; NaN if one explanation is constant.
    """

    pixels: float
    shared: int | None
    shared_by_chance: float | None
    superpixels: float | None
    rank_correlation: float | None


def explanation_overlap(
    first: Explanation,
    second: Explanation,
    first_label: int,
    second_label: int,
    *,
    n_superpixels: int = 8,
    positive_only: bool = True,
) -> ExplanationOverlap:
    """Return what the top superpixels of two explanations share.

    Args:
        first: see `lime_explain`, such as that of the clean image.
        second: such as that of the attacked image; with the same superpixels, if these are to be compared.
        first_label: the class explained in the first, such as the true one.
        second_label: the class explained in the second, such as the one predicted under attack.
        n_superpixels: size of the tops, at least 1.
        positive_only: see `superpixel_order`.

    Returns:
        ExplanationOverlap.

    Raises:
        TypeError, ValueError: images of different size, a class that was not explained, n_superpixels below 1.

    Source: P4 Sec. 3.2 and Fig. 5 say that an attack shifts attention; the measure is ours.
    """
    checks.check_number(n_superpixels, "n_superpixels", at_least=1, integer=True)
    if first.segments.shape != second.segments.shape:
        raise ValueError(
            f"second: expected an image of {tuple(first.segments.shape)} pixels like the first, got "
            f"{tuple(second.segments.shape)}; explain both at one size"
        )
    given = ((first, first_label), (second, second_label))
    masks = [attention_mask(one, k, n_superpixels=n_superpixels, positive_only=positive_only) for one, k in given]
    pixels = _ratio(int((masks[0] & masks[1]).sum()), int((masks[0] | masks[1]).sum()))
    if not torch.equal(first.segments, second.segments):
        return ExplanationOverlap(pixels, None, None, None, None)
    tops = [set(superpixel_order(one, k, positive_only=positive_only)[:n_superpixels].tolist()) for one, k in given]
    shared = len(tops[0] & tops[1])
    weights = [one.weights_of(k).double().cpu().numpy() for one, k in given]
    constant = any(values.min() == values.max() for values in weights)
    return ExplanationOverlap(
        pixels=pixels,
        shared=shared,
        shared_by_chance=len(tops[0]) * len(tops[1]) / len(weights[0]),
        superpixels=_ratio(shared, len(tops[0] | tops[1])),
        rank_correlation=float("nan") if constant else float(stats.spearmanr(*weights).statistic),
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
