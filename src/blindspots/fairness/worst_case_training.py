"""Stochastic gradients on images that are changed for the worse at each step: the loop of two trainings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.fairness.robust_surrogate import Losses

OPTIMIZERS = ("adam", "sgd")

WorstCase = Callable[[Tensor, Tensor], tuple[Tensor, tuple[Tensor, ...]]]
"""(images, labels) of a batch -> what to train on instead (n, C, H, W), and measures (n,) of it, always as many."""


class WorstCaseLost(ValueError):
    """What a worst_case raises where the model's answers are no longer finite; the training then counts as diverged."""


def worst_case_training(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    worst_case: WorstCase,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    optimizer: str,
    losses: Losses,
    generator: torch.Generator,
    advice: str = "lower it",
) -> tuple[tuple[float, ...], ...]:
    """Train a model in place, each batch replaced by what worst_case makes of it; images and labels are unchecked.

    With one generator every worst_case meets the same batches in the same order.

    Args:
        model: images (n, C, H, W) -> logits (n, K); it trains in evaluation mode, and has its own mode again.
        images: (N, C, H, W).
        labels: (N,).
        worst_case: called with batches on the model's device and of its dtype.
        epochs, batch_size: at least 1; batches are of equal size up to one image.
        learning_rate: > 0.
        optimizer: one of `OPTIMIZERS`.
        losses: (logits, labels) -> (n,).
        generator: a CPU generator; decides the order, and is advanced.
        advice: what to do where training diverges.

    Returns:
        By column, a number per epoch: the mean loss on what was trained on, the means of the measures, the seconds.

    Raises:
        TypeError, ValueError: an option out of range; training that diverged, with the first weights given back.
    """
    checks.check_number(epochs, "epochs", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    checks.check_number(learning_rate, "learning_rate", above=0.0)
    checks.check_choice(optimizer, "optimizer", OPTIMIZERS)
    checks.check_generator(generator)
    trained = trained_weights(model)
    place = {"device": trained[0].device, "dtype": trained[0].dtype}
    stepper = (torch.optim.Adam if optimizer == "adam" else torch.optim.SGD)(trained, lr=float(learning_rate))
    first = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def given_up(epoch: int) -> ValueError:
        model.load_state_dict(first)
        return ValueError(
            f"learning_rate: training diverged in epoch {epoch + 1} at {learning_rate:g} (loss or weights are not "
            f"finite); {advice}; the model has its first weights again"
        )

    history = []
    with judged(model):
        for epoch in range(epochs):
            started, totals = time.perf_counter(), 0.0
            order = torch.randperm(len(images), generator=generator)
            for rows in order.tensor_split(math.ceil(len(images) / batch_size)):
                here = rows.to(images.device)
                batch, targets = images[here].to(**place), labels[here].to(place["device"])
                try:
                    worst, measures = worst_case(batch, targets)
                except WorstCaseLost as error:
                    raise given_up(epoch) from error
                with torch.enable_grad():
                    each = losses(model(worst), targets)
                    gradients = torch.autograd.grad(each.mean(), trained)
                for value, gradient in zip(trained, gradients, strict=True):
                    value.grad = gradient
                stepper.step()
                stepper.zero_grad(set_to_none=True)
                totals += torch.stack([part.detach().double().sum() for part in (each, *measures)]).cpu()
            if not all(bool(torch.isfinite(value).all()) for value in trained):
                raise given_up(epoch)
            history.append((*(totals / len(images)).tolist(), time.perf_counter() - started))
    return tuple(zip(*history, strict=True))


def trained_weights(model: nn.Module) -> list[Tensor]:
    """Return the weights of a model that require gradients, or raise if none does."""
    trained = [value for value in model.parameters() if value.requires_grad]
    if not trained:
        raise ValueError("model: expected parameters that require gradients, got none; use requires_grad_(True)")
    return trained
