"""Accuracy on what a generative model makes of real images, and what of it is the model's doing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from blindspots import checks
from blindspots.latent.accuracy import Accuracy, decoded_accuracy, image_accuracy
from blindspots.latent.inputs import Decoder, both_judged, check_subjects, decoded
from blindspots.latent.scaled_norm import scaled_norm
from blindspots.types import Classifier


@dataclass(frozen=True)
class ReconstructionAccuracy(Accuracy):
    """An Accuracy on reconstructions, with the images they are of.

    Attributes:
        image_correct: (N,), whether the image itself is read right; None if the images were not given.
        errors: (N,), ||G_y(l) - x||_s of each, root mean square in units of the [0, 1] range; None likewise.
    """

    image_correct: Bool[Tensor, " N"] | None = None
    errors: Float[Tensor, " N"] | None = None

    @property
    def lost(self) -> float:
        """The share of images that are read right and whose reconstruction is not."""
        return (self._known(self.image_correct) & ~self.correct).double().mean().item()

    @property
    def gained(self) -> float:
        """The share of images that are not read right and whose reconstruction is."""
        return (~self._known(self.image_correct) & self.correct).double().mean().item()

    @staticmethod
    def _known(flags: Tensor | None) -> Tensor:
        if flags is None:
            raise ValueError("images: expected the images the latents encode, got None; give them to the metric")
        return flags


def reconstruction_accuracy(
    model: Classifier,
    decode: Decoder,
    latents: Tensor,
    labels: Tensor,
    *,
    images: Tensor | None = None,
    batch_size: int = 256,
) -> ReconstructionAccuracy:
    """Return the latent reconstruction accuracy: the share of f(G_y(E_y(x))) = y for real images x.

    Args:
        model: images in [0, 1] -> logits (N, K).
        decode: (latents (N, D), labels (N,)) -> images (N, C, H, W) in [0, 1].
        latents: (N, D), E_y(x).
        labels: (N,), the classes of the real images.
        images: (N, C, H, W) in [0, 1], the real images; with them the result says what reconstruction alone changed.
        batch_size: images made and read together.

    Returns:
        ReconstructionAccuracy.

    Raises:
        TypeError, ValueError: bad latents, labels, images or logits; images whose reconstruction has another shape.

    Source: P2's LRA.
    Differs from the paper: it does not separate the error of the reconstruction from that of the classifier; the
    errors, and the images that are lost and gained by reconstruction, are ours.
    """
    found = decoded_accuracy(model, decode, latents, labels, batch_size=batch_size)
    if images is None:
        return ReconstructionAccuracy(found.predictions, found.correct, found.labels)
    checks.check_images(images)
    check_subjects(latents, labels, batch_size)
    if len(images) != len(latents):
        raise ValueError(f"images: expected one for each of {len(latents)} latents, got {len(images)}")
    errors = []
    with both_judged(model, decode):
        for real, some, theirs in zip(*(part.split(batch_size) for part in (images, latents, labels)), strict=True):
            made = decoded(decode, some, theirs)
            checks.check_same_shape(real, made, "images", "decoded images")
            errors.append(scaled_norm(made - real))
    itself = image_accuracy(model, images, labels, batch_size=batch_size)
    return ReconstructionAccuracy(
        found.predictions, found.correct, found.labels, image_correct=itself.correct, errors=torch.cat(errors)
    )
