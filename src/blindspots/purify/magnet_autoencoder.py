"""The autoencoders of MagNet: a few 3x3 convolutions with sigmoids, trained to take noise away."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blindspots import checks
from blindspots.purify.batch_descent import check_descent, descend, drawn
from blindspots.seeding import generator as make_generator
from blindspots.types import Images

Layer = int | str


class MagNetAutoencoder(nn.Module):
    """Convolutions to the middle, their mirror image back, and one more to the channels of the image.

    Args:
        channels: C of the images.
        structure: a number is a 3x3 convolution with so many filters and a sigmoid, "average" a mean over 2x2
            pixels; on the way back a convolution comes again and "average" becomes an enlargement.
    """

    def __init__(self, channels: int, structure: Sequence[Layer]) -> None:
        super().__init__()
        self.channels, self.structure = channels, tuple(structure)
        layers: list[nn.Module] = []
        width = channels
        for layer in self.structure:
            layers.append(nn.AvgPool2d(2) if layer == "average" else nn.Conv2d(width, layer, 3, padding=1))
            width = width if layer == "average" else layer
        for layer in reversed(self.structure):
            layers.append(nn.Upsample(scale_factor=2) if layer == "average" else nn.Conv2d(width, layer, 3, padding=1))
            width = width if layer == "average" else layer
        layers.append(nn.Conv2d(width, channels, 3, padding=1))
        self.layers = nn.ModuleList(layers)

    @property
    def multiple(self) -> int:
        """Return what the sides of the images have to be a multiple of, in pixels."""
        return 2 ** self.structure.count("average")

    def with_activities(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstructions (N, C, H, W) in (0, 1) and the squared activations summed per image (N,)."""
        maps, total = images, images.new_zeros(len(images))
        for layer in self.layers:
            maps = layer(maps)
            if isinstance(layer, nn.Conv2d):
                maps = maps.sigmoid()
                total = total + maps.square().sum(dim=(1, 2, 3))
        return maps, total

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions, (N, C, H, W) in (0, 1)."""
        return self.with_activities(images)[0]


def check_sides(images: Tensor, channels: int, multiple: int) -> None:
    """Raise unless images have these channels and sides that are multiples of a number."""
    if images.shape[1] != channels:
        raise ValueError(
            f"images: expected {channels} channels, as MagNet was trained on, got {images.shape[1]}; "
            "train it on images of the same kind"
        )
    if images.shape[-2] % multiple or images.shape[-1] % multiple:
        raise ValueError(
            f"images: expected sides that are multiples of {multiple}, got {images.shape[-2]}x{images.shape[-1]}; "
            "pad or crop them"
        )


def train_magnet_autoencoder(
    images: Tensor,
    structure: Sequence[Layer],
    *,
    seed: int,
    epochs: int = 100,
    noise: float | int = 0.1,
    activity_penalty: float | int = 1e-9,
    batch_size: int = 256,
    learning_rate: float | int = 1e-3,
    device: str | torch.device | None = None,
) -> tuple[MagNetAutoencoder, tuple[float, ...]]:
    """Train an autoencoder to rebuild images from noisy copies of them.

        mean (AE(clip(x + noise e)) - x)^2 + activity_penalty sum (activations)^2,     e normal, drawn once
    The sum runs over the outputs of all convolutions of one image, its mean over the images of a batch.

    Args:
        images: (N, C, H, W) in [0, 1], clean; sides that are multiples of 2 to the number of "average".
        structure: see `MagNetAutoencoder`; at least one number.
        seed: decides the first weights, the noise and the order.
        epochs: passes over the images, at least 1.
        noise: standard deviation, in units of the [0, 1] range, >= 0.
        activity_penalty: weight of the squared activations, >= 0.
        batch_size: the largest batch.
        learning_rate: of Adam, > 0.
        device: where to train and where the autoencoder is returned; None = that of images.

    Returns:
        The autoencoder in evaluation mode, without gradients, in the dtype of images (float32 for smaller ones),
        and the mean loss of each epoch.

    Raises:
        TypeError, ValueError: bad images, a layer that is no number or "average", or an option out of range.

    Source: Meng and Chen (2017), Section 5 and its released code.
    Differs from the paper: it says L2 regularization; its code puts it on the activations, and so do we. Its
    framework summed them over the batch at first and averages them now; we average.
    """
    checks.check_images(images)
    check_descent(seed=seed, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    checks.check_number(noise, "noise", at_least=0.0)
    checks.check_number(activity_penalty, "activity_penalty", at_least=0.0)
    if not any(layer != "average" for layer in structure):
        raise ValueError(f"structure: expected at least one convolution, got {tuple(structure)}")
    for layer in structure:
        if layer != "average":
            if isinstance(layer, str):
                raise ValueError(f"structure: expected numbers of filters and 'average', got {layer!r}")
            checks.check_number(layer, "structure", at_least=1, integer=True)
    channels = images.shape[1]
    model = drawn(lambda: MagNetAutoencoder(channels, structure), seed)
    check_sides(images, channels, model.multiple)
    place = images.device if device is None else torch.device(device)
    clean = images.detach().to(torch.promote_types(images.dtype, torch.float32))
    model = model.to(place, clean.dtype)
    draws = make_generator(seed, "noise")
    disturbed = clean
    if noise:
        disturbed = (clean + noise * torch.randn(clean.shape, generator=draws).to(clean)).clamp(0.0, 1.0)

    def batch_loss(indices: Tensor) -> Tensor:
        chosen = indices.to(clean.device)
        rebuilt, activities = model.with_activities(disturbed[chosen].to(place))
        return F.mse_loss(rebuilt, clean[chosen].to(place)) + activity_penalty * activities.mean()

    history = descend(
        model, len(clean), batch_loss, seed=seed, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate
    )
    return model.requires_grad_(False), history


def rebuilt(model: MagNetAutoencoder, images: Images, *, batch_size: int = 256) -> Images:
    """Return reconstructions clamped to [0, 1], (N, C, H, W), on the device and in the dtype of images."""
    parameter = next(model.parameters())
    with torch.no_grad():
        parts = [model(part.detach().to(parameter)).to(images) for part in images.split(batch_size)]
    return torch.cat(parts).clamp(0.0, 1.0)
