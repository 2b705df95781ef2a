"""Train on what an attack makes of each batch: adversarial training, and ordinary training where nothing attacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.fairness.robust_surrogate import Losses, cross_entropies
from blindspots.fairness.worst_case_training import worst_case_training


@dataclass(frozen=True)
class AttackTraining:
    """How a training went, one entry per epoch.

    Attributes:
        losses: mean loss of the images as they were trained on.
        squared_distances: mean squared L2 distance that the attack moved them.
        seconds: wall time.
    """

    losses: tuple[float, ...]
    squared_distances: tuple[float, ...]
    seconds: tuple[float, ...]


def attack_training(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    attack: Callable[[Tensor, Tensor], Tensor] | None,
    *,
    epochs: int,
    batch_size: int = 256,
    learning_rate: float | int = 1e-3,
    optimizer: str = "adam",
    losses: Losses = cross_entropies,
    generator: torch.Generator,
) -> AttackTraining:
    r"""Minimize the mean loss of attacked images by stochastic gradients, changing the model in place.

        min_theta E[ l(theta; attack(x), y) ]
    All but the attack is as in `wasserstein_robust_training`: with one generator both meet the same batches in the
    same order, so two models differ by what they were trained against only.

    Args:
        model: images -> outputs; trains in evaluation mode and has its own mode again.
        images: (N, C, H, W) in [0, 1].
        labels: (N,), 0 to K - 1.
        attack: (images, labels) -> images of the same shape, against the model as it is then; None leaves them.
        epochs: passes over the images, at least 1.
        batch_size: the largest batch, at least 1.
        learning_rate: > 0.
        optimizer: "adam", or "sgd" without momentum.
        losses: one value per image.
        generator: a CPU generator; decides the order of the images, and is advanced.

    Returns:
        AttackTraining.

    Raises:
        TypeError, ValueError: bad images, labels or options, found before any work; training that diverged, after
            which the model has its first weights again.

    Source: Madry et al. (2018), with an attack in a ball; the rival of Sinha, Namkoong and Duchi (2018).
    """
    checks.check_images(images)
    checks.check_labels(labels, len(images))

    def attacked(batch: Tensor, targets: Tensor) -> tuple[Tensor, tuple[Tensor]]:
        worst = batch if attack is None else attack(batch, targets).detach()
        checks.check_same_shape(batch, worst, "images", "attack")
        return worst, ((worst - batch).double().square().flatten(1).sum(1),)

    return AttackTraining(
        *worst_case_training(
            model, images, labels, attacked, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
            optimizer=optimizer, losses=losses, generator=generator,
        )
    )  # fmt: skip
