"""P2's search for the smallest, or any, move in latent space that changes the class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.latent.ball_search import SearchOptions, search_ball
from blindspots.latent.decay import decayed_latents
from blindspots.latent.inputs import Decoder, both_judged, check_rows, check_subjects, decoded
from blindspots.latent.scaled_norm import scaled_norm
from blindspots.latent.search_runs import Question
from blindspots.latent.tangent_steps import tangent_steps
from blindspots.types import Classifier


@dataclass(frozen=True)
class LatentSearch:
    """What a search in latent space found for N latents.

    Attributes:
        centers: (N, D), the decayed latents.
        perturbations: (N, D), D of each; the last attempt of the first run where nothing was found.
        norms: (N,), ||D||_s of what was found, 0 where the decayed latent itself is misread; infinity where nothing was
            found: then only the bound is known, and a mean over all would be infinite.
        success: (N,), whether the classifier, asked again about these very points, prefers another class.
        run: (N,), which run found it: 0 = none needed, 1 to R = those asked for, R + 1 = the final run from the center,
            -1 = none.
        n_runs: (N,), runs made.
        steps: (N,), updates over all runs.
        gradient_evaluations: (N,), gradients over all runs.
        stalled: (N,), whether some run met a gradient that was exactly 0, as of a generator that makes one image.
        bound: largest ||D||_s that was allowed.
    """

    centers: Float[Tensor, "N D"]
    perturbations: Float[Tensor, "N D"]
    norms: Float[Tensor, " N"]
    success: Bool[Tensor, " N"]
    run: Int[Tensor, " N"]
    n_runs: Int[Tensor, " N"]
    steps: Int[Tensor, " N"]
    gradient_evaluations: Int[Tensor, " N"]
    stalled: Bool[Tensor, " N"]
    bound: float

    @property
    def points(self) -> Tensor:
        """The perturbed latents (N, D)."""
        return self.centers + self.perturbations

    @property
    def censored(self) -> Tensor:
        """Which searches found nothing (N,): their smallest perturbation is unknown."""
        return ~self.success


def latent_pgd(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    bound: float | int,
    mode: str = "min",
    steps: int = 50,
    step_size: float | int = 0.05,
    restarts: int = 12,
    random_start: bool = True,
    center_run: bool = True,
    bisections: int = 10,
    restarts_at_once: int = 1,
    turns: int = 0,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 256,
) -> LatentSearch:
    r"""Search the smallest (mode "min") or any (mode "any") D such that f(G_y(lbar + D)) != y, ||D||_s <= bound.

    The objective is J(v) = max_{j != y} p_j - p_y with p = softmax f(G_y(v)); D succeeds when J(lbar + D) > 0. The
    decayed latent lbar is tested first. A run starts in a random direction, its length uniform between 0 and the ball's
    radius r, and makes up to `steps` updates
        D += r step_size g / ||g||_s,        then D = r D / ||D||_s if ||D||_s > r,
    with g the gradient of J; it ends as soon as J > 0. In mode "min" a success is shortened by bisection along its
    ray, the ball shrinks to it, and the remaining runs go on in the smaller ball. In mode "any" the first success ends
    the search. The last run starts from the center.

    Latents and restarts are asked about together, and who has finished leaves the batch. No row depends on the batch
    it stands in: its starts come from a random stream of its own.

    Args:
        model: images in [0, 1] -> logits (N, K); each image must be judged alone, as in evaluation mode or with
            instance norm.
        decode: (latents (N, D), labels (N,)) -> images (N, C, H, W) in [0, 1], differentiable in the latents.
        latents: (N, D).
        labels: (N,), the classes the latents belong to: the decoder is told them and the search leaves them.
        epsilon: magnitude of the noise around whose mean lbar = l / sqrt(1 + epsilon^2) is searched, >= 0.
        bound: largest ||D||_s, > 0. P2: 2.5 for the smallest on MNIST; 0.3 (MNIST) and 0.1 for any.
        mode: "min" or "any".
        steps: most updates in a run, at least 1. P2: 50; 1250 of 0.002 for faces and rooms.
        step_size: length of an update as a share of the ball's radius, > 0.
        restarts: runs before the final one, at least 1.
        random_start: False starts every run at the center, where a run follows a success only: in an unchanged ball
            it would repeat itself.
        center_run: whether a final run from the center follows random ones.
        bisections: halvings of the found ray in mode "min"; 0 is the published search.
        restarts_at_once: runs made side by side. In mode "any" this changes the time (and the counts of steps) and
            nothing else, since the success of the lowest number is kept. In mode "min" the ball shrinks only after
            each such group: another schedule than the published one, which is 1.
        turns: in mode "min", most steps along the boundary after the last run, each of which turns what was found
            towards the nearest tangent plane and shortens it (`tangent_steps`); 0 is P2's search with its repairs.
        seed: of the random starts.
        rows: (N,), numbers of the rows' random streams; None: 0 to N - 1. Give them where a set is split.
        batch_size: most points asked about together; it changes no result.

    Returns:
        LatentSearch.

    Raises:
        TypeError, ValueError: bad latents, labels, options, images or logits; logits without a gradient.

    Source: P2's search, read from its authors' code.
    Differs from the paper: lbar is tested first, so that a point that is misread there gets 0 and not the length of a
    random start; the final run from the center, which the code announces and never makes, is made; the last update of
    a run is tested; the bisection is ours. What was not found is infinity and flagged; there it is the length of the
    last attempt. Turns along the boundary are ours too and are made only if asked for.
    """
    check_subjects(latents, labels, batch_size)
    checks.check_number(epsilon, "epsilon", at_least=0.0)
    options = SearchOptions(
        bound=bound, steps=steps, step_size=step_size, restarts=restarts, mode=mode, random_start=random_start,
        center_run=center_run, bisections=bisections, restarts_at_once=restarts_at_once if random_start else 1,
    )  # fmt: skip
    checks.check_number(restarts_at_once, "restarts_at_once", at_least=1, integer=True)
    checks.check_number(turns, "turns", at_least=0, integer=True)
    if turns and mode != "min":
        raise ValueError(f'turns: expected 0 in mode "{mode}", got {turns}; only a smallest perturbation is shortened')
    streams = check_rows(rows, len(latents), latents.device)
    centers = decayed_latents(latents, epsilon=epsilon)
    parts = []
    with both_judged(model, decode):
        for some in torch.arange(len(latents), device=latents.device).split(max(1, batch_size // restarts_at_once)):
            parts.append(_searched(model, decode, centers[some], labels[some], options, turns, seed, streams[some]))
    return LatentSearch(**{name: torch.cat([part[name] for part in parts]) for name in parts[0]}, bound=float(bound))


def _searched(
    model: Classifier, decode: Decoder, centers: Tensor, labels: Tensor, options: SearchOptions, turns: int,
    seed: int, streams: Tensor,
) -> dict[str, Tensor]:  # fmt: skip
    """Return the fields of a LatentSearch for one batch."""
    decoded(decode, centers, labels)
    question = Question(lambda points, rows: model(decode(points, labels[rows])), labels)
    found = search_ball(question, "scaled_l2", centers, options, seed=seed, streams=streams)
    everyone = torch.arange(len(centers), device=centers.device)
    hits = (found.run > 0).nonzero().flatten()
    if turns and len(hits):
        found.changes[hits], spent = tangent_steps(
            question, centers[hits], found.changes[hits], hits, steps=turns, bisections=options.bisections
        )
        found.gradients.index_add_(0, hits, spent)
    success = question.misread(centers + found.changes, everyone) & (found.run >= 0)
    return dict(
        centers=centers, perturbations=found.changes, success=success, run=found.run, n_runs=found.n_runs,
        norms=torch.where(success, scaled_norm(found.changes), torch.inf),
        steps=found.steps, gradient_evaluations=found.gradients, stalled=found.stalled,
    )  # fmt: skip
