"""Teachers of one, two, three ... bias variables on the same pictures: what each set of triggers does beside others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.debias.erm import erm
from blindspots.debias.group_evaluation import Examples, group_outputs
from blindspots.debias.kept_training import kept_training
from blindspots.debias.several_biases import (
    assign_several,
    check_several_groups,
    several_evaluator,
    stamp_several,
    trigger_effects,
)
from blindspots.debias.stamp_triggers import CORNERS
from blindspots.fingerprint import fingerprint
from blindspots.seeding import generator

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SeveralRun:
    """A teacher with triggers for the first bias variables.

    Attributes:
        stamped: variables with triggers; 0 for a standard model.
        seed: decides first weights, batches, triggers.
        predictions: (N,) classes of the test pictures with all triggers inverted (clean with none).
        effects: of each stamped variable's trigger on test pictures, see `trigger_effects`.
        history, epoch: of the training; the epoch is chosen on validation by the mean over the stamped variables.
    """

    stamped: int
    seed: int
    predictions: Tensor
    effects: tuple[float, ...]
    history: tuple[dict[str, float], ...]
    epoch: int


def several_runs(
    splits: Mapping[str, Examples],
    spec: Mapping[str, Any],
    *,
    build: Callable[..., nn.Module],
    stamped: Sequence[int],
    size: int,
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    learning_rate: float | int,
    device: str | torch.device = "cpu",
    corners: Sequence[str] = CORNERS,
) -> dict[tuple[int, int], SeveralRun]:
    """Train a teacher for each number of stamped variables and each seed, or read it from the cache.

    All start from the same first weights with one seed, and see the same pictures in the same order. A variable's
    triggers are the same however many others are stamped, so that runs differ in the added triggers alone.

    Args:
        splits: (images (N, 3, H, W), labels (N,) of two classes, groups (N, V)) by "train", "validation" and "test".
        spec: of the model, JSON-able.
        build: makes a model of a spec, `blindspots.models.build_model`.
        stamped: how many variables get triggers, each 0 to V; the first ones do.
        size, corners: as in `stamp_several`.
        seeds: the seeds.
        epochs, batch_size, learning_rate: as in `group_training`.
        device: where to train.

    Returns:
        SeveralRun by (stamped, seed).

    Raises:
        TypeError, ValueError: a wrong split, shape, number or empty cell, before any training.

    Source: P3, end of Sec. 5.5: "the efficacy of backdoor attacks will rapidly decline as the number of trigger types
        increases", which it does not measure.
    """
    if set(splits) != set(SPLITS):
        raise ValueError(f"splits: expected {', '.join(SPLITS)}; got {', '.join(map(str, splits)) or 'none'}")
    for name, (_, labels, groups) in splits.items():
        try:
            n_variables = check_several_groups(labels, groups)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    for count in stamped:
        check_number(count, "stamped", at_least=0, at_most=n_variables, integer=True)
    held = {name: splits[name] for name in SPLITS[1:]}
    for count in stamped:  # all errors of blocks and corners, before any training
        several_evaluator(held, size=size, stamped=count, corners=corners)
    settings = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "size": size,
        "corners": list(corners), "spec": dict(spec),
    }  # fmt: skip
    data = fingerprint(*(part.cpu() for name in SPLITS for part in splits[name]))
    runs = {}
    for seed in seeds:
        assignment = assign_several(*splits["train"][1:], generator=generator(seed, "several", "triggers"))
        for count in stamped:
            runs[count, seed] = _run(splits, held, build, assignment, settings, data, count, seed, torch.device(device))
    return runs


def _run(
    splits: Mapping[str, Examples], held: Mapping[str, Examples], build: Callable[..., nn.Module], assignment: Tensor,
    settings: dict[str, Any], data: str, stamped: int, seed: int, device: torch.device,
) -> SeveralRun:  # fmt: skip
    marks = {"size": settings["size"], "corners": settings["corners"]}

    def train(model: nn.Module) -> Any:
        images, labels, groups = splits["train"]
        return erm(
            model, stamp_several(images, assignment[:, :stamped], **marks), labels, groups[:, 0],
            **{name: settings[name] for name in ("epochs", "batch_size", "learning_rate")},
            generator=generator(seed, "several"), evaluate=several_evaluator(held, stamped=stamped, **marks),
        )  # fmt: skip

    kept = kept_training(
        build(settings["spec"], seed=seed).to(device),
        train,
        settings=settings | {"stamped": stamped, "seed": seed, "what": "several biases"},
        data_sha256=data,
    )
    images, _, groups = splits["test"]
    inverted = 1 - groups[:, :stamped]
    outputs = group_outputs(kept.model, stamp_several(images, inverted, **marks))
    effects = trigger_effects(kept.model, images, inverted, **marks)
    return SeveralRun(stamped, seed, outputs.argmax(1).cpu(), tuple(effects.tolist()), kept.history, kept.epoch)
