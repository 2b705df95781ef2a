"""Several bias variables at once: a set of two triggers for each, drawn by the label, in a corner of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from blindspots.checks import check_choice, check_finite, check_generator, check_number
from blindspots.debias.group_cells import check_groups, count_cells
from blindspots.debias.group_evaluation import Examples, group_outputs
from blindspots.debias.group_metrics import group_rates
from blindspots.debias.stamp_triggers import CORNERS, stamp_triggers
from blindspots.debias.trigger_assignment import assign_triggers


def check_several_groups(labels: Tensor, groups: Tensor) -> int:
    """Raise unless groups is (N, V) of 0 and 1 with every class in both groups of each variable; return V."""
    if not isinstance(groups, Tensor) or groups.ndim != 2 or not groups.shape[1]:
        got = tuple(groups.shape) if isinstance(groups, Tensor) else type(groups).__name__
        raise ValueError(f"groups: expected shape (N, V), a column for each bias variable, got {got}; use torch.stack")
    for variable in range(groups.shape[1]):
        try:
            count_cells(labels, groups[:, variable])
        except ValueError as error:
            raise ValueError(f"variable {variable}: {error}") from error
    return groups.shape[1]


def assign_several(labels: Tensor, groups: Tensor, *, generator: torch.Generator) -> Tensor:
    """Assign to each example a trigger for each bias variable, as often as its label has that variable's groups.

    Each column is `assign_triggers` of that variable, drawn by itself. Given the label, the triggers of one variable
    are thus independent of all groups and of the other variables' triggers, also where the groups of two variables go
    together.

    Args:
        labels: (N,) integers in [0, K).
        groups: (N, V) integers 0 or 1, a column for each bias variable.
        generator: a CPU generator, advanced.

    Returns:
        (N, V) long on the device of `groups`: 0 or 1.

    Raises:
        TypeError, ValueError: groups of a wrong kind or shape, or an empty cell of a variable, which is named.

    Source: P3, end of Sec. 5.5, which says that several sets of triggers are needed and shows none.
    """
    check_generator(generator)
    columns = range(check_several_groups(labels, groups))
    return torch.stack([assign_triggers(labels, groups[:, k], generator=generator) for k in columns], dim=1)


def stamp_several(images: Tensor, assignment: Tensor, *, size: int, corners: Sequence[str] = CORNERS) -> Tensor:
    """Stamp a block for each bias variable: the corner says which variable, blue (0) or red (1) which trigger.

    Args:
        images: (N, C, H, W) in [0, 1], with C = 3.
        assignment: (N, V) integers 0 or 1; V = 0 stamps nothing.
        size: side of each block in pixels, at most half the image's shorter side, so that blocks do not meet.
        corners: of the variables, in order, all different; at least V.

    Returns:
        (N, C, H, W) in [0, 1], a copy.

    Raises:
        TypeError, ValueError: an assignment of a wrong kind or shape, more variables than corners, a corner given
            twice, blocks that would cover each other.

    Source: P3, end of Sec. 5.5. Where the triggers of a second variable are to be is not said there.
    """
    if not isinstance(assignment, Tensor) or assignment.ndim != 2 or len(assignment) != len(images):
        got = tuple(assignment.shape) if isinstance(assignment, Tensor) else type(assignment).__name__
        raise ValueError(f"assignment: expected shape ({len(images)}, V), a column for each variable, got {got}")
    check_number(size, "size", at_least=1, integer=True)
    if 2 * size > min(images.shape[-2:]):
        raise ValueError(f"size: expected at most half the shorter side of {min(images.shape[-2:])} pixels, got {size}")
    for corner in corners:
        check_choice(corner, "corners", CORNERS)
    if len(set(corners)) != len(corners) or len(corners) < assignment.shape[1]:
        raise ValueError(
            f"corners: expected {assignment.shape[1]} or more, all different, one for each variable, got {corners!r}"
        )
    stamped = images.clone()
    for k, corner in zip(range(assignment.shape[1]), corners, strict=False):
        stamped = stamp_triggers(stamped, assignment[:, k], size=size, corners=(corner, corner))
    return stamped


def several_evaluator(
    splits: Mapping[str, Examples], *, size: int, stamped: int, corners: Sequence[str] = CORNERS
) -> Callable[[nn.Module], dict[str, float]]:
    """Return a function that scores a model on inputs with the first `stamped` variables' triggers inverted.

    Args:
        splits: by name (images (N, 3, H, W), labels (N,), groups (N, V)).
        size, corners: as in `stamp_several`.
        stamped: variables with triggers, 0 to V; 0 scores on clean inputs.

    Returns:
        model -> "<split>_odds" and "<split>_eacc", the means over the stamped variables (over all with none), for
        `select_epoch`; and "<split>_odds_<k>" of each variable.

    Raises:
        TypeError, ValueError: no split, groups of a wrong kind or shape, or more stamped variables than there are.
    """
    if not splits:
        raise ValueError("splits: expected examples by name, got none")
    held = {}
    for name, (images, labels, groups) in splits.items():
        n_variables = check_several_groups(labels, groups)
        check_number(stamped, "stamped", at_least=0, at_most=n_variables, integer=True)
        inverted = stamp_several(images, 1 - groups[:, :stamped], size=size, corners=corners)
        held[name] = (inverted, labels, groups)

    def evaluate(model: nn.Module) -> dict[str, float]:
        scores = {}
        for name, (inputs, labels, groups) in held.items():
            predictions = group_outputs(model, inputs).argmax(1)
            rates = [group_rates(predictions, labels, column) for column in groups.unbind(1)]
            judged = rates[:stamped] or rates
            scores[f"{name}_odds"] = sum(rate.odds for rate in judged) / len(judged)
            scores[f"{name}_eacc"] = sum(rate.eacc for rate in judged) / len(judged)
            scores |= {f"{name}_odds_{k}": rate.odds for k, rate in enumerate(rates)}
        return scores

    return evaluate


def trigger_effects(
    model: nn.Module, images: Tensor, assignment: Tensor, *, size: int, corners: Sequence[str] = CORNERS
) -> Tensor:
    """Return how strongly a model of two classes answers to each variable's trigger, the others as assigned.

    Args:
        model: images -> logits (n, 2).
        images: (N, 3, H, W) in [0, 1], without triggers.
        assignment: (N, V) integers 0 or 1.
        size, corners: as in `stamp_several`.

    Returns:
        (V,) float64: the mean over images of the difference of logits (class 1 less class 0) with red, less that with
        blue, of each variable.

    Raises:
        TypeError, ValueError: as in `stamp_several`; a model of another number of classes.
    """
    effects = []
    for k in range(assignment.shape[1]):
        check_groups(assignment[:, k], len(images), name="assignment")
        said = []
        for trigger in (0, 1):
            changed = assignment.clone()
            changed[:, k] = trigger
            outputs = group_outputs(model, stamp_several(images, changed, size=size, corners=corners))
            if outputs.shape[1] != 2:
                raise ValueError(f"model: expected two classes, got {outputs.shape[1]}")
            said.append(outputs.double().diff(dim=1).squeeze(1))
        check_finite(said[1] - said[0], "model: outputs")
        effects.append((said[1] - said[0]).mean())
    return torch.stack(effects).cpu() if effects else torch.zeros(0, dtype=torch.float64)
