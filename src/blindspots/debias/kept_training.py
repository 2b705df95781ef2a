"""A debiasing that outlives an interrupted run: trained once, kept with the weights of the epoch that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

import blindspots.debias
from blindspots.cache import cached_tensors
from blindspots.debias.bade import BadeTeacher
from blindspots.debias.group_training import GroupTraining
from blindspots.debias.select_epoch import select_epoch
from blindspots.fingerprint import fingerprint


@dataclass(frozen=True)
class KeptTraining:
    """A trained model at its chosen epoch.

    Attributes:
        model: the model that was given, with the weights of that epoch, in evaluation mode.
        history: one record per epoch, as of `GroupTraining`; seconds are those of the run that trained it.
        epoch: the chosen one, counted from 1.
    """

    model: nn.Module
    history: tuple[dict[str, float], ...]
    epoch: int


def kept_training(
    model: nn.Module,
    make: Callable[[nn.Module], GroupTraining | BadeTeacher],
    *,
    settings: Mapping[str, Any],
    data_sha256: str | Sequence[str],
    rule: str = "least_odds_near_best_eacc",
    split: str = "validation",
    margin: float | int = 1.0,
) -> KeptTraining:
    """Train a model by `make`, or take it from the cache, and give it the weights of the epoch that a rule picks.

    Args:
        model: changed in place; its first weights, its type and its device count.
        make: trains it, and returns the training or what holds it as `training`; called where the cache has none such.
        settings: JSON-able, all that decides the training besides model and data: method, epochs, rates, seed ...
        data_sha256: fingerprints of all examples, those of validation included.
        rule, split, margin: as in `select_epoch`.

    Raises:
        TypeError, ValueError: what `make` and `select_epoch` raise; settings that are not JSON-able.
    """
    state = model.state_dict()
    device = next(iter(state.values())).device.type

    def build() -> tuple[dict, dict[str, Any]]:
        made = make(model)
        training = getattr(made, "training", made)
        epoch = select_epoch(training.history, rule=rule, split=split, margin=margin)
        return training.states[epoch - 1], {"history": list(training.history), "epoch": epoch}

    entry = cached_tensors(
        "debiasing",
        build,
        parameters={
            "settings": dict(settings), "model": [type(model).__name__, *state], "device": device, "rule": rule,
            "split": split, "margin": margin,
        },
        data=(*([data_sha256] if isinstance(data_sha256, str) else data_sha256),
              fingerprint(*(value.cpu() for value in state.values()))),
        sources=[blindspots.debias, type(model)],
    )  # fmt: skip
    model.load_state_dict(entry.tensors)
    model.eval()
    return KeptTraining(model, tuple(entry.metadata["history"]), entry.metadata["epoch"])
