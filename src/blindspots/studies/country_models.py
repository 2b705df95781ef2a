"""Many models trained by one method on images with countries, and what they answer: a box of P0's Figure 4.2."""

from __future__ import annotations

import copy
from collections.abc import Mapping
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
from blindspots.cache import cache_directory, cached_tensors
from blindspots.data.sets import ImageSet
from blindspots.fairness import (
    GroupAccuracies,
    RobustDataset,
    WeightedImages,
    dro_train_many,
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


@dataclass(frozen=True)
class CountryModels:
    """S models of one method, trained from the same weights on the same data with other draws.

    Attributes:
        states: name -> (S, ...), their weights on the CPU.
        predictions: by name of the set judged on, (S, N) uint8 classes.
        losses: (S, steps) float64, see `fairness.Descent`.
        diverged_at: by model, the step at which its training ended, or None; such a model holds its first weights.
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
    name = fingerprint(torch.tensor(list(repr((sorted(key.items(), key=str), prints)).encode())))[:24]
    unfinished = cache_directory(directory) / "robust-country-data" / f"{name}.unfinished"

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        made = generate_adversarial_dataset(
            model, data, attack, **options, generator=generator(seed, "robust data"), progress_file=unfinished,
            progress=progress,
        )  # fmt: skip
        tensors = {part.name: value for part in fields(made) if isinstance(value := getattr(made, part.name), Tensor)}
        kept = {f"state.{name}": value for name, value in made.state.items()}
        return tensors | kept, {"seconds": made.seconds, "gradient_evaluations": made.gradient_evaluations}

    entry = cached_tensors(
        "robust-country-data", build, parameters=key, data=prints, directory=directory,
        sources=[blindspots.attacks, blindspots.perception, generate_adversarial_dataset],
    )  # fmt: skip
    unfinished.unlink(missing_ok=True)
    plain = {name: value for name, value in entry.tensors.items() if not name.startswith("state.")}
    state = {name.removeprefix("state."): v for name, v in entry.tensors.items() if name.startswith("state.")}
    return RobustDataset(
        **plain, state=state, seconds=tuple(entry.metadata["seconds"]),
        gradient_evaluations=entry.metadata["gradient_evaluations"],
    )  # fmt: skip


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

    Model i draws from the stream of (seed, i) whatever the method, so that methods can be compared in pairs.

    Args:
        model: where all start, on its device.
        data: "robust": what `robust_country_data` returns; "plain", "balanced", "group_dro": an ImageSet with groups
            "country", all of which have images.
        method: "robust" (Algorithm 4.2), or a key of `CONTROLS`: equal weights; countries drawn equally often; the
            online algorithm of Sagawa et al.
        judged_on: by name, sets to classify.
        n_models: S.
        steps, learning_rate, weighting, batch_size, on_divergence: of `dro_train_many`.
        group_step_size: of `group_dro_train`.
        seed: of what is drawn.
        directory: the cache's folder; None for the usual one.
        progress: show a bar.

    Returns:
        CountryModels.

    Raises:
        TypeError, ValueError: an unknown method, data that do not fit it, or what the trainings refuse.
    """
    checks.check_choice(method, "method", ("robust", *CONTROLS))
    checks.check_number(n_models, "n_models", at_least=1, integer=True)
    if isinstance(data, WeightedImages) != (method == "robust"):
        wanted = "the WeightedImages of Algorithm 4.1" if method == "robust" else "an ImageSet with countries"
        raise TypeError(f"data: expected {wanted} for method {method!r}, got {type(data).__name__}")
    options: dict[str, Any] = {
        "steps": steps, "learning_rate": learning_rate, "batch_size": batch_size, "on_divergence": on_divergence,
    }  # fmt: skip
    key = {"method": method, "n_models": n_models, "weighting": weighting, "group_step_size": group_step_size,
           **options, "seed": seed, "judged_on": sorted(judged_on), **_kind(model)}  # fmt: skip
    tensors = [data.images, data.labels]
    tensors.append(data.weights if isinstance(data, WeightedImages) else data.groups["country"])
    prints = [fingerprint(*tensors), fingerprint(*model.state_dict().values())]
    prints += [fingerprint(judged_on[name].images) for name in sorted(judged_on)]

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        draws = [generator(seed, "model", i) for i in range(n_models)]
        shared = {**options, "generators": draws, "progress": progress}
        if method == "group_dro":
            own = data.groups["country"]
            made = group_dro_train([model] * n_models, data, own, group_step_size=group_step_size, **shared)
        else:
            made = dro_train_many([model] * n_models, _weighted(data, method), weighting=weighting, **shared)
        first = {name: value.cpu() for name, value in model.state_dict().items()}
        states = [
            first if step is not None else state for state, step in zip(made.states, made.diverged_at, strict=True)
        ]
        kept = {f"state.{name}": torch.stack([state[name] for state in states]) for name in states[0]}
        kept |= {f"predictions.{name}": _predictions(model, states, judged) for name, judged in judged_on.items()}
        return kept | {"losses": made.losses}, {"diverged_at": list(made.diverged_at), "seconds": made.seconds}

    entry = cached_tensors(
        "country-models", build, parameters=key, data=prints, sources=[dro_train_many, group_dro_train, group_balanced],
        directory=directory,
    )  # fmt: skip

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


def _weighted(data: ImageSet | WeightedImages, method: str) -> WeightedImages:
    if method == "robust":
        return data
    if method == "balanced":
        return group_balanced(data, data.groups["country"])
    return WeightedImages(data.images, data.labels, torch.ones(len(data.labels), dtype=torch.float64))


def _predictions(model: nn.Module, states: list[dict[str, Tensor]], judged: ImageSet) -> Tensor:
    """Return the classes (S, N) uint8 that a model answers with each of the states."""
    own, rows = copy.deepcopy(model), []
    for state in states:
        own.load_state_dict(state)
        rows.append(compute_logits(own, judged.images).argmax(1).to("cpu", torch.uint8))
    return torch.stack(rows)
