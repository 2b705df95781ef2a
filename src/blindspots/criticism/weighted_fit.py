"""Weighted squares with an optional ridge: all classes share one matrix, and one solve where they can."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class WeightedMoments:
    """What the samples say to second order.

    Attributes:
        gram: (D, D), Z^T W Z of the masks, centered by their weighted mean if there is an intercept.
        moments: (D, M), Z^T W Y with the outputs, centered likewise.
        totals: (M,), the weighted squares of the centered outputs.
        spread: (M,), the same about the weighted mean whether or not there is an intercept.
        mask_mean: (D,), subtracted from the masks; zeros without an intercept.
        output_mean: (M,), subtracted from the outputs.
    """

    gram: Float[Tensor, "D D"]
    moments: Float[Tensor, "D M"]
    totals: Float[Tensor, " M"]
    spread: Float[Tensor, " M"]
    mask_mean: Float[Tensor, " D"]
    output_mean: Float[Tensor, " M"]


@dataclass(frozen=True)
class WeightedFit:
    """Linear models of all classes: weights (M, D), intercepts (M,), weighted R^2 (M,), NaN for a constant output."""

    weights: Float[Tensor, "M D"]
    intercepts: Float[Tensor, " M"]
    scores: Float[Tensor, " M"]


def weighted_moments(masks: Tensor, outputs: Tensor, sample_weights: Tensor, *, intercept: bool) -> WeightedMoments:
    """Return the moments of masks (n, D) and outputs (n, M) under weights (n,), in float64."""
    masks, outputs = masks.double(), outputs.double()
    shares = sample_weights / sample_weights.sum()
    mean_mask, mean_output = shares @ masks, shares @ outputs
    spread = sample_weights @ (outputs - mean_output).square()
    if not intercept:
        mean_mask, mean_output = torch.zeros_like(mean_mask), torch.zeros_like(mean_output)
    masks, outputs = masks - mean_mask, outputs - mean_output
    weighted = masks.T * sample_weights
    totals = sample_weights @ outputs.square()
    return WeightedMoments(weighted @ masks, weighted @ outputs, totals, spread, mean_mask, mean_output)


def weighted_fit(moments: WeightedMoments, kept: Bool[Tensor, "M D"], *, ridge: float) -> WeightedFit:
    r"""Return the weights b of each class that minimize sum_i w_i (y_i - a - b^T z_i)^2 + ridge ||b||^2.

    Weights of superpixels that are not kept are 0; the intercept a is not penalized. Without a ridge the solution
    of least norm is returned where the samples do not fix the weights.
    """
    gram, right = moments.gram, moments.moments
    if kept.all():
        weights = _solved(gram, right, ridge).T
    else:
        size = max(int(kept.sum(dim=1).max()), 1)
        order = (~kept).long().argsort(dim=1, stable=True)[:, :size]
        inside = kept.gather(1, order)
        both = inside[:, :, None] & inside[:, None, :]
        blocks = gram[order[:, :, None], order[:, None, :]] * both
        # A slot that a class leaves empty has the equation 1 b = 0.
        blocks = blocks + torch.diag_embed((~inside).to(gram.dtype))
        solved = _solved(blocks, (right.T.gather(1, order) * inside)[..., None], ridge)[..., 0]
        weights = torch.zeros_like(right.T).scatter(1, order, solved)
    rest = moments.totals - 2 * (weights * right.T).sum(1) + ((weights @ gram) * weights).sum(1)
    scores = torch.where(moments.spread > 0, 1 - rest / moments.spread, torch.nan)
    return WeightedFit(weights, moments.output_mean - weights @ moments.mask_mean, scores)


def is_determined(gram: Tensor) -> bool:
    """Say whether the samples alone fix the weight of every superpixel."""
    return int(torch.linalg.matrix_rank(gram, hermitian=True)) == len(gram)


def _solved(gram: Tensor, right: Tensor, ridge: float) -> Tensor:
    if ridge > 0:
        return torch.linalg.solve(gram + ridge * torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device), right)
    return torch.linalg.pinv(gram, hermitian=True) @ right
