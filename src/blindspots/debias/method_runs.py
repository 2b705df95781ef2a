"""One row of the debiasing tables with one seed: every method trained alike, its epoch chosen alike, and kept."""

from __future__ import annotations

import inspect
import multiprocessing
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.cache import cached_tensors
from blindspots.checks import check_choice, check_number
from blindspots.debias.adversarial_learning import adversarial_learning
from blindspots.debias.bade import check_examples, train_bade_teacher
from blindspots.debias.distill_student import distill_student
from blindspots.debias.erm import erm
from blindspots.debias.group_cells import count_cells
from blindspots.debias.group_evaluation import Examples, Stamp, group_outputs, group_scores
from blindspots.debias.group_training import Evaluate, GroupTraining
from blindspots.debias.mfd import mfd
from blindspots.debias.reweighing import reweighing
from blindspots.debias.rnf import rnf
from blindspots.debias.select_epoch import select_epoch
from blindspots.debias.stamp_triggers import append_trigger, stamp_triggers
from blindspots.debias.table_spec import spec_of_teacher
from blindspots.debias.trigger_assignment import inverted_triggers
from blindspots.debias.undersampling import undersampling
from blindspots.fingerprint import fingerprint
from blindspots.seeding import generator

METHODS = {
    "standard": "Standard", "undersampling": "Undersampling", "weighted": "Weighted",
    "adversarial": "Adv. learning", "mfd": "MFD", "rnf": "RNF", "bade": "BaDe",
}  # fmt: skip
"""The rows of P3's Tables 2 and 3, in their order, with the names they are printed under."""

Build = Callable[..., nn.Module]
"""(spec, seed=...) -> a new model with first weights of that seed: `blindspots.models.build_model`."""

RNF_SMOOTHINGS = (0.003, 0.01, 0.03)
SPLITS = ("train", "validation", "test")

_TRAINERS: dict[str, Callable[..., Any]] = {
    "standard": erm, "undersampling": undersampling, "weighted": reweighing, "adversarial": adversarial_learning,
    "mfd": mfd, "rnf": rnf, "teacher": train_bade_teacher, "student": distill_student,
}  # fmt: skip
_TRAINING = ("epochs", "batch_size", "learning_rate", "weight_decay")
_GIVEN = ("model", "inputs", "labels", "groups", "teacher", "student", "stamp", "generator", "evaluate", "after_epoch",
          "progress", "adversary", "assignment", "strata")  # fmt: skip


@dataclass(frozen=True)
class MethodRun:
    """A method trained with one seed, as its table row reports it.

    Attributes:
        method: one of `METHODS`, or "bade_teacher".
        seed: decides first weights, batches, triggers.
        options: of the candidate that was chosen (see `method_runs`).
        spec: of the model.
        state: its weights after `epoch`, on the CPU.
        history: that candidate's epochs: "<split>_odds", "<split>_eacc" and so on, with "loss" and "seconds". Of the
            teacher these are measures of D_balance, of all others of clean inputs.
        predictions: (E, N) uint8 by split, the class predicted after each epoch.
        epoch: chosen on validation, counted from 1.
        from_test: the record of the epoch that the test split itself would choose, of all candidates.
        from_test_predictions: (N,) uint8 on the test split in that epoch.
        seconds: of training the chosen candidate for all epochs, and what it starts from.
        search_seconds: of training all candidates, and what they start from.
        assignment: (N,) the triggers that a teacher was trained with; None for others.
        teacher: of "bade", the teacher whose answers the student learned.
    """

    method: str
    seed: int
    options: dict[str, Any]
    spec: dict[str, Any]
    state: dict[str, Tensor]
    history: tuple[dict[str, float], ...]
    predictions: dict[str, Tensor]
    epoch: int
    from_test: dict[str, float]
    from_test_predictions: Tensor
    seconds: float
    search_seconds: float
    assignment: Tensor | None = None
    teacher: MethodRun | None = None

    @property
    def chosen(self) -> dict[str, float]:
        """Return the record of the epoch chosen on validation."""
        return self.history[self.epoch - 1]

    @property
    def test_predictions(self) -> Tensor:
        """Return the classes (N,) predicted for the test split after the epoch chosen on validation."""
        return self.predictions["test"][self.epoch - 1].long()

    def model(self, build: Build) -> nn.Module:
        """Return the model with the weights of the chosen epoch, in evaluation mode, on the CPU."""
        model = build(self.spec, seed=self.seed)
        model.load_state_dict(self.state)
        return model.eval()


def trigger_stamp(trigger: Mapping[str, Any]) -> Stamp:
    """Return the stamp that a trigger's description names: {"kind": "column"}, or options of `stamp_triggers`."""
    if trigger.get("kind") == "column":
        if len(trigger) > 1:
            raise ValueError(f"trigger: expected no options beside the kind column, got {dict(trigger)}")
        return append_trigger
    return partial(stamp_triggers, **trigger)


def method_runs(
    methods: Sequence[str],
    splits: Mapping[str, Examples],
    spec: Mapping[str, Any],
    *,
    build: Build,
    trigger: Mapping[str, Any],
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    weight_decay: float | int = 0.0,
    options: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    rule: str = "least_odds_near_best_eacc",
    margin: float | int = 1.0,
    device: str | torch.device = "cpu",
    processes: int = 1,
    directory: str | Path | None = None,
) -> dict[tuple[str, int], MethodRun]:
    """Train methods with seeds on one task, or read from the cache what was trained before.

    Every training is kept by itself, so an interrupted run goes on where it stopped, and pages share what they have in
    common. The epoch is the rule's choice on the validation split. A method may have several candidates, settings that
    nobody states; the rule then picks among their chosen epochs, on validation too. With one seed all methods start
    from the same first weights (the teacher of a table has one input more).

    "mfd" and "rnf" start from the standard model with its chosen weights; "bade" is a teacher, chosen by its measures
    on inputs with inverted triggers (D_balance), and a student, measured on clean inputs.

    Args:
        methods: keys of `METHODS`.
        splits: (inputs, labels, groups) by "train", "validation" and "test"; every class in both groups.
        spec: of the model, JSON-able; see `table_spec`.
        build: makes a model of a spec, `blindspots.models.build_model`.
        trigger: {"kind": "column"} for tables, or options of `stamp_triggers`.
        seeds: the seeds.
        epochs, batch_size, learning_rate, weight_decay: of every training, unless a candidate has its own.
        options: candidates by method, each a mapping of the options of the method's function and of the four above;
            "bade" takes those of `train_bade_teacher` and of `distill_student` together. One candidate without options
            where a method is not named, and for "rnf" one for each of `RNF_SMOOTHINGS`.
        rule, margin: as in `select_epoch`.
        device: where to train.
        processes: train so many seeds at once, each in a process of one thread (benchmarks/test_many_seeds.py says what
            that is worth); on the CPU only.
        directory: the cache's folder; None for the usual one.

    Returns:
        MethodRun by (method, seed). Predictions and scores are those of the run that made them, seconds too.

    Raises:
        TypeError, ValueError: an unknown method, split or option, or bad examples or settings, before any training.

    Source: P3, Sec. 5.1.2, 5.1.3 and 5.2.
    Differs from the paper: it selects on the test part; here `from_test` keeps that choice beside the sound one. It
        selects the final epoch only: teachers and standard models that others start from are always chosen on
        validation.
    """
    for method in methods:
        check_choice(method, "methods", tuple(METHODS))
    _check_splits(splits)
    candidates = _checked_options(options or {})
    task = _Task(
        splits=splits, spec=dict(spec), build=build, trigger=dict(trigger), rule=rule, margin=margin,
        device=torch.device(device),
        training={
            "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "weight_decay": weight_decay
        },
        data=fingerprint(*(part for name in SPLITS for part in splits[name])),
        directory=directory,
    )  # fmt: skip
    for name in ("epochs", "batch_size"):
        check_number(task.training[name], name, at_least=1, integer=True)
    check_number(processes, "processes", at_least=1, integer=True)
    if processes > 1 and task.device.type != "cpu":
        raise ValueError(f"processes: expected 1 on {task.device.type}, got {processes}")
    if processes > 1 and len(seeds) > 1:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            min(processes, len(seeds)), context, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:  # each leaves its trainings in the cache, from which they are read below
            for waiting in [pool.submit(_fill, task, list(methods), seed, candidates) for seed in seeds]:
                waiting.result()
    return {(method, seed): _run(task, method, seed, candidates) for seed in seeds for method in methods}


def _fill(task: _Task, methods: Sequence[str], seed: int, candidates: Mapping[str, list[dict[str, Any]]]) -> None:
    for method in methods:
        _run(task, method, seed, candidates)


@dataclass(frozen=True)
class _Task:
    splits: Mapping[str, Examples]
    spec: dict[str, Any]
    build: Build
    trigger: dict[str, Any]
    rule: str
    margin: float
    device: torch.device
    training: dict[str, Any]
    data: str
    directory: str | Path | None


def _run(task: _Task, method: str, seed: int, candidates: Mapping[str, list[dict[str, Any]]]) -> MethodRun:
    if method in ("mfd", "rnf"):
        parents = [_run(task, "standard", seed, candidates)] * len(candidates[method])
        stages = [_stage(task, method, seed, given, parents[0]) for given in candidates[method]]
    elif method == "bade":
        parents, stages = [], []
        for given in candidates[method]:
            of_teacher, of_student = (
                {k: v for k, v in given.items() if k in _known(s)} for s in ("teacher", "student")
            )
            teacher = _choose(task, "bade_teacher", seed, [of_teacher], [_stage(task, "teacher", seed, of_teacher)])
            parents.append(teacher)
            stages.append(_stage(task, "student", seed, of_student, teacher))
    else:
        parents, stages = None, [_stage(task, method, seed, given) for given in candidates[method]]
    return _choose(task, method, seed, candidates[method], stages, parents)


def _choose(
    task: _Task,
    method: str,
    seed: int,
    candidates: Sequence[dict[str, Any]],
    stages: Sequence[_Stage],
    parents: Sequence[MethodRun] | None = None,
) -> MethodRun:
    look = partial(select_epoch, rule=task.rule, margin=task.margin)
    best = look([stage.history[stage.epoch - 1] for stage in stages]) - 1
    stage = stages[best]
    leaked = [look(each.history, split="test") for each in stages]
    worst_habit = look([each.history[at - 1] for each, at in zip(stages, leaked, strict=True)], split="test") - 1
    costs = [sum(record["seconds"] for record in each.history) for each in stages]
    # MFD's and RNF's candidates start from the same standard model, BaDe's from a teacher each.
    shared = {id(parent): parent.seconds for parent in parents or ()}
    start = parents[best] if parents else None
    return MethodRun(
        method=method, seed=seed, options=dict(candidates[best]), spec=stage.spec, state=stage.state,
        history=stage.history, predictions=stage.predictions, epoch=stage.epoch,
        from_test=stages[worst_habit].history[leaked[worst_habit] - 1],
        from_test_predictions=stages[worst_habit].predictions["test"][leaked[worst_habit] - 1].long(),
        seconds=costs[best] + (start.seconds if start else 0.0),
        search_seconds=sum(costs) + sum(shared.values()),
        assignment=stage.assignment, teacher=start if method == "bade" else None,
    )  # fmt: skip


@dataclass(frozen=True)
class _Stage:
    spec: dict[str, Any]
    state: dict[str, Tensor]
    history: tuple[dict[str, float], ...]
    predictions: dict[str, Tensor]
    epoch: int
    assignment: Tensor | None


def _stage(task: _Task, name: str, seed: int, given: Mapping[str, Any], parent: MethodRun | None = None) -> _Stage:
    """Return one training, from the cache where it is."""
    settings = {**task.training, **given}
    spec = spec_of_teacher(task.spec, task.trigger) if name == "teacher" else task.spec
    triggered = name in ("teacher", "student")

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        training, seen, assignment = _train(task, name, seed, settings, spec, parent)
        epoch = select_epoch(training.history, rule=task.rule, margin=task.margin)
        tensors = {f"predictions.{split}": torch.stack(seen[split]) for split in seen}
        tensors |= {f"state.{key}": value for key, value in training.states[epoch - 1].items()}
        if assignment is not None:
            tensors["assignment"] = assignment
        return tensors, {"history": training.history, "epoch": epoch}

    entry = cached_tensors(
        "debias-training", build,
        parameters={
            "stage": name, "spec": spec, "settings": settings, "trigger": task.trigger if triggered else None,
            "seed": seed, "rule": task.rule, "margin": task.margin, "device": task.device.type,
        },
        data=[task.data, *([fingerprint(*parent.state.values())] if parent else [])],
        sources=[sys.modules[__name__], task.build],
        directory=task.directory,
    )  # fmt: skip
    under = {prefix: {key.removeprefix(prefix): value for key, value in entry.tensors.items() if key.startswith(prefix)}
             for prefix in ("state.", "predictions.")}  # fmt: skip
    return _Stage(
        spec, under["state."], tuple(entry.metadata["history"]), under["predictions."], entry.metadata["epoch"],
        entry.tensors.get("assignment"),
    )  # fmt: skip


def _train(
    task: _Task, name: str, seed: int, settings: dict[str, Any], spec: dict[str, Any], parent: MethodRun | None
) -> tuple[GroupTraining, dict[str, list[Tensor]], Tensor | None]:
    inputs, labels, groups = (part.to(task.device) for part in task.splits["train"])
    stamp = trigger_stamp(task.trigger)
    seen, evaluate = _evaluator(task, stamp if name == "teacher" else None)
    common = {**settings, "generator": generator(seed, "debias", name), "evaluate": evaluate}
    model = (parent.model(task.build) if name == "rnf" else task.build(spec, seed=seed)).to(task.device)
    if name == "teacher":
        made = train_bade_teacher(model, inputs, labels, groups, stamp=stamp, **common)
        return made.training, seen, made.assignment
    if name == "student":
        teacher = parent.model(task.build).to(task.device)
        return distill_student(teacher, model, inputs, groups, stamp=stamp, **common).training, seen, None
    if name == "mfd":
        common["teacher"] = parent.model(task.build).to(task.device)
    return _TRAINERS[name](model, inputs, labels, groups, **common), seen, None


def _evaluator(task: _Task, stamp: Stamp | None) -> tuple[dict[str, list[Tensor]], Evaluate]:
    """Return the lists that predictions of each epoch are put into, and the function that scores and fills them."""
    seen: dict[str, list[Tensor]] = {name: [] for name in SPLITS[1:]}
    held = {name: tuple(part.to(task.device) for part in task.splits[name]) for name in seen}

    def evaluate(model: nn.Module) -> dict[str, float]:
        scores = {}
        for name, (inputs, labels, groups) in held.items():
            triggers = None if stamp is None else inverted_triggers(groups)
            outputs = group_outputs(model, inputs, stamp=stamp, assignment=triggers)
            seen[name].append(outputs.argmax(1).to("cpu", torch.uint8))
            scores |= {f"{name}_{score}": value for score, value in group_scores(outputs, labels, groups).items()}
        return scores

    return seen, evaluate


def _known(stage: str) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(_TRAINERS[stage]).parameters if name not in _GIVEN)


def _checked_options(options: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    candidates: dict[str, list[dict[str, Any]]] = {method: [{}] for method in METHODS}
    candidates["rnf"] = [{"smoothing": smoothing} for smoothing in RNF_SMOOTHINGS]
    for method, given in options.items():
        check_choice(method, "options", tuple(METHODS))
        if isinstance(given, Mapping) or not len(given):
            raise ValueError(f"options: expected a list of candidates for {method!r}, at least one, got {given!r}")
        known = (*_known("teacher"), *_known("student")) if method == "bade" else _known(method)
        for candidate in given:
            unknown = sorted(set(candidate) - set(known))
            if unknown:
                raise ValueError(
                    f"options: expected those of {method}, {', '.join(sorted(set(known)))}; got {', '.join(unknown)}"
                )
        candidates[method] = [dict(candidate) for candidate in given]
    return candidates


def _check_splits(splits: Mapping[str, Examples]) -> None:
    if set(splits) != set(SPLITS):
        raise ValueError(f"splits: expected {', '.join(SPLITS)}; got {', '.join(map(str, splits)) or 'none'}")
    for name, (inputs, labels, groups) in splits.items():
        try:
            check_examples(inputs, labels, groups)
            count_cells(labels, groups)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
