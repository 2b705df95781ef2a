"""Train on what an attack makes of each batch: adversarial training, and ordinary training where nothing attacks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.fairness.robust_surrogate import Losses, cross_entropies

OPTIMIZERS = ("adam", "sgd")


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
    checks.check_number(epochs, "epochs", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    checks.check_number(learning_rate, "learning_rate", above=0.0)
    checks.check_choice(optimizer, "optimizer", OPTIMIZERS)
    checks.check_generator(generator)
    trained = [value for value in model.parameters() if value.requires_grad]
    if not trained:
        raise ValueError("model: expected parameters that require gradients, got none; use requires_grad_(True)")
    place = {"device": trained[0].device, "dtype": trained[0].dtype}
    stepper = (torch.optim.Adam if optimizer == "adam" else torch.optim.SGD)(trained, lr=float(learning_rate))
    first = {name: value.detach().clone() for name, value in model.state_dict().items()}
    history = []
    with judged(model):
        for epoch in range(epochs):
            started, totals = time.perf_counter(), torch.zeros(2, dtype=torch.float64)
            order = torch.randperm(len(images), generator=generator)
            for rows in order.tensor_split(math.ceil(len(images) / batch_size)):
                here = rows.to(images.device)
                batch, targets = images[here].to(**place), labels[here].to(place["device"])
                worst = batch if attack is None else attack(batch, targets).detach()
                checks.check_same_shape(batch, worst, "images", "attack")
                with torch.enable_grad():
                    each = losses(model(worst), targets)
                    gradients = torch.autograd.grad(each.mean(), trained)
                for value, gradient in zip(trained, gradients, strict=True):
                    value.grad = gradient
                stepper.step()
                stepper.zero_grad(set_to_none=True)
                totals += torch.stack([each.detach().double().sum(), (worst - batch).double().square().sum()]).cpu()
            if not all(bool(torch.isfinite(value).all()) for value in trained):
                model.load_state_dict(first)
                raise ValueError(
                    f"learning_rate: training diverged in epoch {epoch + 1} at {learning_rate:g} (weights are not "
                    "finite); lower it; the model has its first weights again"
                )
            history.append((*(totals / len(images)).tolist(), time.perf_counter() - started))
    return AttackTraining(*zip(*history, strict=True))
