"""A small gated PixelCNN: the probability of each value of a pixel, given the pixels above it and to its left."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from blindspots import checks
from blindspots.purify.batch_descent import check_descent, descend, drawn
from blindspots.types import Images, Scores

Values = Int[Tensor, "N C H W"]


def _gate(maps: Tensor) -> Tensor:
    values, gates = maps.chunk(2, dim=1)
    return values.tanh() * gates.sigmoid()


class _Layer(nn.Module):
    """One layer of both stacks; the first sees nothing of the pixel itself."""

    def __init__(self, inputs: int, width: int, reach: int, first: bool) -> None:
        super().__init__()
        self.reach, self.first = reach, first
        self.above = nn.Conv2d(inputs, 2 * width, (reach + 1, 2 * reach + 1))
        self.left = nn.Conv2d(inputs, 2 * width, (1, reach if first else reach + 1))
        self.link = nn.Conv2d(2 * width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, above: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        reach = self.reach
        tall = self.above(F.pad(above, (reach, reach, reach, 0)))
        beside = F.pad(left, (reach, 0, 0, 0))
        beside = self.left(beside[..., :-1] if self.first else beside)
        shifted = F.pad(tall, (0, 0, 1, 0))[..., :-1, :]
        fresh = self.out(_gate(beside + self.link(shifted)))
        return _gate(tall), fresh if self.first else left + fresh


class GatedPixelCNN(nn.Module):
    """A density of images whose values are 0 to levels - 1, made by `train_pixel_cnn`.

    The stack of the rows above and the stack of the row's left part have no blind spot. The channels of a pixel
    follow one another: the second is told the first, the third both.

    Attributes:
        channels, levels: C and the number of values of a channel.
        up, side: how many rows above, and columns to either side, the answer at a pixel depends on.
    """

    def __init__(self, channels: int, levels: int, *, width: int = 32, layers: int = 4, reach: int = 2) -> None:
        super().__init__()
        self.channels, self.levels = channels, levels
        self.up, self.side = layers * reach + 1, layers * reach
        self.layers = nn.ModuleList(
            _Layer(channels if index == 0 else width, width, reach, index == 0) for index in range(layers)
        )
        self.mixes = nn.ModuleList(nn.Conv2d(width + index, 2 * width, 1) for index in range(channels))
        self.answers = nn.ModuleList(nn.Conv2d(2 * width, levels, 1) for _ in range(channels))

    def scaled(self, values: Tensor) -> Tensor:
        """Return values as the layers take them, in [-1, 1], in their dtype."""
        return values.to(self.answers[0].weight) * (2.0 / (self.levels - 1)) - 1.0

    def context(self, scaled: Tensor) -> Tensor:
        """Return what is known of each pixel from those before it, (N, width, H, W); of scaled values."""
        above = left = scaled
        for layer in self.layers:
            above, left = layer(above, left)
        return left

    def answer(self, context: Tensor, scaled: Tensor, channel: int) -> Tensor:
        """Return the logits (N, levels, H, W) of a channel from the context and the scaled channels before it."""
        told = torch.cat([context, scaled[:, :channel]], dim=1)
        return self.answers[channel](F.relu(self.mixes[channel](told)))

    def forward(self, values: Tensor) -> Tensor:
        """Return logits (N, C, levels, H, W) of every value given those before it; values (N, C, H, W)."""
        scaled = self.scaled(values)
        context = self.context(scaled)
        return torch.stack([self.answer(context, scaled, channel) for channel in range(self.channels)], dim=1)

    def window(self, row: int, column: int, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns of an image that the answer at a pixel depends on; the pixel is in the last row.

        Cut at the image's border, a window is padded there as the image is, so both give the same answer.
        """
        return slice(max(0, row - self.up), row + 1), slice(
            max(0, column - self.side), min(width, column + self.side + 1)
        )

    def quantized(self, images: Images) -> Values:
        """Return the nearest values, 0 to levels - 1."""
        return (images.detach() * (self.levels - 1)).round().long()


def check_density_images(images: Tensor, channels: int) -> None:
    """Raise unless these are images in [0, 1] of a density's channels."""
    checks.check_images(images)
    if images.shape[1] != channels:
        raise ValueError(
            f"images: expected {channels} channels, as the density has, got {images.shape[1]}; "
            "train it on images of the same kind"
        )


def train_pixel_cnn(
    images: Tensor,
    *,
    levels: int = 256,
    seed: int,
    width: int = 32,
    layers: int = 4,
    reach: int = 2,
    epochs: int = 30,
    batch_size: int = 32,
    learning_rate: float | int = 1e-3,
    final_share: float | int = 0.1,
    device: str | torch.device | None = None,
) -> tuple[GatedPixelCNN, tuple[float, ...]]:
    r"""Train a gated PixelCNN by maximum likelihood.

        log p(q) = sum over pixels, rows first, and their channels of log p(q_i | q_1, ..., q_{i-1}),
    q the nearest of `levels` values.

    Args:
        images: (N, C, H, W) in [0, 1], clean.
        levels: values of a channel, at least 2; 256 is that of 8-bit images.
        seed: decides the first weights and the order.
        width: filters of each layer, at least 1.
        layers: at least 1.
        reach: how far one layer sees, in pixels, at least 1; the answer depends on layers * reach columns to either
            side and a row more above.
        epochs: passes over the images, at least 1.
        batch_size: the largest batch.
        learning_rate: of Adam, > 0.
        final_share: see `descend`.
        device: where to train and where the density is returned; None = that of images.

    Returns:
        The density in evaluation mode, without gradients, and the mean loss of each epoch in bits per dimension.

    Raises:
        TypeError, ValueError: bad images or options.

    Source: van den Oord et al. (2016), gated layers with two stacks. PixelDefend takes PixelCNN++ (Salimans et al.,
    2017) and leaves the choice open.
    Differs from the paper: far smaller; a softmax over the levels, one channel after the other by a small network on
    each pixel; no classes.
    """
    checks.check_images(images)
    check_descent(seed=seed, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, final_share=final_share)
    checks.check_number(levels, "levels", at_least=2, integer=True)
    checks.check_number(width, "width", at_least=1, integer=True)
    checks.check_number(layers, "layers", at_least=1, integer=True)
    checks.check_number(reach, "reach", at_least=1, integer=True)
    channels = images.shape[1]
    density = drawn(lambda: GatedPixelCNN(channels, levels, width=width, layers=layers, reach=reach), seed)
    place = images.device if device is None else torch.device(device)
    density = density.to(place, torch.promote_types(images.dtype, torch.float32))
    values = density.quantized(images)

    def batch_loss(indices: Tensor) -> Tensor:
        batch = values[indices.to(values.device)].to(place)
        return F.cross_entropy(density(batch).transpose(1, 2), batch) / math.log(2.0)

    history = descend(
        density, len(values), batch_loss, seed=seed, epochs=epochs, batch_size=batch_size,
        learning_rate=learning_rate, final_share=final_share,
    )  # fmt: skip
    return density.requires_grad_(False), history


def bits_per_dimension(images: Tensor, density: GatedPixelCNN, *, batch_size: int = 64) -> Scores:
    """Return -log2 p(image) / (C H W), (N,): lower = more likely; log2(levels) is that of noise.

    Args:
        images: (N, C, H, W) in [0, 1], of the density's channels; taken to the nearest of its levels.
        density: from `train_pixel_cnn`.
        batch_size: images per pass.

    Raises:
        TypeError, ValueError: bad images.

    Source: Song et al. (2018), Section 3, who call low likelihoods a sign of an attack.
    """
    check_density_images(images, density.channels)
    checks.check_number(batch_size, "batch_size", at_least=1, integer=True)
    return torch.cat(list(_bits(density, images, batch_size))).to(images)


@torch.no_grad()
def _bits(density: GatedPixelCNN, images: Images, batch_size: int) -> Iterator[Float[Tensor, " N"]]:
    place = density.answers[0].weight.device
    for batch in images.split(batch_size):
        values = density.quantized(batch).to(place)
        losses = F.cross_entropy(density(values).transpose(1, 2), values, reduction="none")
        yield losses.mean(dim=(1, 2, 3)) / math.log(2.0)
