"""Newton directions of the SSIM distance by preconditioned conjugate gradients, without forming a matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.perception.banded import BlockedOperator, DenseOperator, window_operator
from blindspots.perception.preconditioner import CoarsePreconditioner, DiagonalPreconditioner
from blindspots.perception.ssim import check_ssim_images, working_dtype
from blindspots.perception.ssim_hessian import SsimCurvature, ssim_curvature
from blindspots.perception.window import Window, gaussian_weights, gaussian_window
from blindspots.types import Counts, Flags, Images, Scores

Operator = DenseOperator | BlockedOperator
Preconditioner = DiagonalPreconditioner | CoarsePreconditioner

_CHECK_EVERY = 4
_COARSE_SIDE = 40
_CHUNK_VALUES = 1 << 17
_SAFETY = 0.9


@dataclass(frozen=True)
class NewtonDirection:
    """The solution of H d = g for a batch of images, and how good it is.

    Attributes:
        direction: (N, C, H, W), d.
        residual: (N,), ||H d - g||_2 / ||g||_2, computed from d at the end; 0 where g = 0.
        iterations: (N,), conjugate-gradient iterations, the most over the image's channels.
        converged: (N,), whether residual <= tolerance. If not: raise max_iterations or the tolerance, use
            float64 (float32 stops gaining near 1e-6), or add damping.
    """

    direction: Images
    residual: Scores
    iterations: Counts
    converged: Flags


def check_solver(*, damping: float | int, tolerance: float | int, max_iterations: int) -> None:
    """Raise unless the solver's options are in range."""
    checks.check_number(damping, "damping", at_least=0.0)
    checks.check_number(tolerance, "tolerance", above=0.0)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return torch.linalg.vecdot(first.flatten(1), second.flatten(1))[:, None, None]


def _conjugate_gradients(
    operator: Operator, preconditioner: Preconditioner, sides: Tensor, *, thresholds: Tensor, budget: int
) -> tuple[Tensor, Tensor]:
    """Return approximate solutions (M, H, W) of operator x = sides and the iterations (M,) each took.

    The stop test ||r|| <= thresholds (M,) is made every few iterations, so that a GPU is seldom waited for;
    maps that pass leave the batch, so a map's result does not depend on its companions.
    """
    solutions = torch.zeros_like(sides)
    iterations = torch.full(sides.shape[:1], budget, dtype=torch.long, device=sides.device)
    index = torch.arange(sides.shape[0], device=sides.device)
    tiny = torch.finfo(sides.dtype).tiny
    x, r = torch.zeros_like(sides), sides.clone()
    z, q = torch.empty_like(r), torch.empty_like(r)
    p = preconditioner(r, z).clone()
    rho = _dot(r, p)
    for done in range(1, budget + 1):
        operator(p, q)
        alpha = rho / _dot(p, q).add_(tiny)
        x.addcmul_(alpha, p)
        r.addcmul_(alpha, q, value=-1.0)
        if done % _CHECK_EVERY == 0 or done == budget:
            left = _dot(r, r).flatten().sqrt_() > thresholds
            n_left = int(left.sum())
            if n_left < index.numel():
                finished = ~left
                solutions[index[finished]] = x[finished]
                iterations[index[finished]] = done
                if n_left == 0:
                    return solutions, iterations
                keep = left.nonzero().flatten()
                index, thresholds = index[keep], thresholds[keep]
                x, r, p, rho = x[keep], r[keep], p[keep], rho[keep]
                z, q = torch.empty_like(r), torch.empty_like(r)
                operator, preconditioner = operator.select(keep), preconditioner.select(keep)
        preconditioner(r, z)
        rho_next = _dot(r, z)
        p.mul_(rho_next / rho.add_(tiny)).add_(z)
        rho = rho_next
    solutions[index] = x
    return solutions, iterations


def _solve_maps(
    curvature: SsimCurvature,
    weights: Tensor,
    padding: str,
    sides: Tensor,
    *,
    tolerance: float | int,
    max_iterations: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Solve [W^T diag(c) W + diag(d)] x = side for unit sides (M, H, W); return x, the residuals and
    iterations (M,).

    The residual is recomputed from x. Where rounding kept it above the tolerance, the iteration starts again
    on what is left, as long as that helps.
    """
    coupling, diagonal = curvature.coupling.flatten(0, 1), curvature.diagonal.flatten(0, 1)
    operator = window_operator(curvature.window, weights, padding, coupling, diagonal)
    if max(diagonal.shape[-2:]) > _COARSE_SIDE:
        preconditioner = CoarsePreconditioner(curvature.window, coupling, diagonal)
    else:
        preconditioner = DiagonalPreconditioner(diagonal)
    solutions, residuals = torch.zeros_like(sides), sides.clone()
    norms = _dot(sides, sides).flatten().sqrt_()
    iterations = torch.zeros(sides.shape[0], dtype=torch.long, device=sides.device)
    index = (norms > 0).nonzero().flatten()
    budget = max_iterations
    while index.numel() > 0 and budget > 0:
        if index.numel() < operator.n_maps:
            operator = window_operator(curvature.window, weights, padding, coupling[index], diagonal[index])
        corrections, used = _conjugate_gradients(
            operator,
            preconditioner.select(index),
            residuals[index],
            thresholds=torch.full_like(norms[index], _SAFETY * tolerance),
            budget=budget,
        )
        candidates = solutions[index] + corrections
        left = sides[index] - operator(candidates, torch.empty_like(candidates))
        left_norms = _dot(left, left).flatten().sqrt_()
        better, much_better = left_norms < norms[index], left_norms < 0.5 * norms[index]
        helped = index[better]
        solutions[helped], residuals[helped] = candidates[better], left[better]
        norms[helped] = left_norms[better]
        iterations[index] += used
        budget = max_iterations - int(iterations[index].max())
        index = index[much_better & (norms[index] > tolerance)]
    return solutions, norms, iterations


def ssim_newton_direction(
    images: Tensor,
    gradients: Tensor,
    *,
    damping: float | int = 0.0,
    tolerance: float | int = 1e-5,
    max_iterations: int = 300,
    window_size: int = 11,
    sigma: float | int = 1.5,
    data_range: float | int = 1.0,
    padding: str = "same",
) -> NewtonDirection:
    r"""Solve H d = g for each image, H the Hessian of `ssim_distance` to the image at the image itself.

    d maximizes g'd - (1/2) d'H d: of all small changes with the same SSIM distance it has the largest inner
    product with g. Conjugate gradients on (H + damping mean(diag H) I) d = g with the product of
    `ssim_hessian_product`, channel by channel since H does not couple channels. The preconditioner is the
    diagonal W^T b; above 40 pixels a coarse correction joins it (see `blindspots.perception.preconditioner`).

    Args:
        images: (N, C, H, W), any finite values; constants, no gradient flows to them.
        gradients: (N, C, H, W), g, same shape, dtype and device, any finite values; of any scale.
        damping: added to the diagonal, as a multiple of the image's mean diagonal entry; >= 0. It changes
            the answer, most of all for "valid" windows.
        tolerance: bound on the relative residual ||H d - g|| / ||g||, > 0.
        max_iterations: cap, at least 1. The stop test is made every fourth iteration.
        window_size: see `ssim`.
        sigma: see `ssim`.
        data_range: see `ssim`.
        padding: see `ssim`. With "valid" the border pixels are almost free to change, and d lies on them.

    Returns:
        NewtonDirection, in the dtype of images. d = 0, converged, for a gradient of exactly 0.

    Raises:
        TypeError, ValueError: as `ssim`; gradients of another shape or with NaN; an option out of range.

    Source: P0 Section 3.1, Eq. 3.4 before it is normalized.
    Differs from the paper: it inverts the explicit matrix, on 28x28 pixels; the answer is the same
    (`ssim_hessian_dense`).
    """
    options = dict(window_size=window_size, sigma=sigma, data_range=data_range, padding=padding)
    check_ssim_images(images, "images", **options)
    checks.check_same_shape(images, gradients, "images", "gradients")
    checks.check_finite(gradients, "gradients")
    check_solver(damping=damping, tolerance=tolerance, max_iterations=max_iterations)
    images, gradients = images.detach(), gradients.detach()
    dtype = working_dtype(images, data_range=data_range)
    window = gaussian_window(
        *images.shape[-2:], window_size=window_size, sigma=sigma, padding=padding, dtype=dtype,
        device=images.device
    )
    weights = gaussian_weights(window_size, sigma)
    # On a CPU few enough images at a time that the working set stays in its cache.
    per_chunk = max(1, _CHUNK_VALUES // images[0].numel()) if images.device.type == "cpu" else images.shape[0]
    chunks = zip(images.to(dtype).split(per_chunk), gradients.to(dtype).split(per_chunk), strict=True)
    parts = [
        _solve_images(
            window, weights, padding, part, side, data_range=data_range, damping=damping, tolerance=tolerance,
            max_iterations=max_iterations,
        )
        for part, side in chunks
    ]  # fmt: skip
    direction, residual, iterations = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
    return NewtonDirection(
        direction.to(images.dtype), residual.to(images.dtype), iterations, residual <= tolerance
    )


def _solve_images(
    window: Window, weights: Tensor, padding: str, images: Images, gradients: Images, *,
    data_range: float | int, damping: float | int, tolerance: float | int, max_iterations: int,
) -> tuple[Images, Float[Tensor, " N"], Counts]:  # fmt: skip
    """Return direction, relative residual and iterations for images of the working dtype."""
    n, channels = images.shape[:2]
    curvature = ssim_curvature(window, images, data_range)
    if damping > 0.0:
        mean = curvature.full_diagonal().mean(dim=(1, 2, 3), keepdim=True) / curvature.scale
        curvature = replace(curvature, diagonal=curvature.diagonal + damping * mean)
    # Unit right-hand sides: squares of a confident network's gradients would leave float32's range.
    sides = gradients.flatten(0, 1)
    peaks = sides.abs().amax(dim=(1, 2), keepdim=True)
    sides = sides / torch.where(peaks > 0, peaks, 1.0)
    lengths = torch.linalg.vector_norm(sides, dim=(1, 2), keepdim=True)
    sides = sides / torch.where(lengths > 0, lengths, 1.0)
    solutions, residuals, iterations = _solve_maps(
        curvature, weights, padding, sides, tolerance=tolerance, max_iterations=max_iterations
    )
    direction = solutions * (lengths / curvature.scale) * peaks
    # Each channel's residual weighs by its share of the image's gradient.
    largest = peaks.view(n, channels).amax(dim=1, keepdim=True)
    shares = peaks.view(n, channels) / torch.where(largest > 0, largest, 1.0) * lengths.view(n, channels)
    total = torch.linalg.vector_norm(shares, dim=1)
    missed = torch.linalg.vector_norm(shares * residuals.view(n, channels), dim=1)
    residual = missed / torch.where(total > 0, total, 1.0)
    return direction.view_as(images), residual, iterations.view(n, channels).amax(dim=1)
