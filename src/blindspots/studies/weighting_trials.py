"""What the weight as a factor of the step does to P0's Algorithm 4.2, at several learning rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.data.sets import ImageSet
from blindspots.fairness import WeightedImages, step_factors
from blindspots.studies.country_models import country_models

LOST = 10.0
"""A training counts as lost where a loss is above this many times log K, that of a guess, or not finite."""


@dataclass(frozen=True)
class WeightingTrial:
    """The first steps of a few models under one weighting and learning rate.

    Attributes:
        weighting, learning_rate: as given.
        mean_step: learning rate times the mean factor of the items drawn, sum P c / sum P.
        losses: (S, steps) float64 of the drawn images, before each step.
        lost_at: by model, the first step, from 1, whose loss counts as lost, or None.
        largest_loss: of all steps that have a finite one.
        accuracy: (S,) on the set judged on.
        constant: of how many models all answers are one class.
    """

    weighting: str
    learning_rate: float
    mean_step: float
    losses: Tensor
    lost_at: tuple[int | None, ...]
    largest_loss: float
    accuracy: Tensor
    constant: int


def weighting_trials(
    model: nn.Module,
    made: WeightedImages,
    judged: ImageSet,
    *,
    weightings: Sequence[str] = ("literal", "normalized", "sampling_only"),
    rates: Sequence[float | int],
    n_models: int,
    steps: int,
    seed: int,
    directory: str | Path | None = None,
) -> list[WeightingTrial]:
    """Start Algorithm 4.2 under each weighting at each learning rate, with the same draws.

    A step's length is the learning rate times the factor, so "literal" at a rate is "normalized" at that rate times
    the mean weight.

    Args:
        model: theta_0.
        made: what Algorithm 4.1 returned.
        judged: a set with countries, by which the models are judged afterwards.
        weightings, rates: all pairs are tried.
        n_models, steps, seed, directory: see `country_models`.

    Returns:
        A trial for each pair, by weighting.

    Raises:
        TypeError, ValueError: what the training refuses.

    Source: P0, Section 4, Algorithm 4.2, line 5.
    """
    checks.check_number(n_models, "n_models", at_least=1, integer=True)
    weights, trials = made.weights.double(), []
    bound = LOST * math.log(max(2, len(judged.class_names)))
    for weighting in weightings:
        factor = ((weights * step_factors(weights, weighting)).sum() / weights.sum()).item()
        for rate in rates:
            trained = country_models(
                model, made, judged_on={"test": judged}, n_models=n_models, steps=steps, learning_rate=rate,
                weighting=weighting, seed=seed, on_divergence="record", directory=directory, progress=False,
            )  # fmt: skip
            lost = ~(trained.losses < bound)  # NaN counts
            answers = trained.predictions["test"]
            finite = trained.losses[torch.isfinite(trained.losses)]
            trials.append(
                WeightingTrial(
                    weighting=weighting,
                    learning_rate=float(rate),
                    mean_step=float(rate) * factor,
                    losses=trained.losses,
                    lost_at=tuple(int(row.int().argmax()) + 1 if row.any() else None for row in lost),
                    largest_loss=finite.max().item(),
                    accuracy=trained.accuracies("test", judged).overall,
                    constant=int((answers == answers[:, :1]).all(1).sum()),
                )
            )
    return trials
