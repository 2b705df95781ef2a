"""Adversarial learning: features from which an adversary that is trained along cannot tell the group."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.borrowed import judged
from blindspots.checks import check_generator, check_number
from blindspots.debias.group_examples import N_GROUPS, GroupExamples, check_group_examples
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training

RAMP_STEEPNESS = 10.0  # Ganin and Lempitsky's gamma, the same in all their experiments


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, values: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return values.view_as(values)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.weight * gradient, None


def reverse_gradient(values: Tensor, *, weight: float = 1.0) -> Tensor:
    """Return the values unchanged; the gradient that comes back through them is multiplied by -weight.

    Source: Ganin and Lempitsky (2015), "Unsupervised Domain Adaptation by Backpropagation", Eq. 7 and 8.
    """
    return _Reversed.apply(values, weight)


def ramped_weight(progress: float) -> float:
    """Return the share of the reversal's weight at a progress in [0, 1] of training: 2 / (1 + exp(-10 progress)) - 1.

    Source: Ganin and Lempitsky (2015), Sec. 4, so that a still random adversary does not spoil the first features.
    """
    return 2 / (1 + math.exp(-RAMP_STEEPNESS * progress)) - 1


def adversarial_learning(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    weight: float = 1.0,
    ramp: bool = True,
    given_label: bool = False,
    adversary: nn.Module | None = None,
    hidden: int = 100,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    r"""Train a classifier against an adversary that predicts the group from its features, changing it in place.

    With encoder g, head c and adversary a, one Adam step of all three follows the gradient of
        CE(c(g(x)), y) + CE(a(R(g(x))), b),
    where R is the identity and turns the gradient around: the adversary descends on its loss, the encoder ascends on
    it with `weight`, the head sees the label only.

    Args:
        model: a classifier with `encode` (inputs -> features (n, D)) and `head` (features -> logits (n, K)).
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1.
        groups: (N,) 0 or 1, both in every class.
        weight: of the reversed gradient; >= 0, and 0 trains as `erm` does.
        ramp: let the weight rise from 0 over the training (see `ramped_weight`) instead of being constant.
        given_label: show the adversary the label (one-hot) beside the features, so that only what it can tell of the
            group within a class is removed (equalized odds); otherwise all of it is (demographic parity), be it told
            by the label.
        adversary: features (n, D), or (n, D + K) with `given_label`, -> logits (n, 2); on the model's device and
            trained in place. None for a perceptron with one hidden layer, made from `generator`.
        hidden: units of that layer; not used when an adversary is given.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`; learning rate and weight decay are the adversary's too.

    Returns:
        GroupTraining with every epoch's record and weights of the classifier; "loss" is the sum of both terms.

    Raises:
        TypeError, ValueError: bad examples (see `check_group_examples`), a model without `encode` and `head`, an
            adversary that does not answer with two logits, or bad options, before any work.

    Source: Ganin and Lempitsky (2015), Sec. 3 (the reversal), which P3, Sec. 5.1.2, cites; Wadsworth et al. (2018),
        which it cites too, give the adversary the label where equalized odds are wanted.
    Differs from the paper: P3 names neither the adversary's network, nor the weight, nor what it looks at. Ganin and
        Lempitsky train with momentum and a falling rate, we with Adam as every method here.
    """
    check_number(weight, "weight", at_least=0.0)
    check_number(hidden, "hidden", at_least=1, integer=True)
    check_generator(generator)
    examples = check_group_examples(model, inputs, labels, groups)
    n_seen = examples.count_features(model) + (examples.n_classes if given_label else 0)
    if adversary is None:
        adversary = _perceptron(n_seen, hidden, generator).to(examples.device, examples.dtype)
    _check_adversary(adversary, n_seen, examples)
    done = 0

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        nonlocal done
        rows, targets, members = examples.batch(indices)
        features = model.encode(rows)
        trained = done / (epochs * math.ceil(len(examples) / batch_size))
        seen = reverse_gradient(features.flatten(1), weight=weight * (ramped_weight(trained) if ramp else 1.0))
        done += 1
        if given_label:
            seen = torch.cat([seen, F.one_hot(targets, examples.n_classes).to(seen)], dim=1)
        return F.cross_entropy(model.head(features), targets) + F.cross_entropy(adversary(seen), members)

    mode = adversary.training
    adversary.train()
    try:
        return group_training(
            model, step, len(examples), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
            weight_decay=weight_decay, generator=generator, extra_parameters=adversary.parameters(), evaluate=evaluate,
            after_epoch=after_epoch, progress=progress,
        )  # fmt: skip
    finally:
        adversary.train(mode)


def _perceptron(n_features: int, hidden: int, generator: torch.Generator) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        return nn.Sequential(nn.Linear(n_features, hidden), nn.ReLU(), nn.Linear(hidden, N_GROUPS))


def _check_adversary(adversary: nn.Module, n_seen: int, examples: GroupExamples) -> None:
    if not isinstance(adversary, nn.Module):
        raise TypeError(f"adversary: expected a torch module, got {type(adversary).__name__}")
    with judged(adversary), torch.no_grad():
        try:
            answer = adversary(torch.zeros(1, n_seen, device=examples.device, dtype=examples.dtype))
        except RuntimeError as error:
            raise ValueError(
                f"adversary: expected one that takes ({n_seen},) features on {examples.device}, got: {error}"
            ) from error
    if not isinstance(answer, Tensor) or answer.shape != (1, N_GROUPS):
        got = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
        raise ValueError(f"adversary: expected logits (1, {N_GROUPS}) for one example, got {got}")
