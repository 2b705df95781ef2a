"""One run of projected gradient ascent for many walkers at once; who has finished leaves the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.attacks.gradients import logit_margin
from blindspots.latent.ball import Ball
from blindspots.latent.objective import lead_direction, misread


@dataclass(frozen=True)
class Question:
    """What a search asks about points (M, D): the labels they should keep, and the logits of a classifier.

    Attributes:
        answer: (points (M, D), rows (M,)) -> logits (M, K); rows say which subject each point belongs to.
        labels: (N,), of the subjects.
        clamp: points -> points in the allowed region; None: anywhere.
    """

    answer: Callable[[Tensor, Tensor], Tensor]
    labels: Tensor
    clamp: Callable[[Tensor], Tensor] | None = None

    def misread(self, points: Tensor, rows: Tensor) -> Bool[Tensor, " M"]:
        """Return whether another class than the label leads at each point."""
        with torch.no_grad():
            logits = self.answer(points, rows)
        return misread(self._checked(logits, rows), self.labels[rows])

    def clearly_misread(self, points: Tensor, rows: Tensor) -> Bool[Tensor, " M"]:
        """Return whether another class leads by more than rounding, which may differ in another batch."""
        with torch.no_grad():
            logits = self._checked(self.answer(points, rows), rows)
        rounding = 64 * torch.finfo(logits.dtype).eps * logits.abs().amax(dim=1)
        return logit_margin(logits, self.labels[rows].long()) > rounding

    def ascent(self, points: Tensor, rows: Tensor) -> tuple[Float[Tensor, "M D"], Bool[Tensor, " M"]]:
        """Return a positive multiple of the gradient of J at each point, 0 where it is misread, and who is."""
        labels = self.labels[rows]
        with torch.enable_grad():
            leaf = points.detach().clone().requires_grad_(True)
            logits = self._checked(self.answer(leaf, rows), rows)
            wrong = misread(logits.detach(), labels)
            weights = lead_direction(logits, labels) * ~wrong[:, None]
            gradients = None
            if logits.requires_grad:
                (gradients,) = torch.autograd.grad(logits, leaf, weights.to(logits.dtype), allow_unused=True)
        if gradients is None:
            raise ValueError(
                "model, decode: expected logits that depend on the points differentiably, got logits without a "
                "gradient; remove torch.no_grad or detach from them"
            )
        checks.check_finite(gradients, "the gradient of model and decode")
        return gradients, wrong

    def leads(self, points: Tensor, rows: Tensor, rivals: int) -> tuple[Float[Tensor, "M R"], Float[Tensor, "M R D"]]:
        """Return by how much the highest other classes lead at each point, and the gradients of these leads.

        R is `rivals`, or the number of other classes if that is smaller.
        """
        labels = self.labels[rows].long()[:, None]
        with torch.enable_grad():
            leaf = points.detach().clone().requires_grad_(True)
            logits = self._checked(self.answer(leaf, rows), rows)
            others = logits.detach().scatter(1, labels, float("-inf"))
            chosen = others.topk(min(rivals, logits.shape[1] - 1), dim=1).indices
            leads = logits.gather(1, chosen) - logits.gather(1, labels)
            last = leads.shape[1] - 1
            columns = [
                torch.autograd.grad(leads[:, k].sum(), leaf, retain_graph=k < last, materialize_grads=True)[0]
                for k in range(last + 1)
            ]
        return leads.detach(), torch.stack(columns, dim=1)

    def _checked(self, logits: Tensor, rows: Tensor) -> Tensor:
        checks.check_logits(logits, len(rows))
        if logits.shape[1] <= self.highest:
            checks.check_labels(self.labels, len(self.labels), n_classes=logits.shape[1])
        return logits

    @cached_property
    def highest(self) -> int:
        """The largest label, read once: each look makes a GPU wait."""
        return int(self.labels.max())


@dataclass(frozen=True)
class Run:
    """Where M walkers ended.

    Attributes:
        changes: (M, D), the last of each.
        found: (M,), whether the last is misread.
        steps: (M,), updates made.
        gradients: (M,), gradients taken.
        stalled: (M,), whether the walker stopped because its gradient was exactly 0.
    """

    changes: Float[Tensor, "M D"]
    found: Bool[Tensor, " M"]
    steps: Int[Tensor, " M"]
    gradients: Int[Tensor, " M"]
    stalled: Bool[Tensor, " M"]


def ascend(
    question: Question,
    ball: Ball,
    centers: Tensor,
    starts: Tensor,
    rows: Tensor,
    radii: Tensor,
    *,
    steps: int,
    step_size: float,
    order: Tensor | None = None,
) -> Run:
    """Follow the steepest ascent of J from each start, in the ball around its center, until the label loses.

    Args:
        question: what is asked about the points.
        ball: of the changes.
        centers: (M, D).
        starts: (M, D), changes inside the ball.
        rows: (M,), the subject of each walker.
        radii: (M,), of the balls.
        steps: most updates of a walker; the last is tested too.
        step_size: length of a step as a share of the radius.
        order: (M,), rank of a walker among those of its subject: once one has found a change, those of higher rank
            stop. None: all go on.

    Returns:
        Run.
    """
    changes = starts.clone()
    found = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    stalled, taken = found.clone(), torch.zeros(len(rows), dtype=torch.long, device=rows.device)
    evaluations = taken.clone()
    first = torch.full((len(question.labels),), torch.iinfo(torch.long).max, device=rows.device)
    active = torch.arange(len(rows), device=rows.device)
    for step in range(steps + 1):
        points = centers[active] + changes[active]
        if step == steps:
            found[active] = question.misread(points, rows[active])
            break
        gradients, wrong = question.ascent(points, rows[active])
        directions, zero = ball.steepest(gradients)
        found[active] = wrong
        evaluations[active] += (~wrong).long()
        stalled[active] = zero & ~wrong
        going = ~zero & ~wrong
        if order is not None:
            first.scatter_reduce_(0, rows[active[wrong]], order[active[wrong]], "amin")
            going &= order[active] < first[rows[active]]
        active, directions = active[going], directions[going]
        if active.numel() == 0:
            break
        moved = ball.pulled_back(changes[active] + step_size * radii[active][:, None] * directions, radii[active])
        if question.clamp is not None:
            moved = question.clamp(centers[active] + moved) - centers[active]
        changes[active] = moved
        taken[active] += 1
    return Run(changes=changes, found=found, steps=taken, gradients=evaluations, stalled=stalled)


def shortened(
    question: Question, centers: Tensor, changes: Tensor, rows: Tensor, *, bisections: int
) -> Float[Tensor, "M D"]:
    """Return changes t D with t in (0, 1] found by bisection between a center that is right and a D that is not.

    Each stays misread, by more than rounding where it was shortened. With several crossings on the way it is one of
    them, not always the nearest.
    """
    high = torch.ones(len(rows), dtype=changes.dtype, device=changes.device)
    low = torch.zeros_like(high)
    for _ in range(bisections if len(rows) else 0):
        middle = (low + high) / 2
        wrong = question.clearly_misread(centers + middle[:, None] * changes, rows)
        high, low = torch.where(wrong, middle, high), torch.where(wrong, low, middle)
    return changes * high[:, None]
