"""The generator and the critic of a small Wasserstein GAN for the images of one class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from blindspots.checks import check_number
from blindspots.models.split import seeded_construction

_GRID = 4  # pixels a side of the generator's first maps
_GENERATOR_WIDTHS = {3: (32, 16, 8), 4: (32, 32, 16, 8), 5: (64, 32, 32, 16, 8)}
_CRITIC_WIDTHS = {3: (12, 24, 48), 4: (12, 24, 48, 48), 5: (12, 24, 48, 48, 96)}


class WganGenerator(nn.Module):
    """A linear layer to 4x4 maps, then blocks of bilinear doubling and two convolutions, cropped and squashed."""

    def __init__(self, layers: nn.Module, *, latent_size: int, image_shape: tuple[int, int, int], spec: dict[str, Any]):
        super().__init__()
        self.layers = layers
        self.latent_size, self.image_shape, self.spec = latent_size, image_shape, spec

    def forward(self, latents: Tensor) -> Tensor:
        """Return images (N, C, side, side) in [0, 1] of latents (N, D)."""
        maps = self.layers(latents)
        crop = (maps.shape[-1] - self.image_shape[-1]) // 2
        return torch.sigmoid(maps[..., crop : maps.shape[-2] - crop, crop : maps.shape[-1] - crop])


class WganCritic(nn.Module):
    """Pairs of convolutions with max pooling and a linear layer, every one of spectral norm 1; one number an image."""

    def __init__(self, layers: nn.Module, *, image_shape: tuple[int, int, int], pad: int, spec: dict[str, Any]) -> None:
        super().__init__()
        self.layers = layers
        self.image_shape, self.pad, self.spec = image_shape, pad, spec

    def forward(self, images: Tensor) -> Tensor:
        """Return scores (N,) of images (N, C, side, side) in [0, 1], higher for those taken as real."""
        return self.layers(F.pad(2 * images - 1, (self.pad,) * 4, value=-1.0)).squeeze(1)


def wgan_generator(
    in_channels: int, *, side: int, latent_size: int = 64, widths: Sequence[int] | None = None, seed: int
) -> WganGenerator:
    """Build a generator: latents (N, D) -> images (N, C, side, side) in [0, 1].

    Args:
        in_channels: C of the images.
        side: pixels; with b blocks at most 4 * 2^b, and even.
        latent_size: D.
        widths: channels of the 4x4 maps and after each block but the last, which gives C; their number is that of the
            blocks. None for the fewest blocks that reach the side (at least 3): 32, 16, 8 up to 32 pixels.
        seed: decides the first weights.

    Returns:
        WganGenerator in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a size that is too small or odd, or too few blocks for the side.

    Source: P2, as reconstructed from the authors' repository (papers.md 3.4): 42,051 parameters for digits, latent 64.
    Differs from the paper: images in [0, 1], not in [-1, 1]. More than 32 pixels are ours.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(latent_size, "latent_size", at_least=1, integer=True)
    widths = _chosen_widths(widths, side, _GENERATOR_WIDTHS)
    with seeded_construction(seed):
        layers: list[nn.Module] = [
            nn.Linear(latent_size, widths[0] * _GRID**2), nn.Unflatten(1, (widths[0], _GRID, _GRID))
        ]  # fmt: skip
        for n_inputs, n_outputs in zip(widths, [*widths[1:], in_channels], strict=True):
            layers += [
                nn.Upsample(scale_factor=2, mode="bilinear"),
                nn.Conv2d(n_inputs, n_outputs, 3, padding=1), nn.ReLU(),
                nn.Conv2d(n_outputs, n_outputs, 3, padding=1), nn.ReLU(),
            ]  # fmt: skip
    spec = {
        "name": "wgan_generator", "in_channels": in_channels, "side": side, "latent_size": latent_size,
        "widths": widths,
    }  # fmt: skip
    shape = (in_channels, side, side)
    return WganGenerator(nn.Sequential(*layers[:-1]), latent_size=latent_size, image_shape=shape, spec=spec).eval()


def wgan_critic(in_channels: int, *, side: int, widths: Sequence[int] | None = None, seed: int) -> WganCritic:
    """Build a critic: images (N, C, side, side) in [0, 1] -> scores (N,).

    Args:
        in_channels: C of the images.
        side: pixels; padded with black to the next 4 * 2^b, b the number of widths.
        widths: channels of each pair of convolutions; None for 12, 24, 48 up to 32 pixels, one more pair per doubling.
        seed: decides the first weights and the first vectors of the power iteration.

    Returns:
        WganCritic in evaluation mode (a forward pass in training mode improves the estimate of the norms).

    Raises:
        ValueError: a size that is too small or odd, or too few pairs for the side.

    Source: P2, as for `wgan_generator`: 41,221 parameters for digits.
    Differs from the paper: the linear layer is normalized too, so that the score is Lipschitz and its scale fixed.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    widths = _chosen_widths(widths, side, _CRITIC_WIDTHS)
    pad = (_GRID * 2 ** len(widths) - side) // 2
    layers: list[nn.Module] = []
    channels = in_channels
    with seeded_construction(seed):
        for width in widths:
            layers += [
                spectral_norm(nn.Conv2d(channels, width, 3, padding=1)), nn.ReLU(),
                spectral_norm(nn.Conv2d(width, width, 3, padding=1)), nn.ReLU(), nn.MaxPool2d(2),
            ]  # fmt: skip
            channels = width
        layers += [nn.Flatten(), spectral_norm(nn.Linear(channels * _GRID**2, 1))]
    spec = {"name": "wgan_critic", "in_channels": in_channels, "side": side, "widths": widths}
    return WganCritic(nn.Sequential(*layers), image_shape=(in_channels, side, side), pad=pad, spec=spec).eval()


def strided_critic(in_channels: int, *, side: int, width: int = 16, seed: int) -> WganCritic:
    """Build a critic that costs a fraction of `wgan_critic`: strided convolutions instead of pairs with pooling.

    On a CPU it takes many more steps in the same time, and at a minute per generator gives better digits than the
    paper's critic does. Convolutions of 4x4 pixels and stride 2 with leaky ReLUs until 3 or 4 pixels a side are left,
    then a linear layer, every one of spectral norm 1.

    Args:
        in_channels: C of the images.
        side: an even number of pixels, at least 8.
        width: filters of the first convolution; they double, to four times as many at most.
        seed: decides the first weights and the first vectors of the power iteration.

    Returns:
        WganCritic in evaluation mode.

    Raises:
        ValueError: a size that is too small or odd.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(side, "side", at_least=8, integer=True)
    check_number(width, "width", at_least=1, integer=True)
    if side % 2:
        raise ValueError(f"side: expected an even number of pixels, got {side}; pad or crop the images")
    layers: list[nn.Module] = []
    channels, filters, left = in_channels, width, side
    with seeded_construction(seed):
        while left > _GRID:
            layers += [spectral_norm(nn.Conv2d(channels, filters, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
            channels, filters, left = filters, min(2 * filters, 4 * width), left // 2
        layers += [nn.Flatten(), spectral_norm(nn.Linear(channels * left**2, 1))]
    spec = {"name": "strided_critic", "in_channels": in_channels, "side": side, "width": width}
    return WganCritic(nn.Sequential(*layers), image_shape=(in_channels, side, side), pad=0, spec=spec).eval()


def _chosen_widths(widths: Sequence[int] | None, side: int, usual: dict[int, Sequence[int]]) -> list[int]:
    check_number(side, "side", at_least=2, integer=True)
    if side % 2:
        raise ValueError(f"side: expected an even number of pixels, got {side}; pad or crop the images")
    if widths is None:
        fitting = [count for count in usual if _GRID * 2**count >= side]
        if not fitting:
            raise ValueError(f"side: expected at most {_GRID * 2 ** max(usual)} pixels without widths, got {side}")
        widths = usual[fitting[0]]
    for width in widths:
        check_number(width, "widths", at_least=1, integer=True)
    if not widths or _GRID * 2 ** len(widths) < side:
        raise ValueError(
            f"widths: expected enough to reach {side} pixels from {_GRID}, doubling with each, got {len(widths)}"
        )
    return list(widths)
