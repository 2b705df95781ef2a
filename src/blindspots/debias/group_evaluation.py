"""Score a model on examples of two groups, in evaluation mode: on clean inputs, or on inputs that carry a trigger."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from blindspots.borrowed import judged
from blindspots.checks import check_finite, check_number
from blindspots.debias.group_cells import check_both_groups
from blindspots.debias.group_metrics import group_rates
from blindspots.debias.trigger_assignment import inverted_triggers

Stamp = Callable[[Tensor, Tensor], Tensor]
"""(inputs (n, ...), assignment (n,) of 0 and 1) -> inputs that carry those triggers."""

Examples = tuple[Tensor, Tensor, Tensor]
"""(inputs (N, ...), labels (N,) integers or targets (N,) floats, groups (N,) of 0 and 1)."""


def group_outputs(
    model: nn.Module,
    inputs: Tensor,
    *,
    stamp: Stamp | None = None,
    assignment: Tensor | None = None,
    batch_size: int = 512,
) -> Tensor:
    """Return a model's outputs (N, K) in evaluation mode, without gradients, on the device of `inputs`.

    Args:
        model: (n, ...) -> (n, K), or (n,) for a regression, which come back as (N, 1).
        inputs: (N, ...); batches of them are moved to the model's device and dtype.
        stamp: adds triggers to each batch, before it is moved; None for clean inputs.
        assignment: (N,) integers 0 or 1, the triggers; with `stamp` only.
        batch_size: inputs per forward pass.

    Raises:
        TypeError, ValueError: a model that is no module, a stamp without assignment or the reverse, outputs that are
            not finite.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module, got {type(model).__name__}")
    check_number(batch_size, "batch_size", at_least=1, integer=True)
    if (stamp is None) != (assignment is None):
        raise ValueError("assignment: expected one exactly where a stamp is given; pass both or neither")
    place = next(model.parameters(), inputs)
    outputs = []
    with judged(model), torch.no_grad():
        for start in range(0, len(inputs), batch_size):
            batch = inputs[start : start + batch_size]
            if stamp is not None:
                batch = stamp(batch, assignment[start : start + batch_size].to(inputs.device))
            answer = model(batch.to(place.device, place.dtype))
            outputs.append(answer.reshape(len(batch), -1).to(inputs.device))
    answers = torch.cat(outputs)
    check_finite(answers, "model: outputs")
    return answers


def group_scores(outputs: Tensor, labels: Tensor, groups: Tensor) -> dict[str, float]:
    """Return what a model's outputs are worth, by name.

    Args:
        outputs: (N, K) logits, or (N, 1) predictions of a regression.
        labels: (N,) integers in [0, K), or (N,) floats for a regression.
        groups: (N,) integers 0 or 1.

    Returns:
        For classes, in percent: "odds", "eacc" (see `equalized_odds`, `equalized_accuracy`), "accuracy" over all
        examples and "accuracy_0", "accuracy_1" over those of a group. For a regression, in the units of the labels
        squared: "mse", "mse_0", "mse_1".

    Raises:
        TypeError, ValueError: shapes that do not fit, one group only, an empty cell.
    """
    if not isinstance(outputs, Tensor) or outputs.ndim != 2 or len(outputs) != len(labels):
        got = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise ValueError(f"outputs: expected shape ({len(labels)}, K), got {got}")
    check_both_groups(groups, len(labels))
    labels, groups = labels.to(outputs.device), groups.to(outputs.device)
    if labels.is_floating_point():
        if outputs.shape[1] != 1 or labels.ndim != 1:
            raise ValueError(
                f"labels: expected (N,) targets for outputs (N, 1), got {tuple(labels.shape)} and "
                f"{tuple(outputs.shape)}; convert classes with .long()"
            )
        values, name, scale = (outputs[:, 0].double() - labels.double()).square(), "mse", 1.0
        scores = {}
    else:
        predictions = outputs.argmax(1)
        rates = group_rates(predictions, labels, groups, n_classes=outputs.shape[1])
        values, name, scale = (predictions == labels).double(), "accuracy", 100.0
        scores = {"odds": rates.odds, "eacc": rates.eacc}
    scores[name] = scale * values.mean().item()
    for group in (0, 1):
        scores[f"{name}_{group}"] = scale * values[groups == group].mean().item()
    return scores


def group_evaluator(
    splits: Mapping[str, Examples], *, stamp: Stamp | None = None, batch_size: int = 512
) -> Callable[[nn.Module], dict[str, float]]:
    """Return a function that scores a model on named splits, for the `evaluate` of a training.

    Args:
        splits: examples by name, for instance {"validation": (inputs, labels, groups), "test": ...}.
        stamp: None scores on clean inputs. A stamp scores on D_balance: each input with the trigger of the other group,
            as a BaDe teacher is to be used.
        batch_size: inputs per forward pass.

    Returns:
        model -> {"<split>_<score>": value} with the scores of `group_scores`.

    Raises:
        TypeError, ValueError: no split, or groups that are not both there; the rest when it is called.

    Source: P3, Algorithm 1, lines 9-15 (D_balance).
    """
    if not splits:
        raise ValueError("splits: expected examples by name, got none")
    for name, (_, labels, groups) in splits.items():
        try:
            check_both_groups(groups, len(labels))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    triggers = {name: None if stamp is None else inverted_triggers(groups) for name, (_, _, groups) in splits.items()}

    def evaluate(model: nn.Module) -> dict[str, float]:
        scores = {}
        for name, (inputs, labels, groups) in splits.items():
            outputs = group_outputs(model, inputs, stamp=stamp, assignment=triggers[name], batch_size=batch_size)
            scores |= {f"{name}_{score}": value for score, value in group_scores(outputs, labels, groups).items()}
        return scores

    return evaluate
