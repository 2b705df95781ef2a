"""Accuracy under Gaussian noise on the pixels, and the distance to the boundary that it stands for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blindspots import checks
from blindspots.latent.accuracy import image_accuracy, wilson
from blindspots.latent.inputs import check_rows
from blindspots.latent.row_streams import row_normals
from blindspots.types import Classifier


@dataclass(frozen=True)
class NoiseAccuracy:
    """What a classifier answers under pixel noise.

    Attributes:
        sigma: standard deviation of the noise, in units of the [0, 1] range.
        correct: (N, Z), for each image and draw.
    """

    sigma: float
    correct: Bool[Tensor, "N Z"]

    @property
    def by_image(self) -> Float[Tensor, " N"]:
        """The share of draws that are right, for each image."""
        return self.correct.double().mean(dim=1)

    @property
    def accuracy(self) -> float:
        """The mean over images and draws, in [0, 1]."""
        return self.by_image.mean().item()

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval over the N images, as if each had been drawn once."""
        return wilson(self.accuracy, len(self.correct))


def noise_accuracy(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    sigma: float | int = 0.4,
    draws: int = 1,
    clip: bool = False,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 256,
) -> NoiseAccuracy:
    """Return the share of f(x + sigma z) = y over images x and noise z ~ N(0, I).

    Args:
        model: images -> logits (N, K); with clip=False it is also asked about values outside [0, 1].
        images: (N, C, H, W) in [0, 1].
        labels: (N,).
        sigma: standard deviation of the noise, >= 0, in units of the [0, 1] range. P2: 0.8 in units of [-1, 1].
        draws: Z for each image, at least 1.
        clip: clamp noisy images to [0, 1], which takes up to half of the noise from black and white pixels.
        seed: of the noise.
        rows: (N,), numbers of the rows' random streams; None: 0 to N - 1.
        batch_size: images read together.

    Returns:
        NoiseAccuracy.

    Raises:
        TypeError, ValueError: bad images, labels, options or logits.

    Source: P2's noise accuracy.
    """
    checks.check_images(images)
    checks.check_labels(labels, len(images))
    checks.check_number(sigma, "sigma", at_least=0.0)
    checks.check_number(draws, "draws", at_least=1, integer=True)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    streams = check_rows(rows, len(images), images.device)
    size, columns = images[0].numel(), []
    for draw in range(draws):
        parts = []
        for some, theirs, numbers in zip(*(part.split(batch_size) for part in (images, labels, streams)), strict=True):
            noise = row_normals(numbers, size, seed=seed, names=("pixel noise", draw)).to(some).reshape(some.shape)
            noisy = some.detach() + sigma * noise
            parts.append(image_accuracy(model, noisy.clamp(0.0, 1.0) if clip else noisy, theirs).correct)
        columns.append(torch.cat(parts))
    return NoiseAccuracy(float(sigma), torch.stack(columns, dim=1))


def distance_from_noise_error(errors: Float[Tensor, " N"], *, sigma: float | int) -> Float[Tensor, " N"]:
    r"""Return the distance to a plane that Gaussian noise crosses with given probabilities: -sigma Phi^-1(error).

    It is exact for a linear boundary and noise that is not clamped; elsewhere it is a check on the order of magnitude.

    Args:
        errors: (N,), probabilities in [0, 1] that noise makes a misclassification, such as 1 - `.by_image`.
        sigma: standard deviation of the noise, > 0.

    Returns:
        (N,) in L2, in the units of sigma; divide by sqrt(n) for the scaled norm. Negative above one half, infinite at 0
        and 1: that many draws cannot tell how far.

    Raises:
        TypeError, ValueError: errors outside [0, 1], sigma out of range.

    Source: the relation that P2's code checks severities with.
    """
    checks.check_number(sigma, "sigma", above=0.0)
    if not ((errors >= 0) & (errors <= 1)).all():
        raise ValueError("errors: expected probabilities in [0, 1]; divide percent by 100")
    return -sigma * torch.special.ndtri(errors)
