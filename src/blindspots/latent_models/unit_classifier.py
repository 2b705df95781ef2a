"""The small classifiers of the latent-space study: convolutional units with instance normalization."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.models.split import SplitClassifier, channel_statistics, seeded_construction

UNITS = (0, 1, 2)
_WIDTHS = {28: (8, 16, 32), 32: (8, 16, 32), 64: (8, 16, 32, 64), 128: (8, 16, 32, 64, 128)}
_DROPOUT = {3: (0.2, 0.3, 0.4), 4: (0.2, 0.25, 0.3, 0.4), 5: (0.2, 0.25, 0.25, 0.3, 0.4)}
_SMALLEST_MAP = 4  # pixels before the last pooling: an instance norm of fewer has hardly a deviation to divide by


class ConvReluNorm(nn.Module):
    """A 3x3 convolution, a ReLU, and a normalization of each channel of each image by itself, with learned scale.

    The normalization is `GroupNorm` with a group per channel: mean and biased variance over the pixels of one image,
    which is instance norm without running statistics, and faster on a CPU. A batch equals its images one by one.
    """

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(n_inputs, n_outputs, 3, padding=1)
        self.norm = nn.GroupNorm(n_outputs, n_outputs)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (N, n_outputs, H, W)."""
        return self.norm(F.relu(self.convolution(maps)))


class Residual(nn.Module):
    """The input plus what two conv-ReLU-norm layers of its own width make of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(ConvReluNorm(channels, channels), ConvReluNorm(channels, channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return maps + self.layers(maps)


def unit_classifier(
    in_channels: int,
    n_classes: int,
    *,
    side: int,
    unit: int = 0,
    widths: Sequence[int] | None = None,
    dropout: Sequence[float] | None = None,
    pad: int | None = None,
    seed: int,
) -> SplitClassifier:
    """Build a classifier of units, each followed by 2x2 max pooling and dropout, and a linear head.

    Unit 0 is two conv-ReLU-norm layers; unit 1 a residual block of the input's width and one such layer; unit 2 three
    of them. Images in [0, 1] are scaled to [-1, 1] first.

    Args:
        in_channels: C of the images (N, C, side, side).
        n_classes: K, at least 2.
        side: height and width in pixels.
        unit: 0, 1 or 2.
        widths: channels after each unit; None for 8, 16, 32, and at 64 and 128 pixels also 64, and 128.
        dropout: shares in [0, 1) dropped after each unit; None for 0.2 rising to 0.4.
        pad: black pixels added on each side; None for 4 at 28 pixels, else 0.
        seed: decides the first weights.

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32. Its spec has the name "unit_classifier" and these
        options: `unit_classifier(**{k: v for k, v in spec.items() if k != "name"}, seed=...)` builds it again.

    Raises:
        ValueError: an unknown unit, sizes that are too small, widths and dropout of different lengths, or more
            poolings than the side allows.

    Source: P2, as reconstructed from the authors' repository (papers.md 3.4): 23,394, 17,058 and 35,658 parameters for
        digits; 201,798 at 128 pixels and two classes.
    Differs from the paper: 64-pixel widths are ours. The 201,798 parameters are those of unit 1 (unit 0 has 300,138).
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    check_number(side, "side", at_least=_SMALLEST_MAP, integer=True)
    if unit not in UNITS:
        raise ValueError(f"unit: expected 0, 1 or 2, got {unit!r}")
    if widths is None:
        widths = _WIDTHS.get(side, _WIDTHS[28])
    if dropout is None and len(widths) not in _DROPOUT:
        raise ValueError(f"dropout: expected shares for {len(widths)} units, got None, which knows 3, 4 and 5 units")
    dropout = _DROPOUT[len(widths)] if dropout is None else dropout
    if len(dropout) != len(widths) or not widths:
        raise ValueError(f"dropout: expected one share per unit, got {len(dropout)} for {len(widths)} widths")
    for width, share in zip(widths, dropout, strict=True):
        check_number(width, "widths", at_least=1, integer=True)
        check_number(share, "dropout", at_least=0.0, at_most=0.99)
    pad = (4 if side == 28 else 0) if pad is None else pad
    check_number(pad, "pad", at_least=0, integer=True)
    last = (side + 2 * pad) // 2 ** (len(widths) - 1)
    if last < _SMALLEST_MAP:
        raise ValueError(
            f"side: expected at least {_SMALLEST_MAP} pixels before the last pooling, got {last} from a side of "
            f"{side} after {len(widths) - 1} poolings; use fewer widths or larger images"
        )
    means, deviations = channel_statistics((0.5,), (0.5,), in_channels)
    layers: list[nn.Module] = [nn.ConstantPad2d(pad, -1.0)] if pad else []
    channels = in_channels
    with seeded_construction(seed):
        for width, share in zip(widths, dropout, strict=True):
            layers += [*_unit(unit, channels, width), nn.MaxPool2d(2), nn.Dropout(share)]
            channels = width
        head = nn.Linear(channels * (last // 2) ** 2, n_classes)
    spec = {
        "name": "unit_classifier", "in_channels": in_channels, "n_classes": n_classes, "side": side, "unit": unit,
        "widths": list(widths), "dropout": list(dropout), "pad": pad,
    }  # fmt: skip
    return SplitClassifier(
        nn.Sequential(*layers, nn.Flatten()), head, input_shape=(in_channels, None, None), mean=means,
        std=deviations, spec=spec, min_side=side,
    ).eval()  # fmt: skip


def _unit(kind: int, n_inputs: int, n_outputs: int) -> list[nn.Module]:
    if kind == 1:
        return [Residual(n_inputs), ConvReluNorm(n_inputs, n_outputs)]
    return [ConvReluNorm(n_inputs, n_outputs), *(ConvReluNorm(n_outputs, n_outputs) for _ in range(1 + kind // 2))]
