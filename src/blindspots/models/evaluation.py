"""What a model answers on many images: logits, predictions, features and accuracy, in batches, leaving no mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from blindspots.checks import check_finite, check_images, check_labels, check_logits, check_number
from blindspots.types import Classifier, FeatureClassifier


@dataclass(frozen=True)
class Evaluation:
    """Accuracy in [0, 1] on n images, with the logits (n, K) and predictions (n,) it comes from."""

    accuracy: float
    n: int
    predictions: Tensor
    logits: Tensor


@contextmanager
def evaluating(model: Callable[..., object]) -> Iterator[None]:
    """Put a module and its parts into evaluation mode, and each back as it was; other callables are left alone."""
    modes = {part: part.training for part in model.modules()} if isinstance(model, nn.Module) else {}
    try:
        if isinstance(model, nn.Module):
            model.eval()
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def compute_logits(model: Classifier, images: Tensor, *, batch_size: int = 256) -> Tensor:
    """Return the logits (N, K) of images in evaluation mode, without gradients.

    Batches are moved to the model's device and dtype; the logits come back on the device of `images`.

    Args:
        model: images (n, C, H, W) in [0, 1] -> logits (n, K).
        images: (N, C, H, W) in [0, 1], or table rows (N, F).
        batch_size: images per forward pass, which bounds the memory and does not change the answer beyond rounding.

    Raises:
        TypeError, ValueError: images of a wrong kind, shape or range; logits of a wrong shape or not finite.
    """
    check_inputs(images)
    logits = _in_batches(model, model, images, batch_size)
    check_logits(logits, len(images))
    return logits


def compute_features(model: FeatureClassifier, images: Tensor, *, batch_size: int = 256) -> Tensor:
    """Return the penultimate features (N, D) of images in evaluation mode, without gradients.

    Batches are moved to the model's device and dtype; the features come back on the device of `images`.

    Raises:
        TypeError, ValueError: a model without `encode`, or images of a wrong kind, shape or range.
    """
    if not callable(getattr(model, "encode", None)):
        raise TypeError(f"model: expected one with .encode(images), got {type(model).__name__}")
    check_inputs(images)
    return _in_batches(model, model.encode, images, batch_size)


def predict(model: Classifier, images: Tensor, *, batch_size: int = 256) -> Tensor:
    """Return the predicted class (N,) of each image, the first of equal ones, in evaluation mode.

    Args and errors as for `compute_logits`.
    """
    return compute_logits(model, images, batch_size=batch_size).argmax(1)


def evaluate_classifier(model: Classifier, images: Tensor, labels: Tensor, *, batch_size: int = 256) -> Evaluation:
    """Compare a model's predictions with labels (N,), in evaluation mode, without gradients.

    Args and errors as for `compute_logits`; labels are integers in [0, K).
    """
    check_inputs(images)
    check_labels(labels, len(images))
    logits = compute_logits(model, images, batch_size=batch_size)
    check_labels(labels, len(images), n_classes=logits.shape[1])
    predictions = logits.argmax(1)
    accuracy = (predictions == labels.to(predictions.device)).double().mean().item()
    return Evaluation(accuracy=accuracy, n=len(images), predictions=predictions, logits=logits)


def check_inputs(images: Tensor, name: str = "images") -> None:
    """Raise unless these are images (N, C, H, W) in [0, 1], or finite float rows of a table (N, F)."""
    if not isinstance(images, Tensor) or images.ndim != 2:
        check_images(images, name)
        return
    if not images.is_floating_point():
        raise TypeError(f"{name}: expected a float tensor, got {images.dtype}; convert with .float()")
    if images.numel() == 0:
        raise ValueError(f"{name}: expected at least one row, got an empty table of shape {tuple(images.shape)}")
    check_finite(images, name)


def place_of(model: object, images: Tensor) -> tuple[torch.device, torch.dtype]:
    """Return the device and float dtype a model computes in: its parameters', or those of the images."""
    parameter = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return (images.device, images.dtype) if parameter is None else (parameter.device, parameter.dtype)


def _in_batches(model: object, function: Callable[[Tensor], Tensor], images: Tensor, batch_size: int) -> Tensor:
    check_number(batch_size, "batch_size", at_least=1, integer=True)
    device, dtype = place_of(model, images)
    with evaluating(model), torch.no_grad():
        answers = [function(batch.to(device, dtype)).to(images.device) for batch in images.split(batch_size)]
    return torch.cat(answers)
