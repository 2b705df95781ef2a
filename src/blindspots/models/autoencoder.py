"""A small convolutional autoencoder: images in [0, 1] to latents and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.models.split import channel_statistics, seeded_construction


class Autoencoder(nn.Module):
    """An encoder to latents (N, D) and a decoder to images in [0, 1]; forward is decode(encode(images))."""

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, image_shape: tuple[int, int, int], spec: dict[str, Any]
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.image_shape = image_shape
        self.spec = spec
        channels = image_shape[0]
        means, deviations = channel_statistics(spec["mean"], spec["std"], channels)
        self.register_buffer("mean", torch.tensor(means).reshape(-1, 1, 1))
        self.register_buffer("std", torch.tensor(deviations).reshape(-1, 1, 1))

    def encode(self, images: Tensor) -> Tensor:
        """Return latents (N, D) of images (N, C, H, W) in [0, 1]."""
        if images.ndim != 4 or tuple(images.shape[1:]) != self.image_shape:
            raise ValueError(
                f"images: expected shape (N, {', '.join(map(str, self.image_shape))}) for this autoencoder, "
                f"got {tuple(images.shape)}; build it for these images"
            )
        return self.encoder((images - self.mean) / self.std)

    def decode(self, latents: Tensor) -> Tensor:
        """Return images (N, C, H, W) in [0, 1] from latents (N, D)."""
        return torch.sigmoid(self.decoder(latents))

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstruction, the shape of images."""
        return self.decode(self.encode(images))


def autoencoder(
    in_channels: int,
    *,
    side: int | Sequence[int],
    n_latents: int = 64,
    width: int = 16,
    mean: Sequence[float] = (0.5,),
    std: Sequence[float] = (0.25,),
    seed: int,
) -> Autoencoder:
    """Build an autoencoder: two strided convolutions and a linear layer to the latents, and their mirror image.

    Args:
        in_channels: C of the images.
        side: H = W in pixels, or (H, W); multiples of 4, because each convolution halves it.
        n_latents: D, the numbers an image is squeezed through.
        width: filters of the first convolution; the second has twice as many.
        mean: subtracted from images in [0, 1] before encoding; one number, or one per channel.
        std: divides them; > 0.
        seed: decides the first weights.

    Returns:
        Autoencoder in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a side that is not a multiple of 4, or a size that is too small.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(n_latents, "n_latents", at_least=1, integer=True)
    check_number(width, "width", at_least=1, integer=True)
    sides = [side, side] if isinstance(side, int) else list(side)
    if len(sides) != 2:
        raise ValueError(f"side: expected one number or (H, W), got {side!r}")
    for length in sides:
        check_number(length, "side", at_least=4, integer=True)
        if length % 4:
            raise ValueError(f"side: expected a multiple of 4 pixels, got {length}; pad or crop the images")
    means, deviations = channel_statistics(mean, std, in_channels)
    height, breadth = (length // 4 for length in sides)
    with seeded_construction(seed):
        encoder = nn.Sequential(
            nn.Conv2d(in_channels, width, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(2 * width * height * breadth, n_latents),
        )  # fmt: skip
        decoder = nn.Sequential(
            nn.Linear(n_latents, 2 * width * height * breadth), nn.ReLU(),
            nn.Unflatten(1, (2 * width, height, breadth)),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(width, in_channels, 4, stride=2, padding=1),
        )  # fmt: skip
    spec = {
        "name": "autoencoder", "in_channels": in_channels, "side": sides, "n_latents": n_latents, "width": width,
        "mean": means, "std": deviations,
    }  # fmt: skip
    return Autoencoder(encoder, decoder, image_shape=(in_channels, sides[0], sides[1]), spec=spec).eval()
