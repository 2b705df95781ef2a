"""A small convolutional classifier: three convolutions, for digits and patches, trained in seconds on one core."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from blindspots.checks import check_choice, check_number
from blindspots.models.split import SplitClassifier, channel_statistics, seeded_construction

NORMS = ("batch", "group", "none")


class QuadrantMean(nn.Module):
    """Average each channel over the four (overlapping where odd) quadrants: (N, C, H, W) -> (N, 4 C).

    The same as adaptive average pooling to 2x2, written with slices and means, whose gradients are deterministic on
    every device and can be differentiated again.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the four means per channel."""
        height, width = ((side + 1) // 2 for side in maps.shape[-2:])
        rows, columns = (slice(None, height), slice(-height, None)), (slice(None, width), slice(-width, None))
        means = [maps[..., row, column].mean((-2, -1)) for row in rows for column in columns]
        return torch.stack(means, dim=-1).flatten(1)


def small_cnn(
    in_channels: int,
    n_classes: int,
    *,
    width: int = 16,
    norm: str = "batch",
    mean: Sequence[float] = (0.5,),
    std: Sequence[float] = (0.25,),
    seed: int,
) -> SplitClassifier:
    """Build a network of three 3x3 convolutions with `width`, 2 `width` and 4 `width` filters.

    Each convolution is followed by a normalization and a ReLU, the first two also by 2x2 max pooling. The features
    are the means over the four quadrants (D = 16 `width`), the head is linear.

    Args:
        in_channels: C of the images (N, C, H, W); H and W at least 4 pixels, of any size.
        n_classes: K, at least 2.
        width: filters of the first convolution; a multiple of 4 with group normalization.
        norm: "batch"; "group" (groups of four filters: no running state, so the same in training and evaluation, for
            steps on single images and for `torch.func.vmap` over models); or "none".
        mean: subtracted from images in [0, 1]; one number, or one per channel.
        std: divides them; > 0.
        seed: decides the first weights (He's normal distribution for convolutions).

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a size that is too small, an unknown norm, or a width that group normalization cannot divide.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    check_number(width, "width", at_least=1, integer=True)
    check_choice(norm, "norm", NORMS)
    if norm == "group" and width % 4:
        raise ValueError(f"width: expected a multiple of 4 with group normalization, got {width}")
    means, deviations = channel_statistics(mean, std, in_channels)
    layers: list[nn.Module] = []
    channels = in_channels
    with seeded_construction(seed):
        for block in range(3):
            filters = width * 2**block
            convolution = nn.Conv2d(channels, filters, 3, padding=1, bias=norm == "none")
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            layers += [convolution, *_norm(norm, filters), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if block < 2 else [QuadrantMean()]
            channels = filters
        classifier = nn.Linear(4 * channels, n_classes)
    spec = {
        "name": "small_cnn", "in_channels": in_channels, "n_classes": n_classes, "width": width, "norm": norm,
        "mean": means, "std": deviations,
    }  # fmt: skip
    return SplitClassifier(
        nn.Sequential(*layers), classifier, input_shape=(in_channels, None, None), mean=means, std=deviations,
        spec=spec, min_side=4,
    ).eval()  # fmt: skip


def _norm(norm: str, filters: int) -> list[nn.Module]:
    if norm == "batch":
        return [nn.BatchNorm2d(filters)]
    return [nn.GroupNorm(filters // 4, filters)] if norm == "group" else []
