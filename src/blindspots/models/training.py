"""Train a classifier on images and labels, and say how well it learned them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_choice, check_images, check_labels, check_number
from blindspots.models.augmentation import AUGMENTATIONS, flip_images, shift_images
from blindspots.models.evaluation import check_inputs, compute_logits, evaluate_classifier, evaluating, place_of
from blindspots.models.optimization import EpochRecord, check_training_options, fit


@dataclass(frozen=True)
class TrainResult:
    """How a training went: one record per epoch, and accuracies in [0, 1] in evaluation mode at the end.

    `history[e].score` is the validation accuracy after epoch e; it and `validation_accuracy` are None without
    validation images. `train_accuracy` is on the training images as given, without augmentation.
    """

    history: tuple[EpochRecord, ...]
    train_accuracy: float
    validation_accuracy: float | None
    epochs: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the same as JSON-able values."""
        return asdict(self) | {"history": [asdict(record) for record in self.history]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainResult:
        """Return what `as_dict` was made from."""
        return cls(**(values | {"history": tuple(EpochRecord(**record) for record in values["history"])}))


def train_classifier(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | None = None,
    weight_decay: float = 5e-4,
    seed: int,
    validation: tuple[Tensor, Tensor] | None = None,
    augment: Sequence[str] = (),
    max_shift: int | None = None,
    sample_weights: Tensor | None = None,
    optimizer: str = "sgd",
    schedule: str = "one_cycle",
    progress: bool = True,
) -> TrainResult:
    """Minimize the mean cross-entropy of a classifier, changing the model in place.

    The device and dtype are the model's; images may lie elsewhere (one that fits beside the model saves transfers).
    Mode, gradients and global generators are left as they were found (see `fit`).

    Args:
        model: a module, images (n, C, H, W) in [0, 1] -> logits (n, K).
        images: (N, C, H, W) in [0, 1], or table rows (N, F).
        labels: (N,) integers in [0, K).
        epochs: passes over the images, at least 1.
        batch_size: the largest batch.
        learning_rate: the largest one; None for 0.05 with "sgd" and 0.001 with "adam".
        weight_decay: l2 penalty added to the gradient, on every parameter.
        seed: decides the order, the augmentation and dropout (the first weights are the model's own).
        validation: (images, labels) scored after each epoch; nothing is chosen by them.
        augment: any of "shift" (whole pixels, filled with zeros) and "flip" (left to right), for images only.
        max_shift: the largest shift in pixels; None for an eighth of the shorter side, rounded down.
        sample_weights: (N,) finite weights >= 0 of the examples' losses; a batch's loss is the sum of weight times
            loss over its number of examples. None weighs all by 1.
        optimizer: "sgd" with Nesterov momentum 0.9, or "adam".
        schedule: "one_cycle", "cosine", "steps" or "constant" (see `scheduled_learning_rate`).
        progress: show a bar once training has taken three seconds.

    Returns:
        TrainResult; the trained weights are in `model`.

    Raises:
        TypeError, ValueError: bad images, labels or options, found before any work; or training that diverged, after
            which the model has its first weights again.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module to train, got {type(model).__name__}")
    check_training_options(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay,
        optimizer=optimizer, schedule=schedule, seed=seed,
    )  # fmt: skip
    _check_examples(model, images, labels, "images", "labels")
    if validation is not None:
        if not isinstance(validation, tuple) or len(validation) != 2:
            raise TypeError(f"validation: expected a pair (images, labels), got {type(validation).__name__}")
        _check_examples(model, *validation, "validation images", "validation labels")
    shift = _check_augmentation(augment, max_shift, images)
    weights = _check_weights(sample_weights, len(images))
    started = time.perf_counter()
    device, dtype = place_of(model, images)

    def batch_loss(indices: Tensor, draws: torch.Generator) -> Tensor:
        batch = images[indices.to(images.device)].to(device, dtype)
        if "shift" in augment:
            batch = shift_images(batch, shift, draws)
        if "flip" in augment:
            batch = flip_images(batch, draws)
        targets = labels[indices.to(labels.device)].to(device, torch.long)
        if weights is None:
            return F.cross_entropy(model(batch), targets)
        losses = F.cross_entropy(model(batch), targets, reduction="none")
        return (losses * weights[indices.to(weights.device)].to(losses)).mean()

    def validate() -> float:
        return evaluate_classifier(model, *validation, batch_size=max(batch_size, 256)).accuracy

    history = fit(
        model, len(images), batch_loss, epochs=epochs, batch_size=batch_size, seed=seed, learning_rate=learning_rate,
        weight_decay=weight_decay, optimizer=optimizer, schedule=schedule, progress=progress,
        after_epoch=None if validation is None else validate,
    )  # fmt: skip
    return TrainResult(
        history=history,
        train_accuracy=evaluate_classifier(model, images, labels, batch_size=max(batch_size, 256)).accuracy,
        validation_accuracy=history[-1].score,
        epochs=epochs,
        seconds=time.perf_counter() - started,
    )


def train_autoencoder(
    model: nn.Module,
    images: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float | None = None,
    weight_decay: float = 0.0,
    noise: float = 0.0,
    seed: int,
    optimizer: str = "adam",
    schedule: str = "one_cycle",
    progress: bool = True,
) -> tuple[EpochRecord, ...]:
    """Minimize the mean squared error between images and their reconstructions, changing the model in place.

    Args:
        model: a module, images (n, C, H, W) in [0, 1] -> reconstructions of the same shape.
        images: (N, C, H, W) in [0, 1].
        noise: standard deviation of Gaussian noise added to the inputs (and clipped to [0, 1]), not to the targets.
        epochs, batch_size, learning_rate, weight_decay, seed, optimizer, schedule, progress: as in `train_classifier`.

    Returns:
        One EpochRecord per epoch; its loss is the mean squared error per pixel, in units of the [0, 1] range squared.

    Raises:
        TypeError, ValueError: bad images or options, a model that changes the shape, or training that diverged.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: expected a torch module to train, got {type(model).__name__}")
    check_training_options(
        epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay,
        optimizer=optimizer, schedule=schedule, seed=seed,
    )  # fmt: skip
    check_images(images)
    check_number(noise, "noise", at_least=0.0)
    device, dtype = place_of(model, images)
    with evaluating(model), torch.no_grad():
        rebuilt = model(images[:1].to(device, dtype))
    if rebuilt.shape != images[:1].shape:
        raise ValueError(
            f"model: expected reconstructions of shape {tuple(images[:1].shape)}, got {tuple(rebuilt.shape)}; "
            "use an autoencoder built for these images"
        )

    def batch_loss(indices: Tensor, draws: torch.Generator) -> Tensor:
        batch = images[indices.to(images.device)].to(device, dtype)
        inputs = batch
        if noise:
            inputs = (batch + noise * torch.randn(batch.shape, generator=draws).to(batch)).clamp(0, 1)
        return F.mse_loss(model(inputs), batch)

    return fit(
        model, len(images), batch_loss, epochs=epochs, batch_size=batch_size, seed=seed, learning_rate=learning_rate,
        weight_decay=weight_decay, optimizer=optimizer, schedule=schedule, progress=progress,
    )  # fmt: skip


def _check_examples(model: nn.Module, images: Tensor, labels: Tensor, images_name: str, labels_name: str) -> None:
    """Check images, labels and, on one image, that the model answers with a logit for each class."""
    check_inputs(images, images_name)
    check_labels(labels, len(images), name=labels_name)
    logits = compute_logits(model, images[:1])
    check_labels(labels, len(images), n_classes=logits.shape[1], name=labels_name)


def _check_augmentation(augment: Sequence[str], max_shift: int | None, images: Tensor) -> int:
    if isinstance(augment, str):
        raise TypeError(f"augment: expected a sequence such as ({augment!r},), got a string")
    for name in augment:
        check_choice(name, "augment", AUGMENTATIONS)
    if augment and images.ndim != 4:
        raise ValueError(f"augment: expected none for table rows, got {', '.join(augment)}")
    if "shift" not in augment:
        if max_shift is not None:
            raise ValueError(f'max_shift: expected None without "shift" in augment, got {max_shift}')
        return 0
    side = min(images.shape[-2:])
    if max_shift is None:
        return side // 8
    check_number(max_shift, "max_shift", at_least=1, at_most=side - 1, integer=True)
    return max_shift


def _check_weights(weights: Tensor | None, n: int) -> Tensor | None:
    if weights is None:
        return None
    if not isinstance(weights, Tensor) or weights.shape != (n,) or not weights.is_floating_point():
        got = f"{weights.dtype} {tuple(weights.shape)}" if isinstance(weights, Tensor) else type(weights).__name__
        raise ValueError(f"sample_weights: expected a float tensor ({n},), one per image, got {got}")
    low, high = (bound.item() for bound in torch.aminmax(weights))
    if not (low >= 0 and math.isfinite(high)) or high == 0:
        raise ValueError(f"sample_weights: expected finite weights >= 0, not all 0, got [{low:.3g}, {high:.3g}]")
    return weights
