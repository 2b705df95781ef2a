"""A classifier that starts from another one's features and learns new classes, through the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from blindspots.cache import cached_tensors
from blindspots.checks import check_labels, check_number
from blindspots.fingerprint import fingerprint
from blindspots.models.evaluation import check_inputs
from blindspots.models.registry import BUILDERS, build_model
from blindspots.models.split import SplitClassifier
from blindspots.models.training import TrainResult, train_classifier
from blindspots.models.weights import load_matching


def finetuned_classifier(
    start: SplitClassifier,
    images: Tensor,
    labels: Tensor,
    *,
    n_classes: int,
    data_sha256: str | Sequence[str] = (),
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | None = None,
    weight_decay: float = 5e-4,
    seed: int,
    progress: bool = True,
    directory: str | Path | None = None,
) -> tuple[SplitClassifier, TrainResult]:
    """Give a trained classifier a new head and train all of it on other images, or load it from the cache.

    Args:
        start: the pretrained classifier, with the spec it was built from; left as it is.
        images, labels: as in `train_classifier`; the labels need not be those that start knows.
        n_classes: of the new head, at least 2.
        data_sha256: fingerprints of the sets the images come from, kept in the cache's key.
        epochs, batch_size, learning_rate, weight_decay, seed, progress: as in `train_classifier`; the seed draws the
            new head too.
        directory: the cache's folder; None for the usual one.

    Returns:
        (model in evaluation mode on the device of start, TrainResult of this second training).

    Raises:
        TypeError, ValueError: start without features and spec of its own, bad images, labels or options.
        OSError: the cache's folder cannot be written to.

    Source: P1, Ablation Studies: networks pre-trained on ImageNet whose output layer is adjusted.
    """
    if not isinstance(start, SplitClassifier):
        raise TypeError(f"start: expected a SplitClassifier with features and a spec, got {type(start).__name__}")
    check_inputs(images)
    check_labels(labels, len(images))
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    spec = {**start.spec, "n_classes": n_classes}
    place = next(start.parameters()).device
    model = build_model(spec, seed=seed).to(place)
    features = {name: value.detach().clone() for name, value in start.features.state_dict().items()}
    model.features.load_state_dict(features)
    prints = [*([data_sha256] if isinstance(data_sha256, str) else data_sha256), fingerprint(images, labels)]
    prints.append(fingerprint(*features.values()))
    options = {
        "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "weight_decay": weight_decay,
        "seed": seed,
    }  # fmt: skip

    def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
        result = train_classifier(model, images, labels, progress=progress, **options)
        return model.state_dict(), {"result": result.as_dict()}

    entry = cached_tensors(
        "finetuned-classifier", build, parameters={"spec": spec, "training": options, "device": place.type},
        data=prints, sources=[BUILDERS[spec["name"]], train_classifier, finetuned_classifier], directory=directory,
    )  # fmt: skip
    load_matching(model, entry.tensors, f"cache entry {entry.key[:12]}")
    return model.eval(), TrainResult.from_dict(entry.metadata["result"])
