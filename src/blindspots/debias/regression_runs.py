"""A regression debiased in four ways with each seed: standard, its distillation, and BaDe with one rate or several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.checks import check_choice, check_finite, check_number
from blindspots.debias.bade import check_examples, train_bade_teacher
from blindspots.debias.distill_student import distill_student
from blindspots.debias.erm import erm
from blindspots.debias.group_cells import count_cells
from blindspots.debias.group_evaluation import Examples, Stamp, group_evaluator, group_outputs
from blindspots.debias.kept_training import KeptTraining, kept_training
from blindspots.debias.method_runs import SPLITS, Build, trigger_stamp
from blindspots.debias.table_spec import spec_of_teacher
from blindspots.debias.target_strata import target_strata
from blindspots.fingerprint import fingerprint
from blindspots.seeding import generator

REGRESSIONS = {
    "standard": "Standard", "distilled": "Standard, distilled", "one_rate": "BaDe, one rate",
    "rates": "BaDe, a rate per stratum",
}  # fmt: skip
"""The ways of `regression_runs` with the names they are printed under; the last three are students."""


@dataclass(frozen=True)
class RegressionRun:
    """A regression trained with one seed.

    Attributes:
        method: one of `REGRESSIONS`, or "one_rate_teacher" and "rates_teacher".
        seed: decides first weights, batches, triggers.
        outputs: (N,) float64 on the test split: of clean inputs; of a teacher, of inputs with inverted triggers.
        triggered: (N, 2) of a teacher: the same inputs all with trigger 0, and all with trigger 1; None for others.
        history: one record per epoch: "validation_mse", "validation_mse_0" and "_1", "loss", "seconds".
        epoch: chosen on validation, counted from 1.
        teacher: whose answers a student learned; None for others.
    """

    method: str
    seed: int
    outputs: Tensor
    triggered: Tensor | None
    history: tuple[dict[str, float], ...]
    epoch: int
    teacher: RegressionRun | None = None

    @property
    def seconds(self) -> float:
        """Return the seconds of training, the teacher's included."""
        return sum(record["seconds"] for record in self.history) + (self.teacher.seconds if self.teacher else 0.0)


def regression_runs(
    methods: Sequence[str],
    splits: Mapping[str, Examples],
    spec: Mapping[str, Any],
    *,
    build: Build,
    trigger: Mapping[str, Any],
    edges: Sequence[float],
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    weight_decay: float | int = 0.0,
    margin: float | int = 5.0,
    device: str | torch.device = "cpu",
    processes: int = 1,
) -> dict[tuple[str, int], RegressionRun]:
    """Train a regression in several ways, each kept by itself in the cache.

    - "standard": squared error on clean inputs.
    - "one_rate": BaDe as the paper has it for a regression, with the single rate P(B = 0).
    - "rates": BaDe with a rate for each stratum of the target.
    - "distilled": the control. A student of the standard model's answers on clean inputs: all that BaDe's second stage
      does, without a trigger.

    With one seed all start from the same weights, teachers see their batches in the same order, and so do students:
    "distilled", "one_rate" and "rates" differ by the answers they learn. The epoch has the least gap between
    the groups' MSE among those whose MSE is within `margin` percent of the least, on validation: of a teacher, with
    inverted triggers.

    Args:
        methods: keys of `REGRESSIONS`.
        splits: (inputs, targets (N,) floats, groups) by "train", "validation" and "test".
        spec: of the model, JSON-able.
        build: (spec, start=..., seed=...) -> a model of one output that first answers about `start`:
            `blindspots.models.regressor`.
        trigger: options of `stamp_triggers`, or {"kind": "column"}.
        edges: of the strata, in the targets' units; each stratum has both groups in training.
        seeds: the seeds.
        epochs, batch_size, learning_rate, weight_decay: of every training.
        margin: percent of the least MSE.
        device: where to train.
        processes: train so many seeds at once, each in a process of one thread; on the CPU only.

    Returns:
        RegressionRun by (method, seed).

    Raises:
        TypeError, ValueError: an unknown method or split, targets that are no finite floats, a stratum that one group
            is absent from, or bad settings, before any training.

    Source: P3, Sec. 5.5 ("we set the trigger addition rate as the probability of bias variables appearing in the data
        set").
    Differs from the paper: the control and the rates per stratum are ours, and so is the rule for the epoch, of which
        the paper says nothing.
    """
    for method in methods:
        check_choice(method, "methods", tuple(REGRESSIONS))
    _check_splits(splits)
    strata = target_strata(splits["train"][1], edges)
    count_cells(strata, splits["train"][2], n_classes=len(edges) + 1)
    for name, value in {"epochs": epochs, "batch_size": batch_size}.items():
        check_number(value, name, at_least=1, integer=True)
    check_number(margin, "margin", at_least=0.0)
    settings = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "weight_decay": weight_decay
    }  # fmt: skip
    place = torch.device(device)
    check_number(processes, "processes", at_least=1, integer=True)
    if processes > 1 and place.type != "cpu":
        raise ValueError(f"processes: expected 1 on {place.type}, got {processes}")
    task = _Task(
        splits={name: tuple(part.to(place) for part in splits[name]) for name in SPLITS}, strata=strata.cpu(),
        spec=dict(spec), build=build, trigger=dict(trigger), edges=tuple(edges),
        settings=settings, margin=margin, device=place,
        data=fingerprint(*(part.cpu() for name in SPLITS for part in splits[name])),
    )  # fmt: skip
    trigger_stamp(trigger)
    if processes > 1 and len(seeds) > 1:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            min(processes, len(seeds)), context, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:  # each leaves its trainings in the cache, from which they are read below
            for waiting in [pool.submit(_fill, task, list(methods), seed) for seed in seeds]:
                waiting.result()
    return {(method, seed): _run(task, method, seed) for seed in seeds for method in methods}


@dataclass(frozen=True)
class _Task:
    splits: Mapping[str, Examples]
    strata: Tensor
    spec: dict[str, Any]
    build: Build
    trigger: dict[str, Any]
    edges: tuple[float, ...]
    settings: dict[str, Any]
    margin: float
    device: torch.device
    data: str

    @property
    def stamp(self) -> Stamp:
        return trigger_stamp(self.trigger)


def _fill(task: _Task, methods: Sequence[str], seed: int) -> None:
    for method in methods:
        _run(task, method, seed)


def _run(task: _Task, method: str, seed: int) -> RegressionRun:
    run, _ = _standard(task, seed) if method == "standard" else _student(task, method, seed)
    return run


def _standard(task: _Task, seed: int) -> tuple[RegressionRun, nn.Module]:
    inputs, targets, groups = task.splits["train"]
    evaluate = group_evaluator({"validation": task.splits["validation"]})

    def make(model: nn.Module) -> Any:
        return erm(model, inputs, targets, groups, generator=generator(seed, "debias", "standard"), evaluate=evaluate,
                   **task.settings)  # fmt: skip

    kept = _kept(task, "standard", seed, make)
    return _reported(task, "standard", seed, kept), kept.model


def _teacher(task: _Task, method: str, seed: int) -> tuple[RegressionRun, nn.Module]:
    inputs, targets, groups = task.splits["train"]
    evaluate = group_evaluator({"validation": task.splits["validation"]}, stamp=task.stamp)
    strata = task.strata if method == "rates" else None

    def make(model: nn.Module) -> Any:
        return train_bade_teacher(
            model, inputs, targets, groups, stamp=task.stamp, strata=strata,
            generator=generator(seed, "debias", "teacher"), evaluate=evaluate, **task.settings,
        )  # fmt: skip

    name = f"{method}_teacher"
    kept = _kept(task, name, seed, make)
    return _reported(task, name, seed, kept, stamp=task.stamp), kept.model


def _student(task: _Task, method: str, seed: int) -> tuple[RegressionRun, nn.Module]:
    inputs, _, groups = task.splits["train"]
    evaluate = group_evaluator({"validation": task.splits["validation"]})
    plain = method == "distilled"
    run, teacher = _standard(task, seed) if plain else _teacher(task, method, seed)
    stamp = _unstamped if plain else task.stamp

    def make(model: nn.Module) -> Any:
        return distill_student(
            teacher, model, inputs, groups, stamp=stamp, loss="mse", generator=generator(seed, "debias", "student"),
            evaluate=evaluate, **task.settings,
        ).training  # fmt: skip

    kept = _kept(task, method, seed, make, learned_from=teacher)
    return _reported(task, method, seed, kept, teacher=run), kept.model


def _unstamped(inputs: Tensor, assignment: Tensor) -> Tensor:
    return inputs


def _kept(
    task: _Task, name: str, seed: int, make: Callable[[nn.Module], Any], *, learned_from: nn.Module | None = None
) -> KeptTraining:
    start = task.splits["train"][1].double().mean().item()
    spec = spec_of_teacher(task.spec, task.trigger) if name.endswith("_teacher") else task.spec
    model = task.build(spec, start=start, seed=seed).to(task.device)
    learned = [] if learned_from is None else [fingerprint(*(v.cpu() for v in learned_from.state_dict().values()))]
    # What another way is trained with is no part of this one: the standard model and one rate have no strata.
    trigger = None if name in ("standard", "distilled") else task.trigger
    edges = list(task.edges) if name.startswith("rates") else None
    return kept_training(
        model, make, rule="least_gap_near_least_error", margin=task.margin, data_sha256=[task.data, *learned],
        settings={**task.settings, "stage": name, "seed": seed, "spec": spec, "trigger": trigger, "edges": edges},
    )  # fmt: skip


def _reported(
    task: _Task, method: str, seed: int, kept: KeptTraining, *, stamp: Stamp | None = None,
    teacher: RegressionRun | None = None,
) -> RegressionRun:  # fmt: skip
    inputs, _, groups = task.splits["test"]
    triggered = None
    if stamp is None:
        outputs = group_outputs(kept.model, inputs)[:, 0]
    else:
        all_of = [torch.full_like(groups, trigger) for trigger in (0, 1)]
        columns = [group_outputs(kept.model, inputs, stamp=stamp, assignment=each) for each in all_of]
        triggered = torch.cat(columns, dim=1).cpu().double()
        outputs = triggered.gather(1, 1 - groups.cpu().long()[:, None])[:, 0]
    return RegressionRun(
        method=method, seed=seed, outputs=outputs.cpu().double(), triggered=triggered, history=kept.history,
        epoch=kept.epoch, teacher=teacher,
    )  # fmt: skip


def _check_splits(splits: Mapping[str, Examples]) -> None:
    if set(splits) != set(SPLITS):
        raise ValueError(f"splits: expected {', '.join(SPLITS)}; got {', '.join(map(str, splits)) or 'none'}")
    for name, (inputs, targets, groups) in splits.items():
        try:
            check_examples(inputs, targets, groups)
            if not targets.is_floating_point():
                raise ValueError(f"targets: expected floats, got {targets.dtype}; convert with .float()")
            check_finite(targets, "targets")
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
