"""The search of `latent_pgd` with pixels in place of latents: conventional severity and robust accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks
from blindspots.attacks.result import AttackResult
from blindspots.borrowed import judged
from blindspots.latent.accuracy import wilson
from blindspots.latent.ball import BALLS
from blindspots.latent.ball_search import SearchOptions, search_ball
from blindspots.latent.censored_summary import CensoredSummary, summarize_censored
from blindspots.latent.inputs import check_rows
from blindspots.latent.search_runs import Question
from blindspots.types import Classifier


@dataclass(frozen=True)
class ImageSearch(AttackResult):
    """An AttackResult of a search in a ball of scaled L2 or Linf; distances are in that norm, however it ended.

    Attributes:
        run: (N,), which run found the change: 0 = none needed, 1 to R, R + 1 = the final one, -1 = none.
        bound: of the norm, in units of the [0, 1] range.
        norm: "scaled_l2" or "linf".
    """

    run: Int[Tensor, " N"] | None = None
    bound: float = 0.0
    norm: str = "scaled_l2"

    @property
    def severities(self) -> Float[Tensor, " N"]:
        """The norm of each change; 0 where none is needed, infinity where none was found up to the bound."""
        return torch.where(self.success, self.distances, torch.inf)

    @property
    def summary(self) -> CensoredSummary:
        """Mean, standard deviation and quartiles of the severities, with what was not found kept apart."""
        return summarize_censored(self.severities, bound=self.bound)

    @property
    def robust(self) -> Bool[Tensor, " N"]:
        """Whether nothing was found within the bound."""
        return ~self.success

    @property
    def accuracy(self) -> float:
        """The share for which nothing was found, in [0, 1]: an upper bound of the robust accuracy."""
        return self.robust.double().mean().item()

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of that share."""
        return wilson(self.accuracy, len(self.robust))


def adversarial_severity(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    bound: float | int,
    norm: str = "scaled_l2",
    steps: int = 50,
    step_size: float | int = 0.05,
    restarts: int = 15,
    random_start: bool = True,
    center_run: bool = True,
    bisections: int = 10,
    clip: bool = True,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 256,
) -> ImageSearch:
    """Search the smallest change of each image that is misread.

    Args:
        model: images in [0, 1] -> logits (N, K).
        images: (N, C, H, W) in [0, 1].
        labels: (N,).
        bound: largest norm, > 0, in units of the [0, 1] range. P2's 0.6 (MNIST) and 0.05 in scaled L2, 1.2 and 0.1 in
            Linf are in units of [-1, 1]: halve them, as `unit_range_length` does.
        norm: "scaled_l2", ||dx||_2 / sqrt(n), or "linf", where a step is along the gradient's sign.
        steps, step_size, restarts, random_start, center_run, bisections, seed, rows, batch_size: of `latent_pgd`, in
            mode "min".
        clip: keep changed images in [0, 1]. False asks the model about other values too.

    Returns:
        ImageSearch.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: P2's conventional adversarial severity, 50 steps of 0.05, 15 repeats.
    Differs from the paper: see `latent_pgd`; whether its images are clamped is not said.
    """
    return _search(
        model, images, labels, norm=norm, clip=clip, seed=seed, rows=rows, batch_size=batch_size,
        options=SearchOptions(
            bound=bound, steps=steps, step_size=step_size, restarts=restarts, mode="min", random_start=random_start,
            center_run=center_run, bisections=bisections, restarts_at_once=1,
        ),
    )  # fmt: skip


def robust_accuracy(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    bound: float | int,
    norm: str = "scaled_l2",
    steps: int = 25,
    step_size: float | int = 0.1,
    restarts: int = 1,
    random_start: bool = False,
    clip: bool = True,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 256,
) -> ImageSearch:
    """Search any change within the bound that is misread; `.accuracy` is the share of images without one.

    Args:
        model, images, labels, bound, norm, clip: of `adversarial_severity`.
        steps, step_size, restarts, random_start, seed, rows, batch_size: of `latent_pgd`, in mode "any"; a random start
            is followed by a run from the image itself.

    Returns:
        ImageSearch.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: P2's robust accuracy, one run of 25 steps of 0.1.
    Differs from the paper: whether that run starts at random is not known; here it starts at the image.
    """
    return _search(
        model, images, labels, norm=norm, clip=clip, seed=seed, rows=rows, batch_size=batch_size,
        options=SearchOptions(
            bound=bound, steps=steps, step_size=step_size, restarts=restarts, mode="any", random_start=random_start,
            center_run=True, bisections=0, restarts_at_once=1,
        ),
    )  # fmt: skip


def _search(
    model: Classifier, images: Tensor, labels: Tensor, *, norm: str, clip: bool, seed: int, rows: Tensor | None,
    batch_size: int, options: SearchOptions,
) -> ImageSearch:  # fmt: skip
    checks.check_images(images)
    checks.check_labels(labels, len(images))
    checks.check_choice(norm, "norm", tuple(BALLS))
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    streams = check_rows(rows, len(images), images.device)
    clamp = (lambda points: points.clamp(0.0, 1.0)) if clip else None
    parts: list[dict[str, Tensor]] = []
    with judged(model):
        for some, theirs, numbers in zip(
            *(part.split(batch_size) for part in (images.detach(), labels, streams)), strict=True
        ):

            def answer(points: Tensor, _: Tensor, shape: tuple[int, ...] = tuple(some.shape[1:])) -> Tensor:
                return model(points.reshape(-1, *shape))

            question = Question(answer, theirs, clamp)
            centers = some.flatten(1)
            found = search_ball(question, norm, centers, options, seed=seed, streams=numbers)
            # x + (clamp(x + d) - x) may leave the range by rounding; the model is asked about what is returned.
            points = centers + found.changes
            points = points.clamp(0.0, 1.0) if clip else points
            success = question.misread(points, torch.arange(len(some), device=some.device))
            parts.append(
                dict(
                    images=points.reshape(some.shape),
                    success=success & (found.run >= 0),
                    steps=found.steps,
                    gradient_evaluations=found.gradients,
                    run=found.run,
                    distances=BALLS[norm].norms(found.changes),
                    stalled=found.stalled & ~success,
                )
            )
    fields = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return ImageSearch(**fields, bound=float(options.bound), norm=norm)
