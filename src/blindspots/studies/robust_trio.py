"""One network trained three ways: on the data, on the robust surrogate, and against an attack of the same size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import blindspots.fairness.attack_training
import blindspots.fairness.wasserstein_robust_training
import blindspots.purify.training_attack
from blindspots.cache import cached_tensors
from blindspots.fairness.attack_training import attack_training
from blindspots.fairness.robust_surrogate import cross_entropies
from blindspots.fairness.wasserstein_robust_training import wasserstein_robust_training
from blindspots.fingerprint import fingerprint
from blindspots.models.elu_networks import elu_cnn, elu_perceptron
from blindspots.purify.training_attack import TrainingAttack
from blindspots.seeding import generator

METHODS = ("ordinary", "robust", "pgd")
NETWORKS = {"elu_cnn": elu_cnn, "elu_perceptron": elu_perceptron}


@dataclass(frozen=True)
class TrainedNetwork:
    """A network and how it was trained.

    Attributes:
        model: in evaluation mode.
        squared_distance: mean squared L2 distance the images were moved in the last epoch; 0 for "ordinary".
        seconds: of the training.
    """

    model: nn.Module
    squared_distance: float
    seconds: float


def ball_attack(model: nn.Module, epsilon: float | int, steps: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Return (images, labels) -> images in an L2 ball of radius epsilon around them, by projected ascent of the loss.

    Args:
        model: images in [0, 1] -> logits.
        epsilon: radius, > 0.
        steps: of the ascent, each 2.5 epsilon / steps long; from the image itself.
    """
    ascent = TrainingAttack(norm="l2", epsilon=epsilon, steps=steps, random_start=False)

    def attack(images: Tensor, labels: Tensor) -> Tensor:
        return ascent.perturb(images, lambda points: cross_entropies(model(points), labels), generator=None)

    return attack


def robust_trio(
    spec: dict[str, Any],
    images: Tensor,
    labels: Tensor,
    *,
    weight: float | int,
    epochs: int,
    batch_size: int,
    learning_rate: float | int = 1e-3,
    steps: int = 16,
    seed: int,
    device: str | torch.device = "cpu",
) -> dict[str, TrainedNetwork]:
    """Train one network three ways from the same first weights on the same batches; each is cached.

    "pgd" meets an attack in a ball whose squared radius is the mean squared distance that "robust" moved its images in
    its last epoch: both spend the same budget, one per image, the other in the mean.

    Args:
        spec: {"name": "elu_cnn" or "elu_perceptron", options of that builder}.
        images: (N, C, H, W) in [0, 1].
        labels: (N,), 0 to 9.
        weight: lambda of the robust surrogate, > 0.
        epochs, batch_size, learning_rate: of Adam.
        steps: of the ascent in both robust trainings.
        seed: first weights and order of the images.
        device: where to train.

    Returns:
        TrainedNetwork by name: "ordinary", "robust", "pgd".

    Raises:
        ValueError: an unknown network, or options the trainings refuse.
    """
    options = dict(spec)
    name = options.pop("name", None)
    if name not in NETWORKS:
        raise ValueError(f"spec: expected a name among {', '.join(NETWORKS)}; got {name!r}")
    common = {"epochs": epochs, "batch_size": batch_size, "learning_rate": float(learning_rate)}
    trio: dict[str, TrainedNetwork] = {}
    for method in METHODS:
        model = NETWORKS[name](**options, seed=seed).to(device)
        radius = trio["robust"].squared_distance ** 0.5 if method == "pgd" else None

        def build(model: nn.Module = model, method: str = method, radius: float | None = radius) -> Any:
            draws = generator(seed, "order")
            if method == "robust":
                run = wasserstein_robust_training(
                    model, images, labels, weight=weight, steps=steps, generator=draws, **common
                )
                moved = run.distances[-1]
            else:
                attack = None if radius is None else ball_attack(model, radius, steps)
                run = attack_training(model, images, labels, attack, generator=draws, **common)
                moved = run.squared_distances[-1]
            return model.state_dict(), {"squared_distance": moved, "seconds": sum(run.seconds)}

        entry = cached_tensors(
            "robust-trio",
            build,
            parameters={
                "spec": spec,
                "method": method,
                "weight": float(weight),
                "radius": radius,
                "steps": steps,
                "seed": seed,
                "device": torch.device(device).type,
                **common,
            },
            data=fingerprint(images, labels),
            sources=[
                NETWORKS[name],
                blindspots.fairness.attack_training,
                blindspots.fairness.wasserstein_robust_training,
                blindspots.purify.training_attack,
            ],
        )
        model.load_state_dict(entry.tensors)
        trio[method] = TrainedNetwork(model.eval(), **entry.metadata)
    return trio
