"""P2's search for latent perturbations as its authors' code has it, defects included, to be held against ours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.latent import decayed_latents, scaled_norm
from blindspots.latent.ball import BALLS
from blindspots.latent.inputs import both_judged, check_subjects
from blindspots.latent.row_streams import row_normals, row_uniforms
from blindspots.latent.search_runs import Question, ascend


@dataclass(frozen=True)
class PublishedSearch:
    """What the published search returns for N latents.

    Attributes:
        norms: (N,), ||D||_s of what is returned: the best success, or the last attempt of the first run.
        success: (N,), whether it is misread. The published code does not keep this.
        wrong_at_center: (N,), whether the decayed latent itself is misread. The published code does not ask.
        gradient_evaluations: (N,), gradients over all runs.
    """

    norms: Tensor
    success: Tensor
    wrong_at_center: Tensor
    gradient_evaluations: Tensor


def published_search(
    model: torch.nn.Module,
    decode: torch.nn.Module,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    bound: float | int,
    steps: int = 50,
    step_size: float | int = 0.05,
    restarts: int = 12,
    seed: int = 0,
) -> PublishedSearch:
    """Search the smallest perturbation with random starts only, as the published code does.

    The decayed latent is not tested, no run starts from it, the last update of a run is not tested, a success is not
    shortened, and where every run fails the last attempt of the first run is returned as if it had succeeded.

    Args:
        model, decode, latents, labels, epsilon, bound, steps, step_size, restarts, seed: of `latent.latent_pgd`, whose
            starts it shares; at least two steps.

    Raises:
        TypeError, ValueError: bad latents, labels, options, images or logits.

    Source: the code of P2's authors, mode "min".
    """
    check_subjects(latents, labels, 1)
    checks.check_number(bound, "bound", above=0.0)
    checks.check_number(step_size, "step_size", above=0.0)
    checks.check_number(steps, "steps", at_least=2, integer=True)
    checks.check_number(restarts, "restarts", at_least=1, integer=True)
    centers, ball = decayed_latents(latents, epsilon=epsilon), BALLS["scaled_l2"]
    rows = torch.arange(len(latents), device=latents.device)
    radii = torch.full((len(latents),), float(bound), dtype=latents.dtype, device=latents.device)
    success, gradients = torch.zeros_like(rows, dtype=torch.bool), torch.zeros_like(rows)
    changes = torch.zeros_like(centers)
    with both_judged(model, decode):
        question = Question(lambda points, which: model(decode(points, labels[which])), labels)
        wrong = question.misread(centers, rows)
        for run in range(1, restarts + 1):
            normals = row_normals(rows, latents.shape[1], seed=seed, names=("start", run)).to(centers)
            shares = row_uniforms(rows, seed=seed, names=("start radius", run)).to(centers)
            starts = normals / scaled_norm(normals)[:, None] * (shares * radii)[:, None]
            # One update fewer: the published run ends with an update that nobody looks at.
            found = ascend(question, ball, centers, starts, rows, radii, steps=steps - 1, step_size=float(step_size))
            gradients += found.gradients
            if run == 1:
                changes = found.changes
            changes = torch.where(found.found[:, None], found.changes, changes)
            radii = torch.where(found.found, scaled_norm(found.changes), radii)
            success |= found.found
    return PublishedSearch(scaled_norm(changes), success, wrong, gradients)
