"""Sinha et al.'s baseline: train on the worst case around each image, at a fixed price of distance."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.fairness.robust_surrogate import Losses, cross_entropies, robust_surrogate, squared_distance
from blindspots.types import Distance

OPTIMIZERS = ("adam", "sgd")


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
    for name, value in (("weight", weight), ("learning_rate", learning_rate)):
        checks.check_number(value, name, above=0.0)
    checks.check_number(epochs, "epochs", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    checks.check_choice(optimizer, "optimizer", OPTIMIZERS)
    checks.check_generator(generator)
    trained = [value for value in model.parameters() if value.requires_grad]
    if not trained:
        raise ValueError("model: expected parameters that require gradients, got none; use requires_grad_(True)")
    place = {"device": trained[0].device, "dtype": trained[0].dtype}
    made = torch.optim.Adam if optimizer == "adam" else torch.optim.SGD
    stepper = made(trained, lr=float(learning_rate))
    first = {name: value.detach().clone() for name, value in model.state_dict().items()}
    ascent = dict(weight=weight, steps=steps, step_size=step_size, schedule=schedule, clip=clip, losses=losses)
    robust_surrogate(model, images[:1].to(**place), labels[:1].to(place["device"]), distance, **ascent)  # its checks
    history: list[tuple[float, float, float]] = []
    with judged(model):
        for epoch in range(epochs):
            started, totals = time.perf_counter(), torch.zeros(2, dtype=torch.float64)
            order = torch.randperm(len(images), generator=generator)
            for rows in order.tensor_split(math.ceil(len(images) / batch_size)):
                here = rows.to(images.device)
                batch, targets = images[here].to(**place), labels[here].to(place["device"])
                try:
                    worst = robust_surrogate(model, batch, targets, distance, **ascent)
                except ValueError as error:
                    raise _given_up(model, first, epoch, learning_rate) from error
                with torch.enable_grad():
                    gradients = torch.autograd.grad(losses(model(worst.images), targets).mean(), trained)
                for value, gradient in zip(trained, gradients, strict=True):
                    value.grad = gradient
                stepper.step()
                stepper.zero_grad(set_to_none=True)
                sums = torch.stack([worst.values.double().sum(), worst.distances.double().sum()])
                totals += sums.cpu()
            if not all(bool(torch.isfinite(value).all()) for value in trained):
                raise _given_up(model, first, epoch, learning_rate)
            history.append((*(totals / len(images)).tolist(), time.perf_counter() - started))
    surrogates, distances, seconds = zip(*history, strict=True)
    return WassersteinTraining(surrogates, distances, seconds)


def _given_up(model: nn.Module, first: dict[str, Tensor], epoch: int, learning_rate: float | int) -> ValueError:
    """Give the model its first weights back and return the error that says why."""
    model.load_state_dict(first)
    return ValueError(
        f"learning_rate: training diverged in epoch {epoch + 1} at {learning_rate:g} (loss or weights are not finite); "
        "lower it, or raise the weight of the distance; the model has its first weights again"
    )
