"""Accuracy on images drawn from a generative model, at the latents themselves or where their noise is centered."""

from __future__ import annotations

from torch import Tensor

from blindspots.latent.accuracy import Accuracy, decoded_accuracy
from blindspots.latent.decay import decayed_latents
from blindspots.latent.inputs import Decoder
from blindspots.types import Classifier


def generation_accuracy(
    model: Classifier, decode: Decoder, latents: Tensor, labels: Tensor, *, batch_size: int = 256
) -> Accuracy:
    """Return the latent generation accuracy: the share of f(G_y(l)) = y for latents of the prior.

    Args:
        model: images in [0, 1] -> logits (N, K).
        decode: (latents (N, D), labels (N,)) -> images (N, C, H, W) in [0, 1].
        latents: (N, D), drawn from N(0, I), as by `prior_latents`; the caller answers for that.
        labels: (N,), drawn with the classes' proportions.
        batch_size: images made and read together.

    Returns:
        Accuracy. A generator that makes poor images lowers it as a poor classifier does.

    Raises:
        TypeError, ValueError: bad latents, labels, images or logits.

    Source: P2's LGA, over 10,000 images.
    """
    return decoded_accuracy(model, decode, latents, labels, batch_size=batch_size)


def decayed_accuracy(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    epsilon: float | int,
    batch_size: int = 256,
) -> Accuracy:
    """Return the accuracy on G_y(lbar), lbar = l / sqrt(1 + epsilon^2), where the searches start.

    What is wrong here has severity 0. Images there are more typical than those of the prior.

    Args:
        model, decode, latents, labels, batch_size: of `generation_accuracy`, or of `reconstruction_accuracy`.
        epsilon: magnitude of the noise that lbar is the mean of, >= 0.

    Raises:
        TypeError, ValueError: bad latents, labels, images, logits or epsilon.

    Source: P2's decayed accuracy.
    """
    return decoded_accuracy(model, decode, decayed_latents(latents, epsilon=epsilon), labels, batch_size=batch_size)
