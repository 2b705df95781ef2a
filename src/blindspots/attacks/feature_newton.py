"""The direction that costs least feature distance for what it gains: a few conjugate-gradient steps on J'J."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from blindspots import checks
from blindspots.attacks.feature_ball import LayerFeatures, check_differentiable_features, flat_features
from blindspots.types import Features, Images, Scores

JACOBIANS = ("exact", "finite_difference")
_DIFFERENCE = 1e-3
_SOLVED = 1e-24


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first.flatten(1) * second.flatten(1)).sum(dim=1)


def _differences(features: LayerFeatures, images: Images, flat: Features) -> Callable[[Images], Features]:
    """Return v -> J v from features a distance of 1e-3 away along v."""

    def along(vectors: Tensor) -> Tensor:
        lengths = _dot(vectors, vectors).sqrt()
        scale = torch.where(lengths > 0, lengths, 1.0)
        with torch.no_grad():
            moved = flat_features(features, images + (_DIFFERENCE / scale)[:, None, None, None] * vectors)
        return (moved - flat) * (scale / _DIFFERENCE)[:, None]

    return along


def _exact(leaf: Images, flat: Features) -> Callable[[Images], Features]:
    """Return v -> J v as the derivative in u of u'J v, which takes no forward-mode rules."""
    with torch.enable_grad():
        dual = torch.zeros_like(flat).requires_grad_(True)
        (pulled,) = torch.autograd.grad(flat, leaf, dual, create_graph=True)
    return lambda vectors: torch.autograd.grad(pulled, dual, vectors, retain_graph=True)[0]


def feature_newton_direction(
    features: LayerFeatures,
    images: Tensor,
    gradients: Tensor,
    *,
    iterations: int = 5,
    jacobian: str = "exact",
) -> tuple[Images, Scores]:
    r"""Approximate (J'J)^-1 g by conjugate gradients from 0, J the Jacobian of the flat features at each image.

    To second order ||J v||^2 is the squared feature distance of x + v from x, so (J'J)^-1 g is the direction
    that gains most of g'v for its distance: what H^-1 g is for 1 - SSIM in `ssim_one_step`, with J'J in the
    place of the Hessian H. J'J is singular wherever the features are blind, and few iterations then act as
    damping.

    Args:
        features: images -> activations of layers, each (N, c, h, w); see `flat_features`.
        images: (N, C, H, W).
        gradients: (N, C, H, W), g, of any scale.
        iterations: conjugate-gradient steps, at least 1. An image takes fewer where its residual is gone.
        jacobian: "exact" takes J v by automatic differentiation; "finite_difference" from features a distance
            of 1e-3 away along v, as the released code does, for features that cannot be differentiated twice.

    Returns:
        (N, C, H, W), the directions, 0 where g is 0 or the features are blind to it; and (N,), ||J d||_2,
        the feature distance per unit step along d.

    Raises:
        ValueError: an option out of range, or features without a gradient.

    Source: Laidlaw, Singla and Feizi (2021), Algorithm 1 and its appendix.
    Differs from the released code: it stops the whole batch when every squared residual is below 0.1, a number
    that depends on the loss's scale; here there is no such test. Its difference step scales with v.
    """
    checks.check_number(iterations, "iterations", at_least=1, integer=True)
    checks.check_choice(jacobian, "jacobian", JACOBIANS)
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_(True)
        flat = flat_features(features, leaf)
        check_differentiable_features(flat)
    constant = leaf.detach(), flat.detach()
    forward = _exact(leaf, flat) if jacobian == "exact" else _differences(features, *constant)

    directions, lengths = torch.zeros_like(gradients), torch.zeros_like(flat)
    residuals, searched = gradients.clone(), gradients.clone()
    squares = first = _dot(residuals, residuals)
    for iteration in range(iterations):
        along = forward(searched)
        curvatures = _dot(along, along)
        useful = (curvatures > 0) & (squares > _SOLVED * first)
        steps = torch.where(useful, squares / torch.where(useful, curvatures, 1.0), 0.0)
        directions += steps[:, None, None, None] * searched
        lengths += steps[:, None] * along
        if iteration == iterations - 1 or not useful.any():
            break
        (back,) = torch.autograd.grad(flat, leaf, along, retain_graph=True)
        residuals -= steps[:, None, None, None] * back
        squares, last = _dot(residuals, residuals), squares
        searched = residuals + (squares / torch.where(last > 0, last, 1.0))[:, None, None, None] * searched
    checks.check_finite(directions, "the direction in feature space")
    return directions, torch.linalg.vector_norm(lengths, dim=1)
