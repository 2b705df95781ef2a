"""A family of classifiers, every regime of every unit, through the cache; later regimes start from earlier ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blindspots.cache import cached_tensors
from blindspots.checks import check_choice
from blindspots.fingerprint import fingerprint
from blindspots.latent_models.train_regime import (
    AUGMENTATION,
    NOISE,
    REGIMES,
    STARTS,
    RegimeTraining,
    check_regime,
    train_regime,
)
from blindspots.latent_models.unit_classifier import UNITS, unit_classifier
from blindspots.models.split import SplitClassifier
from blindspots.models.weights import load_matching


@dataclass(frozen=True)
class RegimeClassifier:
    """A trained classifier, in evaluation mode without gradients of its parameters, its regime, unit and training."""

    model: SplitClassifier
    regime: str
    unit: int
    training: RegimeTraining


def trained_regimes(
    images: Tensor,
    labels: Tensor,
    *,
    n_classes: int,
    validation: tuple[Tensor, Tensor],
    regimes: Sequence[str] = REGIMES,
    units: Sequence[int] = UNITS,
    widths: Sequence[int] | None = None,
    dropout: Sequence[float] | None = None,
    pad: int | None = None,
    data_sha256: str | Sequence[str] = (),
    epochs: int = 8,
    epoch_size: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 4e-4,
    weight_decay: float = 1e-6,
    decay: float = 0.75,
    sigma: float = NOISE,
    augmentation: Mapping[str, Any] = AUGMENTATION,
    seed: int,
    device: str | torch.device = "cpu",
    progress: bool = True,
    directory: str | Path | None = None,
) -> dict[tuple[str, int], RegimeClassifier]:
    """Train a classifier for each regime and unit, or load those that were trained before.

    "robust" starts from the plain model of its unit, "both" from the conventional one, which are trained for it where
    they are not asked for. Models of one unit share their first weights. Each model is an entry of the cache of its
    own, so that an interrupted family goes on with the first that is missing.

    Args:
        images, labels, validation: as in `train_regime`; square images.
        n_classes: K.
        regimes, units: which; all five and all three are the paper's fifteen.
        widths, dropout, pad: as in `unit_classifier`.
        data_sha256: fingerprints of the sets the images come from, kept in the key beside the tensors' own.
        device: where to train and where the models are returned.
        directory: the cache's folder; None for the usual one.
        epochs, epoch_size, batch_size, learning_rate, weight_decay, decay, sigma, augmentation, seed, progress: as in
            `train_regime`.

    Returns:
        RegimeClassifier by (regime, unit), in the order of units and, within one, of regimes as given.

    Raises:
        TypeError, ValueError: bad images, labels or options.
        OSError: the cache's folder cannot be written to.
    """
    if not regimes or not units:
        raise ValueError(f"regimes: expected at least one regime and one unit, got {regimes!r} and {units!r}")
    for regime in regimes:
        check_choice(regime, "regimes", REGIMES)
    options = {
        "epochs": epochs, "epoch_size": epoch_size, "batch_size": batch_size, "learning_rate": learning_rate,
        "weight_decay": weight_decay, "decay": decay, "sigma": sigma, "augmentation": dict(augmentation), "seed": seed,
    }  # fmt: skip
    place = torch.device(device)
    prints = [*([data_sha256] if isinstance(data_sha256, str) else data_sha256)]
    found: dict[tuple[str, int], RegimeClassifier] = {}

    def trained(regime: str, unit: int) -> RegimeClassifier:
        if (regime, unit) in found:
            return found[regime, unit]
        if regime in STARTS:
            model = copy.deepcopy(trained(STARTS[regime], unit).model).requires_grad_(True)
        else:
            model = unit_classifier(
                images.shape[1], n_classes, side=images.shape[-1], unit=unit, widths=widths, dropout=dropout, pad=pad,
                seed=seed,
            ).to(place)  # fmt: skip
        check_regime(model, images, labels, validation, **options)
        start = fingerprint(*model.state_dict().values())

        def build() -> tuple[dict[str, Tensor], dict[str, Any]]:
            result = train_regime(
                model, images, labels, regime=regime, validation=validation, progress=progress, **options
            )
            return model.state_dict(), {"result": result.as_dict()}

        entry = cached_tensors(
            "regime-classifier", build,
            parameters={"spec": model.spec, "regime": regime, "training": options, "device": place.type},
            data=[*prints, data_print, start], sources=[unit_classifier, train_regime], directory=directory,
        )  # fmt: skip
        load_matching(model, entry.tensors, f"cache entry {entry.key[:12]}")
        result = RegimeTraining.from_dict(entry.metadata["result"])
        found[regime, unit] = RegimeClassifier(model.eval().requires_grad_(False), regime, unit, result)
        return found[regime, unit]

    data_print = fingerprint(images, labels, *validation)
    return {(regime, unit): trained(regime, unit) for unit in units for regime in regimes}
