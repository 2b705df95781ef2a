"""BaDe on a table with many injection rates at once: teachers and students stacked into one model each."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.cache import cached_tensors
from blindspots.checks import check_number
from blindspots.debias.bade import check_examples
from blindspots.debias.distillation_loss import distillation_loss
from blindspots.debias.group_cells import count_cells
from blindspots.debias.group_evaluation import Examples
from blindspots.debias.group_metrics import eacc_of, odds_of
from blindspots.debias.method_runs import SPLITS, Build
from blindspots.debias.resampled_recalls import cell_recalls
from blindspots.debias.select_epoch import select_epoch
from blindspots.debias.table_spec import spec_of_teacher
from blindspots.debias.trigger_assignment import assign_triggers, inverted_triggers
from blindspots.fingerprint import fingerprint
from blindspots.seeding import generator

_ROWS_AT_ONCE = 2048
_COLUMN = {"kind": "column"}


@dataclass(frozen=True)
class StackedBade:
    """Teachers and students of one seed, one pair for each pair of injection rates.

    Attributes:
        rates: (M, 2) float64, shares of trigger 0 by label.
        teacher_logits: (M, N, 2) float32: logit of class 1 over class 0 of the test rows, with trigger 0 and 1.
        last_logits: (M, N, 2) float32: the same after the last epoch, whatever epoch was chosen.
        student_logits: (M, N) float32: likewise, without trigger; of the student of the chosen teacher.
        teacher_epochs, student_epochs: (M,) the chosen epochs, counted from 1.
        seconds: of training, as far as it was not read from the cache then and there.
    """

    rates: Tensor
    teacher_logits: Tensor
    last_logits: Tensor
    student_logits: Tensor
    teacher_epochs: Tensor
    student_epochs: Tensor
    seconds: float


def stacked_bade(
    splits: Mapping[str, Examples],
    rates: Tensor | Sequence[Sequence[float]],
    spec: Mapping[str, Any],
    *,
    build: Build,
    seed: int,
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    stack: int = 32,
    rule: str = "least_odds_near_best_eacc",
    margin: float | int = 1.0,
    device: str | torch.device = "cpu",
    directory: str | Path | None = None,
) -> StackedBade:
    """Train a teacher and a student for each pair of injection rates, `stack` pairs at a time.

    Each pair is trained as `method_runs` trains "bade" with {"rates": ...} and the same seed: same first weights,
    batches, losses and rule for the epoch. All pairs share the order in which examples of a label get trigger 0, so
    that cells differ in their rates and in nothing else. A stack is one call for all its models, which is several times
    faster for perceptrons of few units, and is kept by itself: an interrupted grid goes on with the next stack.

    Args:
        splits: (rows (N, D), labels (N,), groups (N,)) by "train", "validation" and "test"; every label in both groups.
        rates: (M, 2) shares in [0, 1] of trigger 0 for labels 0 and 1.
        spec: of the student, a perceptron's; see `table_spec`. The teacher has one input more, its trigger.
        build: makes a model of a spec, `blindspots.models.build_model`.
        seed: decides first weights, batches and triggers.
        epochs, batch_size, learning_rate: of both, with Adam.
        stack: models trained at once, at least 1.
        rule, margin: as in `select_epoch`, on the validation split: D_balance for teachers, clean rows for students.
        device: where to train.
        directory: the cache's folder; None for the usual one.

    Raises:
        TypeError, ValueError: bad examples, rates or settings, before any training; training that diverged.

    Source: P3, Sec. 5.3, Figure 5, and Algorithm 1.
    Differs from the paper: there, rates are varied on pictures; the order of examples is not said to be shared.
    """
    if set(splits) != set(SPLITS):
        raise ValueError(f"splits: expected {', '.join(SPLITS)}; got {', '.join(map(str, splits)) or 'none'}")
    for name, (inputs, labels, groups) in splits.items():
        try:
            check_examples(inputs, labels, groups)
            if count_cells(labels, groups).shape[1] != 2:
                raise ValueError("labels: expected two classes")
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    for value, name in ((epochs, "epochs"), (batch_size, "batch_size"), (stack, "stack")):
        check_number(value, name, at_least=1, integer=True)
    check_number(learning_rate, "learning_rate", above=0.0)
    table = torch.as_tensor(rates, dtype=torch.float64).cpu()
    if table.ndim != 2 or table.shape[1] != 2 or not len(table) or not ((table >= 0) & (table <= 1)).all():
        raise ValueError(f"rates: expected (M, 2) shares in [0, 1], got {table.tolist()}; divide percentages by 100")
    spec_of_teacher(spec, _COLUMN)
    place = torch.device(device)
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    choose = {"rule": rule, "margin": margin}
    data = fingerprint(*(part for name in SPLITS for part in splits[name]))
    here = {name: tuple(part.to(place) for part in given) for name, given in splits.items()}
    kept = [
        cached_tensors(
            "stacked-bade",
            lambda some=some: _train_stack(here, some, dict(spec), build, seed, settings, choose),
            parameters={"rates": some.tolist(), "spec": dict(spec), "seed": seed, "device": place.type, **settings,
                        **choose},
            data=data, sources=[sys.modules[__name__], build], directory=directory,
        )
        for some in table.split(stack)
    ]  # fmt: skip
    joined = {name: torch.cat([entry.tensors[name] for entry in kept]) for name in kept[0].tensors}
    return StackedBade(rates=table, seconds=sum(entry.metadata["seconds"] for entry in kept), **joined)


def _train_stack(
    splits: Mapping[str, Examples], rates: Tensor, spec: dict[str, Any], build: Build, seed: int,
    settings: Mapping[str, Any], choose: Mapping[str, Any],
) -> tuple[dict[str, Tensor], dict[str, float]]:  # fmt: skip
    started = time.perf_counter()
    rows, labels, groups = splits["train"]
    assigned = []
    for rate in rates.tolist():  # no draw depends on a rate, so every generator ends in the same state
        draws = generator(seed, "debias", "teacher")
        assigned.append(assign_triggers(labels, groups, generator=draws, rates=rate))
    triggers = torch.stack(assigned).to(rows)
    n_models = len(rates)

    teacher = _Stack(build(spec_of_teacher(spec, _COLUMN), seed=seed).to(rows.device), n_models)
    teacher_states, teacher_epochs = _fit(
        teacher,
        lambda index: F.cross_entropy(
            teacher(rows[index], triggers[:, index]).flatten(0, 1), labels[index].long().repeat(n_models)
        ),
        len(rows), settings, draws, choose, splits["validation"], inverted=True,
    )  # fmt: skip
    last = _with_both_triggers(teacher, splits["test"][0])
    teacher.load(teacher_states, teacher_epochs)
    targets = teacher.answers(rows, inverted_triggers(groups))

    student = _Stack(build(spec, seed=seed).to(rows.device), n_models)
    student.load(*_fit(
        student,
        lambda index: distillation_loss(student(rows[index]).flatten(0, 1), targets[:, index].flatten(0, 1)),
        len(rows), settings, generator(seed, "debias", "student"), choose, splits["validation"],
    ))  # fmt: skip
    tensors = {
        "teacher_logits": _with_both_triggers(teacher, splits["test"][0]), "last_logits": last,
        "student_logits": student.answers(splits["test"][0]).diff(dim=2)[..., 0].float(),
        "teacher_epochs": teacher.epochs, "student_epochs": student.epochs,
    }  # fmt: skip
    return tensors, {"seconds": time.perf_counter() - started}


class _Stack:
    """M copies of a model as one function, with a leading axis on each weight."""

    def __init__(self, model: nn.Module, n_models: int) -> None:
        self.weights = {
            name: value.detach().expand(n_models, *value.shape).clone().requires_grad_(True)
            for name, value in model.named_parameters()
        }
        self.n_models = n_models
        buffers = dict(model.named_buffers())
        self._call = torch.func.vmap(
            lambda weights, inputs: torch.func.functional_call(model, (weights, buffers), (inputs,))
        )

    def __call__(self, rows: Tensor, triggers: Tensor | None = None) -> Tensor:
        """Return logits (M, B, 2) of rows (B, D), with triggers (M, B) or none."""
        inputs = rows.expand(self.n_models, *rows.shape)
        if triggers is not None:
            inputs = torch.cat([inputs, triggers[..., None]], dim=2)
        return self._call(self.weights, inputs)

    def answers(self, rows: Tensor, triggers: Tensor | None = None) -> Tensor:
        """Return logits (M, N, 2) without gradients, of rows (N, D) with the same triggers (N,) for all, or none."""
        with torch.no_grad():
            parts = []
            for index in torch.arange(len(rows), device=rows.device).split(_ROWS_AT_ONCE):
                mine = None if triggers is None else triggers[index].to(rows).expand(self.n_models, -1)
                parts.append(self(rows[index], mine))
        return torch.cat(parts, dim=1)

    def load(self, states: Sequence[Mapping[str, Tensor]], epochs: Tensor) -> None:
        """Give each model the weights it had after its own epoch (M,), counted from 1."""
        self.epochs = epochs
        with torch.no_grad():
            for name, value in self.weights.items():
                value.copy_(torch.stack([states[epoch - 1][name][at] for at, epoch in enumerate(epochs.tolist())]))


def _with_both_triggers(teacher: _Stack, rows: Tensor) -> Tensor:
    """Return the logits (M, N, 2) of class 1 over class 0 with trigger 0 and with trigger 1."""
    both = [teacher.answers(rows, torch.full((len(rows),), a, device=rows.device)) for a in (0, 1)]
    return torch.stack([answer.diff(dim=2)[..., 0] for answer in both], dim=2).float()


def _fit(
    stack: _Stack, loss: Callable[[Tensor], Tensor], n: int, settings: Mapping[str, Any], draws: torch.Generator,
    choose: Mapping[str, Any], validation: Examples, *, inverted: bool = False,
) -> tuple[list[dict[str, Tensor]], Tensor]:  # fmt: skip
    """Train as `group_training` does; return the weights after each epoch and each model's chosen epoch (M,).

    Args:
        loss: indices (B,) of examples -> the mean of all models' mean losses on them.
    """
    rows, labels, groups = validation
    stepper = torch.optim.Adam(stack.weights.values(), lr=settings["learning_rate"], fused=True)
    torch.randint(2**62, (), generator=draws)  # group_training's seed for dropout, so that the orders are the same
    scores, states = [], []
    for epoch in range(1, settings["epochs"] + 1):
        order = torch.randperm(n, generator=draws)
        for index in order.tensor_split(math.ceil(n / settings["batch_size"])):
            stepper.zero_grad(set_to_none=True)
            # Models share no weight, so the sum of their losses gives each the gradient of its own.
            total = stack.n_models * loss(index.to(rows.device))
            total.backward()
            stepper.step()
        if not math.isfinite(total.item()):
            raise ValueError(
                f"learning_rate: training diverged in epoch {epoch} at {settings['learning_rate']:g}; lower it"
            )
        logits = stack.answers(rows, inverted_triggers(groups) if inverted else None)
        recalls = cell_recalls(logits.argmax(2) == labels, labels, groups)
        scores.append((odds_of(recalls), eacc_of(recalls)))
        states.append({name: value.detach().clone() for name, value in stack.weights.items()})
    chosen = []
    for model in range(stack.n_models):
        history = [{"validation_odds": odds[model].item(), "validation_eacc": eacc[model].item()}
                   for odds, eacc in scores]  # fmt: skip
        chosen.append(select_epoch(history, **choose))
    return states, torch.tensor(chosen)
