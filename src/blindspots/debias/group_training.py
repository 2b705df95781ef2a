"""The one training loop of BaDe and its rivals: Adam, an evaluation after each epoch, and every epoch's weights."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from blindspots.borrowed import judged
from blindspots.checks import check_generator, check_number

Step = Callable[[nn.Module, Tensor], Tensor]
"""(model, indices (B,) of examples, on the CPU) -> scalar loss of that batch, a mean over its examples."""

Draw = Callable[[torch.Generator], Tensor]
"""CPU generator -> indices (M,) of the examples of one epoch in order; they may repeat, and M may differ from n."""

Evaluate = Callable[[nn.Module], dict[str, float]]
"""model, in evaluation mode and without gradients -> numbers by name, for instance "odds" and "eacc" in percent."""

RESERVED = ("epoch", "loss", "seconds")


@dataclass(frozen=True)
class GroupTraining:
    """A trained model with the record and the weights of each of its epochs.

    Attributes:
        model: the model that was trained; it holds the last epoch's weights until `load` gives it others.
        history: one dictionary per epoch: "epoch" counted from 1, "loss" (mean over the epoch's examples, in
            training mode), "seconds" of training without evaluation, and what `evaluate` returned.
        states: state dictionaries on the CPU, one per epoch.
    """

    model: nn.Module
    history: tuple[dict[str, float], ...]
    states: tuple[dict[str, Tensor], ...]

    @property
    def seconds(self) -> float:
        """Return the seconds of training of all epochs, without evaluations."""
        return sum(record["seconds"] for record in self.history)

    def load(self, epoch: int) -> nn.Module:
        """Give the model the weights it had after an epoch, counted from 1, and return it.

        Raises:
            TypeError, ValueError: not an epoch of this training.
        """
        check_number(epoch, "epoch", at_least=1, at_most=len(self.states), integer=True)
        self.model.load_state_dict(self.states[epoch - 1])
        return self.model


def group_training(
    model: nn.Module,
    step: Step,
    n: int,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    weight_decay: float | int = 0.0,
    generator: torch.Generator,
    draw: Draw | None = None,
    extra_parameters: Iterable[nn.Parameter] = (),
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    """Minimize a loss over batches of examples with Adam, changing the model in place.

    The methods that are compared differ in `step` and `draw` only, so what they cost and how they are chosen can be
    compared too. An epoch visits the indices it drew once, in near-equal batches of at most `batch_size`, with the
    model in training mode and a constant learning rate. Afterwards every part of the model has the mode it had,
    gradients are cleared, and the global generators (which dropout draws from) are as before.

    Args:
        model: its parameters that require gradients are trained; it lies where it is to compute.
        step: (model, indices (B,) on the CPU) -> scalar mean loss of those examples; it holds its own data, and may
            draw from the same generator.
        n: how many examples there are, at least 1.
        epochs: at least 1.
        batch_size: the largest batch, at least 1.
        learning_rate: Adam's, > 0; the paper's is 1e-4.
        weight_decay: l2 penalty added to the gradient, on every parameter, >= 0.
        generator: a CPU generator; decides the orders and dropout, and is advanced.
        draw: indices of an epoch; None for all examples once, in a new random order.
        extra_parameters: trained along with the model's and kept in no state (an adversary's, for instance).
        evaluate: measured after each epoch and written into its record; nothing is chosen by it here.
        after_epoch: called with each epoch's record, for instance to report it.
        progress: show a bar on the standard error once training has taken three seconds.

    Returns:
        GroupTraining; `model` has the last epoch's weights.

    Raises:
        TypeError, ValueError: a bad argument, found before any work; indices out of range; a loss that is no scalar or
            not finite, after which the model has its first weights again.

    Source: P3, Sec. 5.1.3 (Adam) and Sec. 4.1 ("we saved the model every epoch").
    Differs from the paper: epochs, batch size and weight decay are not stated there and have to be chosen.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module to train, got {type(model).__name__}")
    check_number(n, "n", at_least=1, integer=True)
    check_number(epochs, "epochs", at_least=1, integer=True)
    check_number(batch_size, "batch_size", at_least=1, integer=True)
    check_number(learning_rate, "learning_rate", above=0.0)
    check_number(weight_decay, "weight_decay", at_least=0.0)
    check_generator(generator)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError("model: expected parameters that require gradients, got none; use requires_grad_(True)")
    device = parameters[0].device
    trained = [*parameters, *extra_parameters]
    # One kernel for the whole update: a quarter of the step's time for the tables' perceptron on a CPU.
    stepper = torch.optim.Adam(trained, lr=learning_rate, weight_decay=weight_decay, fused=True)
    first_state = state_on_cpu(model)
    modes = {part: part.training for part in model.modules()}
    history: list[dict[str, float]] = []
    states: list[dict[str, Tensor]] = []
    bar = _progress_bar(epochs, progress)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        _seed_global_generators(int(torch.randint(2**62, (), generator=generator)), device)
        try:
            for epoch in range(1, epochs + 1):
                started = time.perf_counter()
                order = torch.randperm(n, generator=generator) if draw is None else _checked_order(draw(generator), n)
                model.train()
                loss = _one_epoch(model, step, order, batch_size, stepper)
                if not math.isfinite(loss):
                    model.load_state_dict(first_state)
                    raise ValueError(
                        f"learning_rate: training diverged in epoch {epoch} at {learning_rate:g} (the mean loss is not "
                        "finite); lower it, or look for extreme inputs or weights; the model has its first weights "
                        "again"
                    )
                record = {"epoch": epoch, "loss": loss, "seconds": time.perf_counter() - started}
                if evaluate is not None:
                    with judged(model), torch.no_grad():
                        record |= _checked_metrics(evaluate(model))
                history.append(record)
                states.append(state_on_cpu(model))
                if after_epoch is not None:
                    after_epoch(record)
                bar.set_postfix_str(f"loss {loss:.3g}", refresh=False)
                bar.update()
        finally:
            bar.close()
            stepper.zero_grad(set_to_none=True)
            for part, training in modes.items():
                part.training = training
    return GroupTraining(model, tuple(history), tuple(states))


def state_on_cpu(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a module's state dictionary, on the CPU."""
    return {name: value.detach().to("cpu", copy=True) for name, value in model.state_dict().items()}


def _one_epoch(model: nn.Module, step: Step, order: Tensor, batch_size: int, stepper: torch.optim.Optimizer) -> float:
    total = None
    for indices in order.tensor_split(math.ceil(len(order) / batch_size)):
        stepper.zero_grad(set_to_none=True)
        loss = step(model, indices)
        if not isinstance(loss, Tensor) or loss.ndim or not loss.requires_grad:
            got = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise ValueError(f"step: expected a scalar loss that depends on trained parameters, got {got}")
        loss.backward()
        stepper.step()
        weighed = loss.detach().double() * len(indices)
        total = weighed if total is None else total + weighed
    return total.item() / len(order)


def _checked_order(order: Tensor, n: int) -> Tensor:
    if not isinstance(order, Tensor) or order.ndim != 1 or order.dtype != torch.long or not len(order):
        got = f"{order.dtype} {tuple(order.shape)}" if isinstance(order, Tensor) else type(order).__name__
        raise ValueError(f"draw: expected at least one index, a long tensor (M,), got {got}")
    low, high = (bound.item() for bound in torch.aminmax(order))
    if low < 0 or high >= n:
        raise ValueError(f"draw: expected indices from 0 to {n - 1}, got values from {low} to {high}")
    return order.cpu()


def _checked_metrics(metrics: dict[str, float]) -> dict[str, float]:
    taken = sorted(set(metrics) & set(RESERVED))
    if taken:
        raise ValueError(f"evaluate: expected names other than {', '.join(RESERVED)}, got {', '.join(taken)}")
    return {name: float(value) for name, value in metrics.items()}


def _seed_global_generators(seed: int, device: torch.device) -> None:
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def _progress_bar(epochs: int, shown: bool) -> tqdm:
    terminal = sys.stderr.isatty()
    return tqdm(
        total=epochs, desc="training", unit="epoch", disable=not shown, delay=3, leave=False,
        mininterval=0.2 if terminal else 15.0, maxinterval=0.5 if terminal else 60.0, dynamic_ncols=terminal,
    )  # fmt: skip
