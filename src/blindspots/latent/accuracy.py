"""Which images a classifier reads right, their share and its interval."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from statsmodels.stats.proportion import proportion_confint
from torch import Tensor

from blindspots import checks
from blindspots.borrowed import judged
from blindspots.latent.inputs import Decoder, both_judged, check_subjects, decoded
from blindspots.latent.objective import misread
from blindspots.types import Classifier


def wilson(share: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share among n."""
    low, high = proportion_confint(share * n, n, method="wilson")
    return float(low), float(high)


@dataclass(frozen=True)
class Accuracy:
    """What a classifier answers to N images.

    Attributes:
        predictions: (N,), its classes.
        correct: (N,), whether no other class leads the label; a tie is right.
        labels: (N,).
    """

    predictions: Int[Tensor, " N"]
    correct: Bool[Tensor, " N"]
    labels: Int[Tensor, " N"]

    @property
    def accuracy(self) -> float:
        """The share that is right, in [0, 1]."""
        return self.correct.double().mean().item()

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson(self.accuracy, len(self.correct))

    @property
    def by_class(self) -> dict[int, float]:
        """The share that is right among the images of each class that occurs."""
        return {
            label: self.correct[self.labels == label].double().mean().item() for label in self.labels.unique().tolist()
        }


def image_accuracy(model: Classifier, images: Tensor, labels: Tensor, *, batch_size: int = 256) -> Accuracy:
    """Return what a classifier answers to images (N, C, H, W), in any range; see `Accuracy`."""
    checks.check_images(images, unit_range=False)
    checks.check_labels(labels, len(images))
    answers = []
    with judged(model):
        for some, theirs in zip(images.split(batch_size), labels.split(batch_size), strict=True):
            answers.append(_answer(model, some, theirs))
    return _gathered(answers, labels)


def decoded_accuracy(
    model: Classifier, decode: Decoder, latents: Tensor, labels: Tensor, *, batch_size: int = 256
) -> Accuracy:
    """Return what a classifier answers to the images of latents (N, D), made batch by batch; see `Accuracy`."""
    check_subjects(latents, labels, batch_size)
    answers = []
    with both_judged(model, decode):
        for some, theirs in zip(latents.split(batch_size), labels.split(batch_size), strict=True):
            answers.append(_answer(model, decoded(decode, some, theirs), theirs))
    return _gathered(answers, labels)


def _answer(model: Classifier, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        logits = model(images)
    checks.check_logits(logits, len(images))
    checks.check_labels(labels, len(images), n_classes=logits.shape[1])
    return logits.argmax(dim=1), ~misread(logits, labels)


def _gathered(answers: list[tuple[Tensor, Tensor]], labels: Tensor) -> Accuracy:
    predictions, correct = (torch.cat(parts) for parts in zip(*answers, strict=True))
    return Accuracy(predictions=predictions, correct=correct, labels=labels)
