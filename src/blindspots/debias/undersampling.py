"""Undersampling: drop examples until the groups are balanced, and train on the rest."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_choice, check_generator
from blindspots.debias.group_cells import count_cells
from blindspots.debias.group_examples import N_GROUPS, check_group_examples
from blindspots.debias.group_training import Evaluate, GroupTraining, group_training

BALANCES = ("cells", "groups")


def balanced_rows(labels: Tensor, groups: Tensor, *, balance: str = "cells", generator: torch.Generator) -> Tensor:
    """Draw the examples that undersampling keeps, without replacement.

    Args:
        labels: (N,) integers from 0, every class in both groups.
        groups: (N,) 0 or 1.
        balance: "cells" keeps as many of every class and group as the rarest has, so that both the classes and the
            groups are balanced; "groups" keeps, in each class, as many of both groups as the rarer one has, which
            leaves the classes as unequal as these numbers.
        generator: a CPU generator; decides which examples stay, and is advanced.

    Returns:
        (M,) long indices of kept examples in ascending order, on the CPU.

    Raises:
        TypeError, ValueError: bad labels or groups (see `count_cells`), or an unknown balance.
    """
    check_choice(balance, "balance", BALANCES)
    check_generator(generator)
    counts = count_cells(labels, groups)
    kept = counts.min(dim=0).values if balance == "groups" else counts.min().expand(counts.shape[1])
    labels, groups = labels.cpu(), groups.cpu()
    rows = []
    for label, group in torch.cartesian_prod(torch.arange(len(kept)), torch.arange(N_GROUPS)).tolist():
        members = ((labels == label) & (groups == group)).nonzero().squeeze(1)
        rows.append(members[torch.randperm(len(members), generator=generator)[: kept[label]]])
    return torch.cat(rows).sort().values


def undersampling(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    balance: str = "cells",
    redraw: bool = False,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    generator: torch.Generator,
    evaluate: Evaluate | None = None,
    after_epoch: Callable[[dict[str, float]], None] | None = None,
    progress: bool = False,
) -> GroupTraining:
    """Minimize the mean cross-entropy over a balanced part of the examples, changing the model in place.

    Args:
        model: a module, inputs (n, ...) -> logits (n, K).
        inputs: (N, ...) floats: images (N, C, H, W) in [0, 1] or table rows (N, D).
        labels: (N,) integers, all of 0..K-1.
        groups: (N,) 0 or 1, both in every class.
        balance: what is balanced (see `balanced_rows`).
        redraw: draw the kept examples anew in each epoch, so that in the end none is lost, instead of once.
        epochs, batch_size, learning_rate, weight_decay, generator, evaluate, after_epoch, progress: as in
            `group_training`. An epoch has as many examples as are kept, so it costs less than one of `erm`.

    Returns:
        GroupTraining with every epoch's record and weights.

    Raises:
        TypeError, ValueError: bad examples (see `check_group_examples`) or options, before any work.

    Source: Zhou and Liu (2006); P3, Sec. 5.1.2 ("removing a portion of the data").
    Differs from the paper: it does not say what is balanced with what; "cells" is our reading, since its balanced
        accuracy rises with undersampling (Table 3). `redraw` is ours.
    """
    check_choice(balance, "balance", BALANCES)
    check_generator(generator)
    examples = check_group_examples(model, inputs, labels, groups)
    once = None if redraw else balanced_rows(labels, groups, balance=balance, generator=generator)

    def step(model: nn.Module, indices: Tensor) -> Tensor:
        rows, targets, _ = examples.batch(indices)
        return F.cross_entropy(model(rows), targets)

    def draw(draws: torch.Generator) -> Tensor:
        kept = balanced_rows(labels, groups, balance=balance, generator=draws) if once is None else once
        return kept[torch.randperm(len(kept), generator=draws)]

    return group_training(
        model, step, len(examples), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, generator=generator, draw=draw, evaluate=evaluate, after_epoch=after_epoch,
        progress=progress,
    )  # fmt: skip
