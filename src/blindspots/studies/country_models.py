"""Many models trained by one method on images with countries, and what they answer: a box of P0's Figure 4.2."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import blindspots.attacks
import blindspots.fairness
import blindspots.perception
from blindspots import checks
from blindspots.attacks.comparison import NamedAttack
from blindspots.borrowed import judged
from blindspots.cache import CachedTensors, cached_tensors, entry_path
from blindspots.data.sets import ImageSet
from blindspots.fairness import (
    Descent,
    GroupAccuracies,
    RobustDataset,
    WeightedImages,
    dro_train_many,
    faster_path,
    generate_adversarial_dataset,
    group_accuracies,
    group_balanced,
    group_dro_train,
)
from blindspots.fingerprint import fingerprint
from blindspots.models import compute_logits
from blindspots.seeding import generator

CONTROLS = {"plain": "plain", "balanced": "reweighted", "group_dro": "group DRO"}
"""Trainings without an attack, by key, and the names under which they are printed."""

_AT_ONCE = 100  # models in one stack at most, which bounds memory and what an interruption loses


@dataclass(frozen=True)
class CountryModels:
    """S models of one method, trained from the same weights on the same data with other draws.

    Attributes:
        states: name -> (S, ...), their weights on the CPU.
        predictions: by name of the set judged on, (S, N) uint8 classes.
        losses: (S, steps) float64, see `fairness.Descent`.
        diverged_at: by model, the step at which its training ended, or None; such a model holds its first weights. The
            last step where the weights are finite and an answer is not.
        seconds: of training all.
    """

    states: dict[str, Tensor]
    predictions: dict[str, Tensor]
    losses: Tensor
    diverged_at: tuple[int | None, ...]
    seconds: float

    def accuracies(self, name: str, judged: ImageSet) -> GroupAccuracies:
        """Return the models' accuracies by country on a set that they were judged on, under its name there."""
        return group_accuracies(
            self.predictions[name].long(), judged.labels, judged.groups["country"],
            n_groups=len(judged.group_names["country"]),
        )  # fmt: skip

    def model(self, template: nn.Module, place: int = 0) -> nn.Module:
        """Return a copy of a model of this architecture with the weights of model `place`."""
        made = copy.deepcopy(template)
        made.load_state_dict({name: values[place] for name, values in self.states.items()})
        return made


def robust_country_data(
    model: nn.Module,
    data: ImageSet,
    attack: NamedAttack,
    *,
    rounds: int,
    learning_rate: float | int,
    weighting: str = "sampling_only",
    batch_size: int = 1,
    attack_batch_size: int | None = None,
    seed: int,
    directory: str | Path | None = None,
    progress: bool = True,
) -> RobustDataset:
    """Run Algorithm 4.1 once, or take its data set from the cache; an interrupted run goes on after its last round.

    Args:
        model: theta_0, on its device.
        data: images with labels.
        attack: with settings, see `country_attack`.
        rounds, learning_rate, weighting, batch_size, attack_batch_size: of `generate_adversarial_dataset`.
        seed: of what is drawn.
        directory: the cache's folder; None for the usual one.
        progress: show a bar.

    Returns:
        RobustDataset on the CPU; its seconds are those of the run that made it.
    """
    if attack.settings is None:
        raise ValueError("attack: expected settings, by which its data set is kept, got None; use country_attack")
    options = {
        "rounds": rounds, "learning_rate": learning_rate, "weighting": weighting, "batch_size": batch_size,
        "attack_batch_size": attack_batch_size,
    }  # fmt: skip
    key = {"attack": dict(attack.settings), "options": options, "seed": seed, **_kind(model)}
    prints = [fingerprint(data.images, data.labels), fingerprint(*model.state_dict().values())]
    entry_of = {
        "parameters": key, "data": prints, "directory": directory,
        "sources": [blindspots.attacks, blindspots.perception, generate_adversarial_dataset],
    }  # fmt: skip
    unfinished = entry_path("robust-country-data", **entry_of).with_suffix(".unfinished")

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        made = generate_adversarial_dataset(
            model, data, attack, **options, generator=generator(seed, "robust data"), progress_file=unfinished,
            progress=progress,
        )  # fmt: skip
        tensors = {part.name: value for part in fields(made) if isinstance(value := getattr(made, part.name), Tensor)}
        kept = {f"state.{name}": value for name, value in made.state.items()}
        return tensors | kept, {"seconds": made.seconds, "gradient_evaluations": made.gradient_evaluations}

    entry = cached_tensors("robust-country-data", build, **entry_of)
    unfinished.unlink(missing_ok=True)
    plain = {name: value for name, value in entry.tensors.items() if not name.startswith("state.")}
    state = {name.removeprefix("state."): v for name, v in entry.tensors.items() if name.startswith("state.")}
    return RobustDataset(
        **plain, state=state, seconds=tuple(entry.metadata["seconds"]),
        gradient_evaluations=entry.metadata["gradient_evaluations"],
    )  # fmt: skip


@dataclass(frozen=True)
class CountryTraining:
    """Where models of a method start, what they are trained on, and how.

    Attributes:
        model: theta_0, on its device.
        data: "robust": what `robust_country_data` returns; "plain", "balanced", "group_dro": an ImageSet with groups
            "country", all of which have images.
        method: "robust" (Algorithm 4.2), or a key of `CONTROLS`: equal weights; countries drawn equally often; the
            online algorithm of Sagawa et al.
    """

    model: nn.Module
    data: ImageSet | WeightedImages
    method: str = "robust"

    def check(self) -> None:
        """Raise unless the method is known and fits the data."""
        checks.check_choice(self.method, "method", ("robust", *CONTROLS))
        if isinstance(self.data, WeightedImages) != (self.method == "robust"):
            wanted = "the WeightedImages of Algorithm 4.1" if self.method == "robust" else "an ImageSet with countries"
            raise TypeError(f"data: expected {wanted} for method {self.method!r}, got {type(self.data).__name__}")

    def weighted(self) -> WeightedImages:
        """Return the set that `dro_train_many` draws from."""
        if isinstance(self.data, WeightedImages):
            return self.data
        if self.method == "balanced":
            return group_balanced(self.data, self.data.groups["country"])
        even = torch.ones(len(self.data.labels), dtype=torch.float64)
        return WeightedImages(self.data.images, self.data.labels, even)

    def prints(self) -> list[str]:
        """Return fingerprints of what is trained on and of the weights at the start."""
        own = self.data.weights if isinstance(self.data, WeightedImages) else self.data.groups["country"]
        weights = self.model.state_dict().values()
        return [fingerprint(self.data.images, self.data.labels, own), fingerprint(*weights)]


def country_models(
    model: nn.Module,
    data: ImageSet | WeightedImages,
    *,
    method: str = "robust",
    judged_on: Mapping[str, ImageSet],
    n_models: int,
    steps: int,
    learning_rate: float | int,
    weighting: str = "sampling_only",
    batch_size: int = 1,
    group_step_size: float | int = 0.01,
    on_divergence: str = "raise",
    seed: int,
    directory: str | Path | None = None,
    progress: bool = True,
) -> CountryModels:
    """Train models from the same weights by one method and let them classify, or take both from the cache.

    Args:
        model, data, method: see `CountryTraining`.
        the rest: see `country_models_together`, which gives the same for several trainings in less time.

    Returns:
        CountryModels.

    Raises:
        TypeError, ValueError: an unknown method, data that do not fit it, or what the trainings refuse.
    """
    return country_models_together(
        {"alone": CountryTraining(model, data, method)}, judged_on=judged_on, n_models=n_models, steps=steps,
        learning_rate=learning_rate, weighting=weighting, batch_size=batch_size, group_step_size=group_step_size,
        on_divergence=on_divergence, seed=seed, directory=directory, progress=progress,
    )["alone"]  # fmt: skip


def country_models_together(
    trainings: Mapping[str, CountryTraining],
    *,
    judged_on: Mapping[str, ImageSet],
    n_models: int,
    steps: int,
    learning_rate: float | int,
    weighting: str = "sampling_only",
    batch_size: int = 1,
    group_step_size: float | int = 0.01,
    on_divergence: str = "raise",
    seed: int,
    directory: str | Path | None = None,
    progress: bool = True,
) -> dict[str, CountryModels]:
    """Train the models of several methods or data sets in one stack, where that is faster, and keep each by itself.

    Model i draws from the stream of (seed, i) in every training, so that methods can be compared in pairs.

    Args:
        trainings: by name; networks of one architecture on one device.
        judged_on: by name, sets to classify.
        n_models: S, of each training.
        steps, learning_rate, weighting, batch_size, on_divergence: of `dro_train_many`.
        group_step_size: of `group_dro_train`, which trains by itself.
        seed: of what is drawn.
        directory: the cache's folder; None for the usual one.
        progress: show a bar.

    Returns:
        CountryModels by name. The seconds of a stack are shared out in equal parts.

    Raises:
        TypeError, ValueError: an unknown method, data that do not fit it, or what the trainings refuse.
    """
    checks.check_number(n_models, "n_models", at_least=1, integer=True)
    for one in trainings.values():
        one.check()
    options: dict[str, Any] = {
        "steps": steps, "learning_rate": learning_rate, "batch_size": batch_size, "on_divergence": on_divergence,
    }  # fmt: skip
    shown = [fingerprint(judged_on[name].images) for name in sorted(judged_on)]

    def kept(name: str, build: Callable[[], tuple[dict[str, Tensor], dict[str, Any]]]) -> CountryModels:
        one = trainings[name]
        key = {"method": one.method, "n_models": n_models, "weighting": weighting, "group_step_size": group_step_size,
               **options, "seed": seed, "judged_on": sorted(judged_on), **_kind(one.model)}  # fmt: skip
        return _read_back(
            cached_tensors(
                "country-models", build, parameters=key, data=[*one.prints(), *shown], directory=directory,
                sources=[dro_train_many, group_dro_train, group_balanced],
            )
        )  # fmt: skip

    def trained(names: Sequence[str]) -> dict[str, tuple[dict[str, Tensor], dict[str, Any]]]:
        draws = [generator(seed, "model", i) for _ in names for i in range(n_models)]
        starts = [trainings[name].model for name in names for _ in range(n_models)]
        shared = {**options, "generators": draws, "progress": progress}
        if trainings[names[0]].method == "group_dro":
            data = trainings[names[0]].data
            made = group_dro_train(starts, data, data.groups["country"], group_step_size=group_step_size, **shared)
        else:
            sets = [each for name in names for each in [trainings[name].weighted()] * n_models]
            made = dro_train_many(starts, sets if len(names) > 1 else sets[0], weighting=weighting, **shared)
        parts = {}
        for place, name in enumerate(names):
            own = slice(place * n_models, (place + 1) * n_models)
            parts[name] = _kept_parts(trainings[name].model, made, own, judged_on, on_divergence)
        return parts

    found: dict[str, CountryModels] = {}
    for name in trainings:
        with suppress(_NotKept):
            found[name] = kept(name, _not_kept)
    missing = [name for name in trainings if name not in found]
    for names in _stacks(trainings, missing, n_models, batch_size):
        if len(names) == 1:  # inside the lock, so that of two processes one waits
            found[names[0]] = kept(names[0], lambda names=names: trained(names)[names[0]])
            continue
        made = trained(names)
        found |= {name: kept(name, lambda name=name, made=made: made[name]) for name in names}
    return {name: found[name] for name in trainings}


class _NotKept(Exception):
    """The cache has no such entry."""


def _not_kept() -> tuple[dict[str, Tensor], dict[str, Any]]:
    raise _NotKept


def _stacks(
    trainings: Mapping[str, CountryTraining], names: Sequence[str], n_models: int, batch_size: int
) -> list[list[str]]:
    """Return which trainings run at once: as many as fit if stacking is faster, else each alone."""
    alone = [name for name in names if trainings[name].method == "group_dro"]
    others = [name for name in names if name not in alone]
    if others:
        one = trainings[others[0]]
        device = next(one.model.parameters()).device
        if faster_path(len(others) * n_models, one.data.images, batch_size, device) == "one_by_one":
            alone, others = others + alone, []
    size = max(1, _AT_ONCE // n_models)
    return [others[start : start + size] for start in range(0, len(others), size)] + [[name] for name in alone]


def _kept_parts(
    model: nn.Module, made: Descent, own: slice, judged_on: Mapping[str, ImageSet], on_divergence: str
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what is kept of the models `own` of a descent: tensors and metadata."""
    first = {name: value.cpu() for name, value in model.state_dict().items()}
    diverged = [
        len(losses) if step is None and _overflows(model, state, judged_on) else step
        for step, state, losses in zip(made.diverged_at[own], made.states[own], made.losses[own], strict=True)
    ]
    if on_divergence == "raise" and any(step is not None for step in diverged):
        raise ValueError("learning_rate: training diverged, some model's answers are not finite; lower the rate")
    states = [first if step is not None else state for state, step in zip(made.states[own], diverged, strict=True)]
    kept = {f"state.{name}": torch.stack([state[name] for state in states]) for name in states[0]}
    kept |= {f"predictions.{name}": _predictions(model, states, judged) for name, judged in judged_on.items()}
    seconds = made.seconds * len(states) / len(made.states)
    return kept | {"losses": made.losses[own].clone()}, {"diverged_at": diverged, "seconds": seconds}


def _overflows(model: nn.Module, state: dict[str, Tensor], judged_on: Mapping[str, ImageSet]) -> bool:
    """Return whether a model with this state, whose weights are finite, answers some image with NaN or infinity."""
    own = copy.deepcopy(model)
    own.load_state_dict(state)
    weight = next(own.parameters())
    with judged(own), torch.no_grad():
        return not all(
            torch.isfinite(own(images.to(weight.device, weight.dtype))).all()
            for shown in judged_on.values()
            for images in shown.images.split(256)
        )


def _read_back(entry: CachedTensors) -> CountryModels:
    def part(prefix: str) -> dict[str, Tensor]:
        return {n.removeprefix(prefix): value for n, value in entry.tensors.items() if n.startswith(prefix)}

    return CountryModels(
        states=part("state."), predictions=part("predictions."), losses=entry.tensors["losses"],
        diverged_at=tuple(entry.metadata["diverged_at"]), seconds=entry.metadata["seconds"],
    )  # fmt: skip


def _kind(model: nn.Module) -> dict[str, Any]:
    """Return what of a model its weights do not tell: its class, the names of its weights, its device."""
    device = next(model.parameters()).device.type
    return {"model": [type(model).__name__, repr(model), *model.state_dict()], "device": device}


def _predictions(model: nn.Module, states: list[dict[str, Tensor]], judged: ImageSet) -> Tensor:
    """Return the classes (S, N) uint8 that a model answers with each of the states."""
    own, rows = copy.deepcopy(model), []
    for state in states:
        own.load_state_dict(state)
        rows.append(compute_logits(own, judged.images).argmax(1).to("cpu", torch.uint8))
    return torch.stack(rows)
