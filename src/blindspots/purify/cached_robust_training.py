"""Robust models through the content-addressed cache: trained once, and from the last epoch if interrupted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from blindspots.cache import cached_tensors, entry_path
from blindspots.purify.robust_run import RobustTraining, tensors_of, training_digest
from blindspots.purify.robust_semantic_training import (
    Augment,
    ClusterDistances,
    check_robust_training,
    robust_semantic_training,
)
from blindspots.purify.training_attack import TrainingAttack

_KIND = "robust-classifier"
_PAPER_ATTACK = TrainingAttack()


def trained_robust_classifier(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    cluster_index: Tensor | None = None,
    clusters: ClusterDistances | None = None,
    *,
    data_sha256: str | Sequence[str] = (),
    alpha: float | int | None = None,
    semantic: bool = True,
    attack: TrainingAttack = _PAPER_ATTACK,
    include_distance_in_attack: bool = False,
    objective: str = "pgd",
    beta: float | int | None = None,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | int = 0.05,
    weight_decay: float | int = 5e-4,
    augment: Augment | None = None,
    seed: int,
    progress: bool = True,
    directory: str | Path | None = None,
) -> tuple[nn.Module, RobustTraining]:
    """Run `robust_semantic_training`, or load what it came to where the same was trained before.

    The cache's key holds the model's weights, layers and code, the options, the kind of device, the code of the
    training, the tensors that the clusters hold, and the fingerprint of the images, labels and clusters' indices. A
    training that is interrupted goes on from its last full epoch when it is asked for again.

    Args:
        model, images, labels, cluster_index, clusters: as in `robust_semantic_training`; the clusters hold their
            tensors in their own attributes.
        data_sha256: fingerprints of the sets the images come from (their cards'), kept in the key beside them.
        augment: as there, and a named function: what it does is known by its name and its file.
        directory: the cache's folder; None for the usual one.
        alpha, semantic, attack, include_distance_in_attack, objective, beta, epochs, batch_size, learning_rate,
            weight_decay, seed, progress: as in `robust_semantic_training`.

    Returns:
        (trained copy in evaluation mode, on the model's device, RobustTraining of the training that made it).

    Raises:
        TypeError, ValueError: as `robust_semantic_training`; an augmentation without a name, or clusters without
            tensors, since two of them could not be told apart.
        OSError: the cache's folder cannot be written to.
    """
    options = dict(
        alpha=alpha, semantic=semantic, include_distance_in_attack=include_distance_in_attack, objective=objective,
        beta=beta, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay,
        seed=seed,
    )  # fmt: skip
    check_robust_training(model, images, labels, cluster_index, clusters, attack=attack, **options)
    held = tensors_of(clusters)
    if semantic and not held:
        raise TypeError(f"clusters: expected an object that holds its tensors in attributes, got {clusters!r}")
    parameters = {
        "model": repr(model), "training": options | {"attack": asdict(attack), "augment": _name(augment)},
        "device": next(model.parameters()).device.type,
    }  # fmt: skip
    given = [part for part in (images, labels, cluster_index) if part is not None]
    prints = [data_sha256] if isinstance(data_sha256, str) else list(data_sha256)
    prints += [training_digest({}, *model.state_dict().values()), training_digest({}, *given, *held)]
    sources: list[Callable[..., Any]] = [
        robust_semantic_training,
        *_own_classes(model),
        *([augment] if augment else []),
    ]
    sources += [type(clusters)] if semantic else []
    entry_of = {"parameters": parameters, "data": prints, "sources": sources, "directory": directory}
    partial = entry_path(_KIND, **entry_of).with_suffix(".progress")

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        trained, result = robust_semantic_training(
            model, images, labels, cluster_index, clusters, attack=attack, augment=augment, progress=progress,
            progress_file=partial, **options,
        )  # fmt: skip
        return trained.state_dict(), {"result": result.as_dict()}

    entry = cached_tensors(_KIND, build, **entry_of)
    partial.unlink(missing_ok=True)
    trained = copy.deepcopy(model)
    trained.load_state_dict(entry.tensors)
    return trained.eval(), RobustTraining.from_dict(entry.metadata["result"])


def _name(augment: Augment | None) -> str | None:
    if augment is None:
        return None
    name = getattr(augment, "__qualname__", "")
    if not name or "<lambda>" in name or getattr(augment, "__closure__", None):
        raise TypeError(
            f"augment: expected a named function that holds no values of its own, got {augment!r}; what it does has to "
            "be known by its name and file"
        )
    return f"{augment.__module__}.{name}"


def _own_classes(model: nn.Module) -> list[type]:
    """Return the classes of a model's parts that are not torch's own, whose code its answers depend on."""
    found = {type(part) for part in model.modules()}
    return sorted(
        (kind for kind in found if not kind.__module__.startswith("torch.")), key=lambda kind: kind.__qualname__
    )
