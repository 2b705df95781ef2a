"""Sinha et al.'s baseline: train on the worst case around each image, at a fixed price of distance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.fairness.robust_surrogate import Losses, cross_entropies, robust_surrogate, squared_distance
from blindspots.fairness.worst_case_training import WorstCaseLost, trained_weights, worst_case_training
from blindspots.types import Distance


@dataclass(frozen=True)
class WassersteinTraining:
    """How a training went, one entry per epoch.

    Attributes:
        surrogates: mean phi of the images as they were trained on.
        distances: mean distance of the worst-case images.
        seconds: wall time.
    """

    surrogates: tuple[float, ...]
    distances: tuple[float, ...]
    seconds: tuple[float, ...]


def wasserstein_robust_training(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    distance: Distance = squared_distance,
    *,
    weight: float | int,
    epochs: int = 25,
    batch_size: int = 256,
    learning_rate: float | int = 1e-3,
    optimizer: str = "adam",
    steps: int = 16,
    step_size: float | int | None = None,
    schedule: str = "root",
    clip: bool = True,
    losses: Losses = cross_entropies,
    generator: torch.Generator,
) -> WassersteinTraining:
    r"""Minimize the mean robust surrogate by stochastic gradients, changing the model in place.

        min_theta E_{P_0}[ sup_x l(theta; x, y_0) - gamma c_0(x, x_0) ]
    Each batch: x* by `robust_surrogate`, then a step along grad_theta l(theta; x*, y_0), which is the gradient of phi
    wherever x* is the one maximizer.

    Args:
        model: images -> outputs; trains in evaluation mode and has its own mode again.
        images: (N, C, H, W), in [0, 1] if clip.
        labels: (N,), 0 to K - 1.
        distance: c_0; the paper's is the squared L2 distance.
        weight: gamma, > 0. Their MNIST setting is 1 / 2.6: step_size 1.3.
        epochs: passes over the images, at least 1.
        batch_size: the largest batch, at least 1.
        learning_rate: > 0.
        optimizer: "adam", or "sgd" without momentum.
        steps, step_size, schedule, clip, losses: of the ascent, as in `robust_surrogate`.
        generator: a CPU generator; decides the order of the images, and is advanced.

    Returns:
        WassersteinTraining.

    Raises:
        TypeError, ValueError: bad images, labels or options, found before any work; training that diverged, after
            which the model has its first weights again.

    Source: Sinha, Namkoong and Duchi (2018), Algorithm 1; settings of their MNIST code: 16 steps, Adam 1e-3, batches of
    256, 25 epochs. P0 builds on it (its Section 3).
    Differs from the paper: the best point of the ascent is taken, they take the last; `clip` holds images in [0, 1].
    """
    checks.check_images(images, unit_range=clip)
    checks.check_labels(labels, len(images))
    checks.check_number(weight, "weight", above=0.0)
    weights = trained_weights(model)
    ascent = dict(weight=weight, steps=steps, step_size=step_size, schedule=schedule, clip=clip, losses=losses)
    own = {"device": weights[0].device, "dtype": weights[0].dtype}
    robust_surrogate(model, images[:1].to(**own), labels[:1].to(own["device"]), distance, **ascent)  # its checks

    def worst_case(batch: Tensor, targets: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        try:
            found = robust_surrogate(model, batch, targets, distance, **ascent)
        except ValueError as error:
            raise WorstCaseLost(str(error)) from error
        return found.images, (found.values, found.distances)

    _, surrogates, distances, seconds = worst_case_training(
        model, images, labels, worst_case, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        optimizer=optimizer, losses=losses, generator=generator, advice="lower it, or raise the weight of the distance",
    )  # fmt: skip
    return WassersteinTraining(surrogates, distances, seconds)
