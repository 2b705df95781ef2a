"""Searches without a gradient, to hold the gradient's against: along random directions, and along all of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.latent.decay import decayed_latents
from blindspots.latent.inputs import Decoder, both_judged, check_rows, check_subjects, decoded
from blindspots.latent.latent_pgd import LatentSearch
from blindspots.latent.row_streams import row_normals
from blindspots.latent.scaled_norm import scaled_norm
from blindspots.latent.search_runs import Question, shortened
from blindspots.types import Classifier


def random_direction_search(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    bound: float | int,
    directions: int = 100,
    radii: int = 10,
    bisections: int = 10,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 4096,
) -> LatentSearch:
    """Search the smallest change of class along random directions from each decayed latent.

    All directions are asked about at rising radii; at the first radius where the class changes, each direction that
    changes it is bisected between this radius and the center, and the shortest is kept.

    Args:
        model, decode, latents, labels, epsilon, bound: of `latent_pgd`.
        directions: R for each latent, uniform on the sphere, at least 1.
        radii: steps of equal width from the center to the bound, at least 1.
        bisections: halvings of the distance.
        seed: of the directions.
        rows: (N,), numbers of the rows' random streams; None: 0 to N - 1.
        batch_size: most points asked about together; at least those of one latent at one radius are.

    Returns:
        LatentSearch; n_runs is R, run the number of the direction from 1 on, steps the points asked about before the
        bisection, gradient_evaluations 0. Its perturbations are 0 where nothing was found.

    Raises:
        TypeError, ValueError: bad latents, labels, options, images or logits.

    Source: ours; P2 does not judge its search.
    """
    checks.check_number(directions, "directions", at_least=1, integer=True)
    check_subjects(latents, labels, batch_size)
    streams = check_rows(rows, len(latents), latents.device)

    def drawn(some: Tensor) -> Tensor:
        size = directions * latents.shape[1]
        normals = row_normals(streams[some], size, seed=seed, names=("directions",)).to(latents)
        normals = normals.reshape(-1, latents.shape[1])
        return (normals / scaled_norm(normals)[:, None]).reshape(len(some), directions, -1)

    return _directed(
        model, decode, latents, labels, drawn, directions, epsilon=epsilon, bound=bound, radii=radii,
        bisections=bisections, batch_size=batch_size,
    )  # fmt: skip


def grid_search(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    bound: float | int,
    angles: int = 360,
    radii: int = 50,
    bisections: int = 10,
    batch_size: int = 4096,
) -> LatentSearch:
    """Search the smallest change of class along all directions of a latent space of one or two dimensions.

    Args:
        model, decode, latents, labels, epsilon, bound: of `latent_pgd`, with D = 1 or 2.
        angles: directions in the plane, evenly spaced, at least 4; a line has two.
        radii: steps of equal width from the center to the bound, at least 1: a class that is met between two of them
            and left again is missed.
        bisections: halvings of the distance.
        batch_size: most points asked about together; at least those of one latent at one radius are.

    Returns:
        LatentSearch, as of `random_direction_search`.

    Raises:
        TypeError, ValueError: more than two dimensions; bad latents, labels, options, images or logits.

    Source: ours; P2 does not judge its search.
    """
    check_subjects(latents, labels, batch_size)
    checks.check_number(angles, "angles", at_least=4, integer=True)
    if latents.shape[1] > 2:
        raise ValueError(
            f"latents: expected one or two dimensions, got {latents.shape[1]}; use random_direction_search in more"
        )
    if latents.shape[1] == 1:
        grid = torch.tensor([[1.0], [-1.0]])
    else:
        turns = 2 * math.pi * torch.arange(angles, dtype=torch.float64) / angles
        # Of scaled norm 1: sqrt(2) long.
        grid = torch.stack([turns.cos(), turns.sin()], dim=1) * 2**0.5
    grid = grid.to(latents)
    return _directed(
        model, decode, latents, labels, lambda some: grid.expand(len(some), -1, -1), len(grid), epsilon=epsilon,
        bound=bound, radii=radii, bisections=bisections, batch_size=batch_size,
    )  # fmt: skip


def _directed(
    model: Classifier, decode: Decoder, latents: Tensor, labels: Tensor,
    directions_of: Callable[[Tensor], Tensor], count: int, *, epsilon: float | int, bound: float | int,
    radii: int, bisections: int, batch_size: int,
) -> LatentSearch:  # fmt: skip
    checks.check_number(bound, "bound", above=0.0)
    checks.check_number(radii, "radii", at_least=1, integer=True)
    checks.check_number(bisections, "bisections", at_least=0, integer=True)
    centers = decayed_latents(latents, epsilon=epsilon)
    parts = []
    with both_judged(model, decode):
        for some in torch.arange(len(latents), device=latents.device).split(max(1, batch_size // count)):
            decoded(decode, centers[some], labels[some])
            question = Question(lambda points, rows, own=labels[some]: model(decode(points, own[rows])), labels[some])
            parts.append(
                _shells(question, centers[some], directions_of(some), float(bound), radii=radii, bisections=bisections)
            )
    return LatentSearch(**{name: torch.cat([part[name] for part in parts]) for name in parts[0]}, bound=float(bound))


def _shells(
    question: Question, centers: Tensor, directions: Float[Tensor, "N R D"], bound: float, *, radii: int,
    bisections: int,
) -> dict[str, Tensor]:  # fmt: skip
    """Return the fields of a LatentSearch: the shortest change of class along given directions."""
    n, count, _ = directions.shape
    everyone = torch.arange(n, device=centers.device)
    changes = torch.zeros_like(centers)
    run, asked = everyone.new_full((n,), -1), torch.zeros_like(everyone)
    run[question.misread(centers, everyone)] = 0
    for shell in range(1, radii + 1):
        open_rows = (run < 0).nonzero().flatten()
        if open_rows.numel() == 0:
            break
        rows = open_rows.repeat_interleave(count)
        tried = directions[open_rows].reshape(len(rows), -1) * (bound * shell / radii)
        wrong = question.misread(centers[rows] + tried, rows)
        asked[open_rows] += count
        hits = wrong.nonzero().flatten()
        short = shortened(question, centers[rows[hits]], tried[hits], rows[hits], bisections=bisections)
        lengths = torch.full((len(rows),), torch.inf, dtype=centers.dtype, device=centers.device)
        lengths[hits] = scaled_norm(short)
        tried[hits] = short
        best = lengths.reshape(len(open_rows), count).argmin(dim=1)
        chosen = torch.arange(len(open_rows), device=centers.device) * count + best
        got = lengths[chosen].isfinite()
        changes[open_rows[got]], run[open_rows[got]] = tried[chosen[got]], best[got] + 1
    success = question.misread(centers + changes, everyone) & (run >= 0)
    return dict(
        centers=centers, perturbations=changes, success=success, run=run, n_runs=torch.full_like(run, count),
        steps=asked, norms=torch.where(success, scaled_norm(changes), torch.inf),
        gradient_evaluations=torch.zeros_like(run), stalled=torch.zeros_like(success),
    )  # fmt: skip
