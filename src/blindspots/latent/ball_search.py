"""The search of P2 for the smallest, or any, change that is misread, from many starts: its schedule of runs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.latent.ball import BALLS, Ball
from blindspots.latent.row_streams import row_normals, row_uniforms
from blindspots.latent.search_runs import Question, ascend, shortened

MODES = ("min", "any")
SHORTER = 1.0 - 1e-6
"""A success counts as shorter by a millionth at least: one on the ball's surface is as long as the best but for
rounding, which differs from batch to batch."""


@dataclass(frozen=True)
class SearchOptions:
    """How a search goes: the options of `latent_pgd` under the same names, checked."""

    bound: float | int
    steps: int
    step_size: float | int
    restarts: int
    mode: str
    random_start: bool
    center_run: bool
    bisections: int
    restarts_at_once: int

    def __post_init__(self) -> None:
        checks.check_number(self.bound, "bound", above=0.0)
        checks.check_number(self.step_size, "step_size", above=0.0)
        for name, least in (("steps", 1), ("restarts", 1), ("bisections", 0), ("restarts_at_once", 1)):
            checks.check_number(getattr(self, name), name, at_least=least, integer=True)
        checks.check_choice(self.mode, "mode", MODES)


@dataclass
class Found:
    """What a search knows of N subjects as it goes.

    Attributes:
        changes: (N, D), the best so far; the last attempt of the first run while there is none.
        run: (N,), number of the run it is from: 0 = the center itself, 1 to R = runs, R + 1 = the final run from the
            center; -1 = none.
        steps, gradients: (N,), over all runs.
        n_runs: (N,), runs made.
        stalled: (N,), whether some run met a gradient that was exactly 0.
    """

    changes: Float[Tensor, "N D"]
    run: Int[Tensor, " N"]
    steps: Int[Tensor, " N"]
    gradients: Int[Tensor, " N"]
    n_runs: Int[Tensor, " N"]
    stalled: Bool[Tensor, " N"]


def search_ball(
    question: Question, norm: str, centers: Tensor, options: SearchOptions, *, seed: int, streams: Tensor
) -> Found:
    """Search around centers (N, D); see `latent_pgd` for the schedule.

    Args:
        question: about the points.
        norm: a name in BALLS.
        centers: (N, D).
        options: of the search.
        seed: of the starts.
        streams: (N,), numbers of the rows' random streams.
    """
    ball = BALLS[norm]
    everyone = torch.arange(len(centers), device=centers.device)
    zeros = torch.zeros_like(everyone)
    found = Found(torch.zeros_like(centers), zeros - 1, zeros, zeros.clone(), zeros.clone(), zeros.bool())
    radii = torch.full((len(centers),), float(options.bound), dtype=centers.dtype, device=centers.device)
    wrong = question.misread(centers, everyone)
    found.run[wrong] = 0
    open_rows, last = everyone[~wrong], options.restarts + 1
    for first in range(1, last, options.restarts_at_once):
        runs = list(range(first, min(first + options.restarts_at_once, last)))
        open_rows = _round(question, ball, centers, open_rows, radii, found, options, runs, seed, streams)
    if options.center_run and options.random_start:
        _round(question, ball, centers, open_rows, radii, found, options, [last], seed, streams)
    return found


def _round(
    question: Question, ball: Ball, centers: Tensor, open_rows: Tensor, radii: Tensor, found: Found,
    options: SearchOptions, runs: list[int], seed: int, streams: Tensor,
) -> Tensor:  # fmt: skip
    """Make some runs side by side for the rows that are open, note what they found, and return who stays open."""
    if open_rows.numel() == 0:
        return open_rows
    from_center = not options.random_start or runs[0] > options.restarts
    rows = open_rows.repeat(len(runs))
    numbers = torch.tensor(runs, device=rows.device).repeat_interleave(len(open_rows))
    starts = torch.zeros_like(centers[rows])
    if not from_center:
        starts = torch.cat([_random_starts(ball, centers, radii, open_rows, run, seed, streams) for run in runs])
        if question.clamp is not None:
            starts = question.clamp(centers[rows] + starts) - centers[rows]
    run = ascend(
        question, ball, centers[rows], starts, rows, radii[rows], steps=options.steps, step_size=options.step_size,
        order=numbers if options.mode == "any" else None,
    )  # fmt: skip
    found.steps.index_add_(0, rows, run.steps)
    found.gradients.index_add_(0, rows, run.gradients)
    found.n_runs.index_add_(0, rows, torch.ones_like(rows))
    found.stalled[rows[run.stalled]] = True
    if runs[0] == 1:
        found.changes[open_rows] = run.changes[: len(open_rows)]

    hits = run.found.nonzero().flatten()
    changes = run.changes[hits]
    if options.mode == "min":
        changes = shortened(question, centers[rows[hits]], changes, rows[hits], bisections=options.bisections)
    lengths = ball.norms(changes) if len(hits) else changes.new_zeros(0)
    improved = torch.zeros_like(found.stalled)
    # Run by run, so that of equal lengths the earlier one stays, as if they had been made one after another.
    for number in runs:
        here = (numbers[hits] == number).nonzero().flatten()
        mine = rows[hits[here]]
        if options.mode == "any":
            better = found.run[mine] < 0
        else:
            better = (found.run[mine] < 0) | (lengths[here] < SHORTER * radii[mine])
        here, mine = here[better], mine[better]
        found.changes[mine], found.run[mine] = changes[here], number
        radii[mine] = lengths[here]
        improved[mine] = True
    if options.mode == "any":
        return open_rows[~improved[open_rows]]
    # From the center in an unchanged ball the next run would repeat this one.
    return open_rows[improved[open_rows]] if from_center else open_rows


def _random_starts(
    ball: Ball, centers: Tensor, radii: Tensor, rows: Tensor, run: int, seed: int, streams: Tensor
) -> Tensor:
    """Return changes in a random direction whose norm is uniform between 0 and the radius."""
    normals = row_normals(streams[rows], centers.shape[1], seed=seed, names=("start", run)).to(centers)
    shares = row_uniforms(streams[rows], seed=seed, names=("start radius", run)).to(centers)
    return normals / ball.norms(normals)[:, None] * (shares * radii[rows])[:, None]
