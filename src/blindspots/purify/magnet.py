"""MagNet: detectors that refuse what autoencoders cannot rebuild, and a reformer that rebuilds the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.attacks.model import judged
from blindspots.purify.magnet_autoencoder import MagNetAutoencoder, check_sides, rebuilt, train_magnet_autoencoder
from blindspots.types import Classifier, Flags, Images, Scores

LAYOUTS = ("mnist", "cifar")
_STRUCTURES = {"mnist": ((3, "average", 3), (3,)), "cifar": ((3,),)}
# (autoencoder, exponent of the reconstruction error)
_ERRORS = {"mnist": ((0, 2), (1, 1)), "cifar": ((0, 1),)}


@dataclass(frozen=True)
class MagNet:
    """A purifier fitted by `train_magnet`: images (N, C, H, W) in [0, 1] -> images.

    Attributes:
        autoencoders: trained; the first is the reformer.
        errors: the detectors by reconstruction error, each (index of its autoencoder, exponent 1 or 2).
        temperatures: of the detectors by divergence; each compares the model's answers to an image and to its
            reconstruction by the reformer.
        thresholds: one per detector, errors first; None before `calibrated`.
        losses: per autoencoder, the mean loss of each epoch.
    """

    autoencoders: tuple[MagNetAutoencoder, ...] = field(repr=False)
    errors: tuple[tuple[int, int], ...]
    temperatures: tuple[float, ...]
    thresholds: tuple[float, ...] | None = None
    losses: tuple[tuple[float, ...], ...] = field(default=(), repr=False)

    def __call__(self, images: Tensor) -> Images:
        """Reform images: clip(AE(x)). No image is refused here; see `rejects`.

        Args:
            images: (N, C, H, W) in [0, 1], of the channels MagNet was trained on.

        Returns:
            (N, C, H, W) in [0, 1], in the dtype and on the device of images. No gradient flows through.

        Raises:
            TypeError, ValueError: not such images.
        """
        self._check(images)
        return rebuilt(self.autoencoders[0], images)

    def scores(self, images: Tensor, model: Classifier | None = None) -> Float[Tensor, "N S"]:
        """Return what each of the S detectors measures; larger = more suspicious.

        The first are the mean of |x - AE(x)|^p, the others the Jensen-Shannon divergence, in nats, of the model's
        softened answers to x and to AE(x).

        Args:
            images: (N, C, H, W) in [0, 1].
            model: images in [0, 1] -> logits (N, K); needed where there are temperatures.

        Raises:
            TypeError, ValueError: bad images, no model where one is needed, or bad logits.
        """
        self._check(images)
        if self.temperatures and model is None:
            raise ValueError(
                "model: expected the protected classifier, because the divergence detectors compare its answers, "
                "got None; pass it, or train MagNet with temperatures=()"
            )
        images = images.detach()
        used = {0, *(index for index, _ in self.errors)} if self.temperatures else {index for index, _ in self.errors}
        copies = {index: rebuilt(self.autoencoders[index], images) for index in used}
        columns = [(images - copies[index]).abs().pow(power).mean(dim=(1, 2, 3)) for index, power in self.errors]
        if self.temperatures:
            with judged(model), torch.no_grad():
                answers = [model(images), model(copies[0])]
            for logits in answers:
                checks.check_logits(logits, len(images))
            columns += [_divergences(*answers, temperature).to(images) for temperature in self.temperatures]
        return torch.stack(columns, dim=1)

    def calibrated(
        self, images: Tensor, model: Classifier | None = None, *, false_positive_rate: float | int = 0.001
    ) -> MagNet:
        """Return the same MagNet with each detector's threshold set on clean images.

        With scores in ascending order and k = floor(false_positive_rate N) the threshold is the k-th largest, and a
        score that reaches it is refused: so each detector alone refuses k of these images, more only in a tie.

        Args:
            images: (N, C, H, W) in [0, 1], clean, not those of the training.
            model: see `scores`.
            false_positive_rate: share of clean images each detector may refuse, in (0, 1], at least 1 / N. The paper
                takes 0.001 on MNIST and 0.005 on CIFAR-10.

        Raises:
            TypeError, ValueError: bad images or options, or too few images for the rate.
        """
        self._check(images)
        checks.check_number(false_positive_rate, "false_positive_rate", above=0.0, at_most=1.0)
        count = math.floor(false_positive_rate * len(images) + 1e-9)
        if count < 1:
            raise ValueError(
                f"false_positive_rate: expected at least 1 / N = {1 / len(images):.3g} for {len(images)} images, got "
                f"{false_positive_rate}; give more validation images or allow more false positives"
            )
        ordered = self.scores(images, model).sort(dim=0, descending=True).values
        return replace(self, thresholds=tuple(ordered[count - 1].tolist()))

    def rejects(self, images: Tensor, model: Classifier | None = None) -> Flags:
        """Return which images at least one detector refuses (N,).

        How to count them: MagNet's paper counts a refused attacked image as defended and a refused clean one as an
        error. A table of purifiers, as P1's, classifies every image; there the reformer alone is the row, and the
        refused share is a column of its own.

        Args:
            images: (N, C, H, W) in [0, 1].
            model: see `scores`.

        Raises:
            TypeError, ValueError: bad images, no thresholds yet, or no model where one is needed.
        """
        if self.thresholds is None:
            raise ValueError("thresholds: expected a calibrated MagNet, got none; use .calibrated(clean images) first")
        scores = self.scores(images, model)
        return (scores >= scores.new_tensor(self.thresholds)).any(dim=1)

    def _check(self, images: Tensor) -> None:
        checks.check_images(images)
        check_sides(images, self.autoencoders[0].channels, max(model.multiple for model in self.autoencoders))


def _divergences(first: Tensor, second: Tensor, temperature: float) -> Scores:
    """Return the Jensen-Shannon divergences, in nats, of two batches of softened answers."""
    logs = [(logits.double() / temperature).log_softmax(dim=1) for logits in (first, second)]
    middle = torch.logaddexp(*logs) - math.log(2.0)
    return 0.5 * sum((log.exp() * (log - middle)).sum(dim=1) for log in logs).clamp_min(0.0)


def train_magnet(
    images: Tensor,
    *,
    seed: int,
    layout: str | None = None,
    temperatures: tuple[float | int, ...] | None = None,
    epochs: int = 100,
    noise: float | int = 0.1,
    activity_penalty: float | int = 1e-9,
    batch_size: int = 256,
    learning_rate: float | int = 1e-3,
    device: str | torch.device | None = None,
) -> MagNet:
    """Train MagNet's autoencoders on clean images.

    | layout | autoencoders (3x3 convolutions, sigmoids) | detectors |
    |---|---|---|
    | mnist | 3-average-3 (reformer) and 3 | squared error of the first, absolute error of the second |
    | cifar | 3 (reformer) | its absolute error, divergences at temperatures 10 and 40 |

    Args:
        images: (N, C, H, W) in [0, 1], clean. Layout mnist needs even sides.
        seed: decides everything drawn.
        layout: "mnist" or "cifar"; None: mnist for images of one channel, cifar for others.
        temperatures: of the divergence detectors, > 0; None: none for mnist, (10, 40) for cifar.
        epochs: passes over the images, at least 1. The paper takes 100 on MNIST and 400 on CIFAR-10.
        noise: standard deviation, in units of the [0, 1] range. The paper takes 0.1 on MNIST, 0.025 on CIFAR-10.
        activity_penalty: see `train_magnet_autoencoder`.
        batch_size: the largest batch.
        learning_rate: of Adam, > 0.
        device: where the autoencoders are trained and stay; None = that of images. Images to be purified may lie
            elsewhere.

    The settings are for 50,000 images, of which 100 epochs make some 20,000 updates. A few hundred updates leave an
    autoencoder that answers every image with their mean: `MagNet.losses` then ends near the variance of the pixels. On
    a thousand images take smaller batches and a higher rate.

    Returns:
        MagNet, a Callable[[Images], Images]. Its detectors have no thresholds yet: see `MagNet.calibrated`.

    Raises:
        TypeError, ValueError: bad images or options.

    Source: Meng and Chen (2017), detectors and reformer of Section 4, architectures of Section 5; 100 epochs, noise
    0.1, 1e-9 and batches of 256 are those of its released code, for MNIST.
    Differs from the paper: its divergence detectors may compare two autoencoders in the code; ours, as in the text,
    compare the image with its reconstruction. The code is for MNIST only; the CIFAR-10 settings are the text's.
    """
    checks.check_images(images)
    if layout is None:
        layout = "mnist" if images.shape[1] == 1 else "cifar"
    checks.check_choice(layout, "layout", LAYOUTS)
    if temperatures is None:
        temperatures = () if layout == "mnist" else (10.0, 40.0)
    for temperature in temperatures:
        checks.check_number(temperature, "temperatures", above=0.0)
    trained = [
        train_magnet_autoencoder(
            images, structure, seed=seed, epochs=epochs, noise=noise, activity_penalty=activity_penalty,
            batch_size=batch_size, learning_rate=learning_rate, device=device,
        )
        for structure in _STRUCTURES[layout]
    ]  # fmt: skip
    models, losses = zip(*trained, strict=True)
    return MagNet(models, _ERRORS[layout], tuple(float(value) for value in temperatures), None, losses)
