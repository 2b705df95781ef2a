"""The small training loop of the purifiers that have to be fitted: Adam over shuffled batches, from a seed."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from blindspots import checks
from blindspots.seeding import generator as make_generator


def check_descent(
    *, seed: int, epochs: int, batch_size: int, learning_rate: float | int, final_share: float | int = 1.0
) -> None:
    """Raise unless these are options that `descend` takes."""
    make_generator(seed)
    checks.check_number(epochs, "epochs", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    checks.check_number(learning_rate, "learning_rate", above=0.0)
    checks.check_number(final_share, "final_share", above=0.0, at_most=1.0)


def descend(
    module: nn.Module,
    n_examples: int,
    batch_loss: Callable[[Tensor], Tensor],
    *,
    seed: int,
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    final_share: float | int = 1.0,
) -> tuple[float, ...]:
    """Minimize a mean loss over batches of examples with Adam, changing the module in place.

    Kernels take no part of `blindspots.models`, whose `fit` has the schedules and records of a classifier; this is
    what an autoencoder or a density needs. The module draws nothing at random: it has no dropout.

    Args:
        module: all its parameters are trained.
        n_examples: how many examples there are, at least 1.
        batch_loss: indices (B,) on the CPU -> scalar mean loss of those examples.
        seed: decides the order of the examples.
        epochs: passes over the examples, at least 1.
        batch_size: the largest batch.
        learning_rate: of Adam, > 0.
        final_share: the learning rate falls geometrically, epoch by epoch, to this share of itself; 1 = constant.

    Returns:
        The mean loss of each epoch. The module is left in evaluation mode, its gradients cleared.

    Raises:
        TypeError, ValueError: an option out of range, or a loss that is not finite.
    """
    options = dict(seed=seed, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    check_descent(**options, final_share=final_share)
    draws = make_generator(seed, "order of the examples")
    parameters = list(module.parameters())
    # Keras's constant under the root, which the published settings of the autoencoders imply.
    stepper = torch.optim.Adam(parameters, lr=float(learning_rate), eps=1e-7)
    decay = float(final_share) ** (1.0 / max(1, epochs - 1))
    n_batches = math.ceil(n_examples / batch_size)
    history = []
    module.train()
    for _ in range(epochs):
        total = 0.0
        for indices in torch.randperm(n_examples, generator=draws).tensor_split(n_batches):
            stepper.zero_grad(set_to_none=True)
            with torch.enable_grad():
                loss = batch_loss(indices)
                loss.backward()
            stepper.step()
            total += loss.item() * len(indices)
        history.append(total / n_examples)
        if not math.isfinite(history[-1]):
            raise ValueError(
                f"learning_rate: training diverged in epoch {len(history)} at {learning_rate:g} (the mean loss is "
                "not finite); lower it"
            )
        for group in stepper.param_groups:
            group["lr"] *= decay
    stepper.zero_grad(set_to_none=True)
    module.eval()
    return tuple(history)


def drawn(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Return a module whose convolutions start as Glorot has it, uniform, with biases of 0, drawn from a seed.

    Layers draw their first weights from torch's global generator, which is put back; those draws are replaced.
    """
    with torch.random.fork_rng(devices=[]):
        module = make()
    draws = make_generator(seed, "weights")
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.xavier_uniform_(part.weight, generator=draws)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return module
