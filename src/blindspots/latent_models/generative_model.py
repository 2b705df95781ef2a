"""What a latent study asks of a generative model, whatever made it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class GenerativeModel(Protocol):
    """A class-conditional generator with an encoder, whose latents of each class are meant to be N(0, I).

    `classes` are the labels it can generate, of the `n_classes` that labels may have.
    """

    latent_size: int
    n_classes: int
    classes: tuple[int, ...]
    image_shape: tuple[int, int, int]

    def decode(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Return images (N, C, H, W) in [0, 1] of latents (N, D) and classes (N,), differentiable in the latents."""
        ...

    def encode(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return latents (N, D) of images (N, C, H, W) in [0, 1] of classes (N,)."""
        ...
