"""One training loop for every model of the book: batches, optimizer, schedule, progress, and what it leaves behind."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from blindspots.checks import check_choice, check_number
from blindspots.seeding import derive_seed
from blindspots.seeding import generator as make_generator

OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("one_cycle", "cosine", "steps", "constant")
DEFAULT_LEARNING_RATES = {"sgd": 0.05, "adam": 1e-3}


@dataclass(frozen=True)
class EpochRecord:
    """One pass over the examples: its mean loss, last learning rate, seconds, and the score measured after it."""

    loss: float
    learning_rate: float
    seconds: float
    score: float | None = None


def scheduled_learning_rate(step: int, n_steps: int, *, peak: float, schedule: str) -> float:
    """Return the learning rate of one step.

    With t = (step + 1/2) / n_steps: "one_cycle" rises linearly from peak/25 while t < 0.3, then falls to 0 as half a
    cosine; "cosine" is the fall alone; "steps" divides by 10 at t = 1/2 and again at t = 3/4; "constant" is peak.

    Args:
        step: from 0 to n_steps - 1.
        n_steps: all steps of the training, at least 1.
        peak: the largest learning rate, > 0.
        schedule: one of the four names.
    """
    check_choice(schedule, "schedule", SCHEDULES)
    done = (step + 0.5) / n_steps
    if schedule == "constant":
        return peak
    if schedule == "steps":
        return peak * (1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01)
    warm_up = 0.3 if schedule == "one_cycle" else 0.0
    if done < warm_up:
        return peak * (1 / 25 + (1 - 1 / 25) * done / warm_up)
    return peak * 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


def fit(
    model: nn.Module,
    n_examples: int,
    batch_loss: Callable[[Tensor, torch.Generator], Tensor],
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    learning_rate: float | None = None,
    weight_decay: float = 5e-4,
    optimizer: str = "sgd",
    schedule: str = "one_cycle",
    after_epoch: Callable[[], float] | None = None,
    progress: bool = True,
    description: str = "training",
) -> tuple[EpochRecord, ...]:
    """Minimize a mean loss over batches of examples, changing the model in place.

    Each epoch visits the examples once in a new order, in near-equal batches of at most `batch_size`. The model trains
    in training mode; afterwards every part has the mode it had, gradients are cleared, and the global generators (which
    dropout draws from) are as before. The result depends on the seed, and on a GPU or another number of threads also on
    the order of its sums.

    Args:
        model: its parameters that require gradients are trained.
        n_examples: how many examples there are.
        batch_loss: (indices (B,) on the CPU, CPU generator) -> scalar mean loss of those examples; what it draws at
            random should come from that generator.
        epochs: passes over the examples, at least 1.
        batch_size: the largest batch.
        seed: decides the order, the batches' generator and dropout.
        learning_rate: the largest one; None for 0.05 with "sgd" and 0.001 with "adam".
        weight_decay: l2 penalty added to the gradient, on every parameter.
        optimizer: "sgd" with Nesterov momentum 0.9, or "adam".
        schedule: see `scheduled_learning_rate`.
        after_epoch: called after each epoch in training mode, without gradients; returns a score to record.
        progress: show a bar on the standard error once training has taken three seconds; in a log it is renewed every
            15 seconds only.
        description: the bar's name.

    Returns:
        One EpochRecord per epoch.

    Raises:
        TypeError: not a module.
        ValueError: nothing to train, an option out of range, or a loss that is not finite, in which case the model gets
            its first weights back.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module to train, got {type(model).__name__}")
    check_training_options(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay,
        optimizer=optimizer, schedule=schedule, seed=seed,
    )  # fmt: skip
    check_number(n_examples, "n_examples", at_least=1, integer=True)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError("model: expected parameters that require gradients, got none; use requires_grad_(True)")
    peak = DEFAULT_LEARNING_RATES[optimizer] if learning_rate is None else learning_rate
    if optimizer == "sgd":
        stepper: torch.optim.Optimizer = torch.optim.SGD(
            parameters, lr=peak, momentum=0.9, nesterov=True, weight_decay=weight_decay
        )
    else:
        stepper = torch.optim.Adam(parameters, lr=peak, weight_decay=weight_decay)
    device = parameters[0].device
    first_state = {name: value.detach().clone() for name, value in model.state_dict().items()}
    modes = {part: part.training for part in model.modules()}
    n_batches = math.ceil(n_examples / batch_size)
    draws = make_generator(seed, "batches")
    history: list[EpochRecord] = []
    bar = _progress_bar(epochs * n_batches, description, progress)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        _seed_global_generators(derive_seed(seed, "dropout"), device)
        try:
            model.train()
            for epoch in range(epochs):
                started, total = time.perf_counter(), torch.zeros((), device=device, dtype=torch.float64)
                for batch, indices in enumerate(torch.randperm(n_examples, generator=draws).tensor_split(n_batches)):
                    rate = scheduled_learning_rate(
                        epoch * n_batches + batch, epochs * n_batches, peak=peak, schedule=schedule
                    )
                    for group in stepper.param_groups:
                        group["lr"] = rate
                    stepper.zero_grad(set_to_none=True)
                    loss = batch_loss(indices, draws)
                    loss.backward()
                    stepper.step()
                    total += loss.detach().double() * len(indices)
                    bar.update()
                mean_loss = total.item() / n_examples
                if not math.isfinite(mean_loss):
                    model.load_state_dict(first_state)
                    raise ValueError(
                        f"learning_rate: training diverged in epoch {epoch + 1} with {optimizer} at {peak:g} (the "
                        "mean loss is not finite); lower it, or look for extreme inputs; the model has its first "
                        "weights again"
                    )
                bar.set_postfix_str(f"loss {mean_loss:.3g}", refresh=False)
                with torch.no_grad():
                    score = None if after_epoch is None else float(after_epoch())
                history.append(EpochRecord(mean_loss, rate, time.perf_counter() - started, score))
        finally:
            bar.close()
            stepper.zero_grad(set_to_none=True)
            for part, training in modes.items():
                part.training = training
    return tuple(history)


def check_training_options(
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float | None,
    weight_decay: float,
    optimizer: str,
    schedule: str,
    seed: int,
) -> None:
    """Raise unless these are options `fit` takes."""
    check_number(epochs, "epochs", at_least=1, integer=True)
    check_number(batch_size, "batch_size", at_least=1, integer=True)
    if learning_rate is not None:
        check_number(learning_rate, "learning_rate", above=0.0)
    check_number(weight_decay, "weight_decay", at_least=0.0)
    check_choice(optimizer, "optimizer", OPTIMIZERS)
    check_choice(schedule, "schedule", SCHEDULES)
    check_number(seed, "seed", integer=True)


def _seed_global_generators(seed: int, device: torch.device) -> None:
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def _progress_bar(n_steps: int, description: str, shown: bool) -> tqdm:
    terminal = sys.stderr.isatty()
    return tqdm(
        total=n_steps, desc=description, unit="batch", disable=not shown, delay=3, leave=False,
        mininterval=0.2 if terminal else 15.0, maxinterval=0.5 if terminal else 60.0, dynamic_ncols=terminal,
    )  # fmt: skip
