"""Total variation minimization: forget some of the pixels and fill the image in with as few edges as will do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.types import Counts, Flags, Images, Scores

_EDGE_PENALTY = 50.0
_DATA_PENALTY = 0.2
_RELAXATION = 1.8
_CHECK_EVERY = 5
_CHUNK_VALUES = 1 << 16  # on a CPU, so that the working set stays in its cache


@dataclass(frozen=True)
class TotalVariationFit:
    """Minimizers for a batch of images, and how good they are.

    Attributes:
        images: (N, C, H, W), z; not clamped.
        objective: (N,), the minimized sum at z.
        iterations: (N,), iterations each image took.
        converged: (N,), whether both relative residuals met the tolerance. If not: raise max_iterations.
    """

    images: Images
    objective: Scores
    iterations: Counts
    converged: Flags


def _differences(images: Images) -> Float[Tensor, "2 N C H W"]:
    """Return the differences to the pixel below and to the right; 0 at the last row and column."""
    steps = images.new_zeros(2, *images.shape)
    steps[0, ..., :-1, :] = images.diff(dim=-2)
    steps[1, ..., :-1] = images.diff(dim=-1)
    return steps


def _differences_adjoint(steps: Float[Tensor, "2 N C H W"]) -> Images:
    """Return the adjoint of `_differences`."""
    down, right = steps[0, ..., :-1, :], steps[1, ..., :-1]
    total = steps.new_zeros(steps.shape[1:])
    total[..., :-1, :] -= down
    total[..., 1:, :] += down
    total[..., :-1] -= right
    total[..., 1:] += right
    return total


def _cosines(n: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the orthonormal cosine basis (n, n), a wave per row, and each wave's squared difference (n,)."""
    axis = torch.arange(n, dtype=torch.float64, device=like.device)
    basis = torch.cos(math.pi * (axis + 0.5) * axis[:, None] / n) * math.sqrt(2.0 / n)
    basis[0] /= math.sqrt(2.0)
    return basis.to(like.dtype), (2.0 - 2.0 * torch.cos(math.pi * axis / n)).to(like.dtype)


def _norms(tensor: Tensor, dims: tuple[int, ...]) -> Scores:
    return torch.linalg.vector_norm(tensor, dim=dims)


def _objective(fits: Images, images: Images, mask: Tensor, weight: float | int) -> Scores:
    misfit = (mask * (fits - images)).square().sum(dim=(1, 2, 3))
    edges = torch.hypot(*_differences(fits)).sum(dim=(1, 2, 3))
    return 0.5 * misfit + weight * edges


def _solve(
    images: Images, mask: Images, *, weight: float | int, tolerance: float | int, max_iterations: int
) -> tuple[Images, Counts, Flags]:
    """Return the minimizers, iterations and whether each converged; images that did leave the batch."""
    rows, row_energy = _cosines(images.shape[-2], images)
    columns, column_energy = _cosines(images.shape[-1], images)
    edge_penalty = _EDGE_PENALTY * weight
    system = _DATA_PENALTY + edge_penalty * (row_energy[:, None] + column_energy)
    solutions = images.clone()
    iterations = torch.full(images.shape[:1], max_iterations, dtype=torch.long, device=images.device)
    converged = torch.zeros_like(iterations, dtype=torch.bool)
    index = torch.arange(images.shape[0], device=images.device)

    known = mask * images
    count = mask.sum(dim=(2, 3), keepdim=True)
    filled = known + (1.0 - mask) * known.sum(dim=(2, 3), keepdim=True) / count.clamp_min(1.0)
    edges = _differences(filled)
    edge_dual, data_dual = torch.zeros_like(edges), torch.zeros_like(filled)
    for done in range(1, max_iterations + 1):
        side = _DATA_PENALTY * (filled - data_dual) + edge_penalty * _differences_adjoint(edges - edge_dual)
        fits = rows.mT @ (rows @ side @ columns.mT / system) @ columns
        steps = _differences(fits)
        last_edges, last_filled = edges, filled
        relaxed = torch.lerp(edges, steps, _RELAXATION) + edge_dual
        lengths = torch.hypot(*relaxed)
        threshold = weight / edge_penalty
        edges = relaxed * (1.0 - threshold / lengths.clamp_min(threshold))
        edge_dual = relaxed - edges
        relaxed = torch.lerp(filled, fits, _RELAXATION) + data_dual
        filled = (known + _DATA_PENALTY * relaxed) / (mask + _DATA_PENALTY)
        data_dual = relaxed - filled
        if done % _CHECK_EVERY and done < max_iterations:
            continue

        tiny = torch.finfo(images.dtype).tiny
        gap = _norms(steps - edges, (0, 2, 3, 4)) + _norms(fits - filled, (1, 2, 3))
        size = _norms(edges, (0, 2, 3, 4)) + _norms(filled, (1, 2, 3))
        drift = edge_penalty * _differences_adjoint(edges - last_edges) + _DATA_PENALTY * (filled - last_filled)
        settled = _norms(drift, (1, 2, 3)) <= tolerance * weight * math.sqrt(images[0].numel())
        finished = (gap <= tolerance * (size + tiny)) & settled
        solutions[index] = fits
        converged[index[finished]] = True
        iterations[index] = done
        if finished.all():
            break
        if finished.any():
            keep = (~finished).nonzero().flatten()
            index, mask, known, filled, data_dual = (part[keep] for part in (index, mask, known, filled, data_dual))
            edges, edge_dual = edges[:, keep], edge_dual[:, keep]
    return solutions, iterations, converged


def fit_total_variation(
    images: Tensor,
    mask: Tensor,
    *,
    weight: float | int = 0.03,
    tolerance: float | int = 5e-3,
    max_iterations: int = 500,
) -> TotalVariationFit:
    r"""Minimize the total variation plus the misfit on the pixels that count.

        min_z  (1/2) sum m (z - x)^2 + weight sum sqrt((z_down - z)^2 + (z_right - z)^2)
    for each image x and channel, by the alternating direction method (split Bregman): the edges and the known
    pixels are split off, and what couples the pixels is solved exactly with cosine transforms.

    Args:
        images: (N, C, H, W) in [0, 1].
        mask: (N, C, H, W), m, 1 where the value counts and 0 where it is to be filled in; dtype and device of
            images. A channel without a 1 comes out black.
        weight: of the total variation, in the units of images, > 0. Larger = fewer edges.
        tolerance: an image stops when both its residuals are below it, > 0: the gap between the split parts
            and the image relative to their size, and the change of the splitting's force in units of weight
            per pixel. 5e-3 leaves the objective of a photograph about 1e-3 above the minimum or less.
        max_iterations: cap, at least 1. The stop test is made every fifth iteration.

    Returns:
        TotalVariationFit.

    Raises:
        TypeError, ValueError: bad images or options; a mask of another shape or with other values than 0, 1.

    Source: the objective is that of Rudin, Osher and Fatemi (1992), the splitting that of Goldstein and Osher
    (2009).
    """
    checks.check_images(images)
    checks.check_same_shape(images, mask, "images", "mask")
    if not ((mask == 0) | (mask == 1)).all():
        raise ValueError("mask: expected only 0 and 1, got other values; compare with a threshold first")
    checks.check_number(weight, "weight", above=0.0)
    checks.check_number(tolerance, "tolerance", above=0.0)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)
    dtype = torch.promote_types(images.dtype, torch.float32)
    wide, kept = images.detach().to(dtype), mask.detach().to(dtype)
    settings = dict(weight=weight, tolerance=tolerance, max_iterations=max_iterations)
    per_chunk = max(1, _CHUNK_VALUES // wide[0].numel()) if wide.device.type == "cpu" else len(wide)
    parts = [
        _solve(*chunk, **settings) for chunk in zip(wide.split(per_chunk), kept.split(per_chunk), strict=True)
    ]
    fits, iterations, converged = (torch.cat(part) for part in zip(*parts, strict=True))
    objective = _objective(fits, wide, kept, weight)
    return TotalVariationFit(fits.to(images.dtype), objective.to(images.dtype), iterations, converged)


def total_variation(
    images: Tensor,
    *,
    weight: float | int = 0.03,
    keep: float | int = 0.5,
    generator: torch.Generator,
    tolerance: float | int = 5e-3,
    max_iterations: int = 500,
) -> Images:
    """Drop values at random and fill the image in with the least total variation (TVM).

    Each value of each channel is kept or dropped on its own; `fit_total_variation` then fits the kept ones and
    fills in the rest. Call that function where the solver's convergence has to be known.

    Args:
        images: (N, C, H, W) in [0, 1].
        weight: of the total variation against half the squared misfit, in the units of images, > 0.
        keep: probability that a value is kept, in (0, 1]. 1 drops nothing and draws nothing.
        generator: CPU generator for the dropped values. The first image of a batch gets what it would get
            alone.
        tolerance: see `fit_total_variation`.
        max_iterations: see `fit_total_variation`.

    Returns:
        (N, C, H, W), clamped to [0, 1], in the dtype and on the device of images. No gradient flows through.

    Raises:
        TypeError, ValueError: bad images or options; a generator that is not on the CPU.

    Source: Guo et al. (2018), Section 4.3; weight 0.03 and keep 0.5 are those of its released code.
    Differs from the paper: its equation sums, row by row and column by column, the length of the differences
    of whole rows and columns and leaves the misfit unsquared; we minimize the isotropic total variation with
    half the squared misfit, which is what the split-Bregman solver of its released code is for.
    """
    checks.check_images(images)
    checks.check_number(keep, "keep", above=0.0, at_most=1.0)
    checks.check_generator(generator)
    mask = torch.ones(images.shape)
    if keep < 1.0:
        mask = (torch.rand(images.shape, generator=generator) < keep).float()
    fit = fit_total_variation(
        images, mask.to(images), weight=weight, tolerance=tolerance, max_iterations=max_iterations
    )
    return fit.images.clamp(0.0, 1.0)
