"""Accuracy under noise in latent space, at several magnitudes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blindspots import checks
from blindspots.latent.accuracy import decoded_accuracy, wilson
from blindspots.latent.inputs import Decoder, check_subjects
from blindspots.latent.latent_noise import noisy_latents
from blindspots.types import Classifier


@dataclass(frozen=True)
class LatentNoiseAccuracy:
    """What a classifier answers under latent noise.

    Attributes:
        epsilons: E magnitudes.
        correct: (E, N, Z), for each magnitude, latent and draw.
    """

    epsilons: tuple[float, ...]
    correct: Bool[Tensor, "E N Z"]

    @property
    def by_image(self) -> Float[Tensor, "E N"]:
        """The share of draws that are right, for each magnitude and latent."""
        return self.correct.double().mean(dim=2)

    @property
    def accuracies(self) -> Float[Tensor, " E"]:
        """The mean over latents and draws, in [0, 1], for each magnitude."""
        return self.by_image.mean(dim=1)

    @property
    def intervals(self) -> Float[Tensor, "E 2"]:
        """Wilson's 95 % intervals over the N latents, as if each had been drawn once: too wide rather than narrow."""
        n = self.correct.shape[1]
        return torch.tensor([wilson(share, n) for share in self.accuracies.tolist()], dtype=torch.float64)


def latent_noise_accuracy(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilons: Sequence[float | int] = (0.25, 0.5, 0.75, 1.0),
    draws: int = 1,
    seed: int = 0,
    rows: Tensor | None = None,
    batch_size: int = 256,
) -> LatentNoiseAccuracy:
    r"""Return the share of f(G_y((l + epsilon z) / sqrt(1 + epsilon^2))) = y over latents l and noise z ~ N(0, I).

    Args:
        model: images in [0, 1] -> logits (N, K).
        decode: (latents (N, D), labels (N,)) -> images (N, C, H, W) in [0, 1].
        latents: (N, D), of real images, or drawn from the prior.
        labels: (N,).
        epsilons: E magnitudes >= 0, at least one; the same z are used for all, so that they compare.
        draws: Z for each latent, at least 1.
        seed: of the noise.
        rows: (N,), numbers of the rows' random streams; None: 0 to N - 1.
        batch_size: images made and read together.

    Returns:
        LatentNoiseAccuracy.

    Raises:
        TypeError, ValueError: bad latents, labels, options, images or logits.

    Source: P2's LLNA, with these four magnitudes.
    """
    check_subjects(latents, labels, batch_size)
    checks.check_number(draws, "draws", at_least=1, integer=True)
    if not len(epsilons):
        raise ValueError("epsilons: expected at least one magnitude, got none")
    for index, epsilon in enumerate(epsilons):
        checks.check_number(epsilon, f"epsilons[{index}]", at_least=0.0)

    def correct(epsilon: float | int, draw: int) -> Tensor:
        moved = noisy_latents(latents, epsilon=epsilon, seed=seed, rows=rows, draw=draw)
        return decoded_accuracy(model, decode, moved, labels, batch_size=batch_size).correct

    by_epsilon = [torch.stack([correct(epsilon, draw) for draw in range(draws)], dim=1) for epsilon in epsilons]
    return LatentNoiseAccuracy(tuple(float(epsilon) for epsilon in epsilons), torch.stack(by_epsilon))
