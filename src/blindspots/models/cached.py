"""Trained models through the content-addressed cache: trained once, loaded afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.cache import cached_tensors
from blindspots.checks import check_labels
from blindspots.fingerprint import fingerprint
from blindspots.models.evaluation import check_inputs
from blindspots.models.registry import BUILDERS, build_model, check_spec
from blindspots.models.training import TrainResult, train_classifier
from blindspots.models.weights import load_matching


def trained_classifier(
    spec: Mapping[str, Any],
    images: Tensor,
    labels: Tensor,
    *,
    data_sha256: str | Sequence[str] = (),
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | None = None,
    weight_decay: float = 5e-4,
    seed: int,
    validation: tuple[Tensor, Tensor] | None = None,
    augment: Sequence[str] = (),
    max_shift: int | None = None,
    optimizer: str = "sgd",
    schedule: str = "one_cycle",
    device: str | torch.device = "cpu",
    progress: bool = True,
    directory: str | Path | None = None,
) -> tuple[nn.Module, TrainResult]:
    """Build the model of a spec and train it, or load it where the same was trained before.

    The cache's key holds the spec, the options, the kind of device, the code of the architecture and of the training,
    and the fingerprint of the very tensors given: a selection from a data set never meets the entry of the whole.

    Args:
        spec: see `build_model`; the seed draws its first weights too.
        images, labels: as in `train_classifier`.
        data_sha256: fingerprints of the sets they come from (their cards'), kept in the key beside the tensors' own.
        device: where to train and where the model is returned.
        directory: the cache's folder; None for the usual one.
        epochs, batch_size, learning_rate, weight_decay, seed, validation, augment, max_shift, optimizer, schedule,
            progress: as in `train_classifier`.

    Returns:
        (model in evaluation mode, TrainResult of the training that made it).

    Raises:
        TypeError, ValueError: a bad spec, images, labels or options.
        OSError: the cache's folder cannot be written to.
    """
    check_spec(spec)
    check_inputs(images)
    check_labels(labels, len(images))
    place = torch.device(device)
    model = build_model(spec, seed=seed).to(place)
    prints = [*([data_sha256] if isinstance(data_sha256, str) else data_sha256), fingerprint(images, labels)]
    if validation is not None:
        prints.append(fingerprint(*validation))
    options = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "weight_decay": weight_decay,
        "seed": seed, "augment": list(augment), "max_shift": max_shift, "optimizer": optimizer, "schedule": schedule,
    }  # fmt: skip

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        result = train_classifier(
            model, images, labels, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
            weight_decay=weight_decay, seed=seed, validation=validation, augment=augment, max_shift=max_shift,
            optimizer=optimizer, schedule=schedule, progress=progress,
        )  # fmt: skip
        return model.state_dict(), {"result": result.as_dict()}

    entry = cached_tensors(
        "classifier",
        build,
        parameters={"spec": model.spec, "training": options, "device": place.type},
        data=prints,
        sources=[BUILDERS[spec["name"]], train_classifier],
        directory=directory,
    )
    load_matching(model, entry.tensors, f"cache entry {entry.key[:12]}")
    return model.eval(), TrainResult.from_dict(entry.metadata["result"])
