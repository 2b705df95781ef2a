"""Wide residual networks, WRN-d-k: few layers, many channels, activation before convolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_number
from blindspots.models.split import SplitClassifier, channel_statistics, seeded_construction


class WideBlock(nn.Module):
    """Normalization, ReLU, convolution, twice, beside a shortcut; projected where the size changes."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        changes = stride != 1 or in_channels != out_channels
        self.project = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False) if changes else None

    def forward(self, maps: Tensor) -> Tensor:
        """Return the block's output."""
        active = F.relu(self.bn1(maps))
        inner = self.conv2(self.dropout(F.relu(self.bn2(self.conv1(active)))))
        return inner + (maps if self.project is None else self.project(active))


class WideFeatures(nn.Module):
    """A convolution, three stages of blocks, normalization, ReLU and the mean over pixels."""

    def __init__(self, in_channels: int, n_blocks: int, width_factor: int, dropout: float) -> None:
        super().__init__()
        widths = [16, 16 * width_factor, 32 * width_factor, 64 * width_factor]
        self.conv1 = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        stages = []
        for stage, stride in enumerate((1, 2, 2)):
            inputs, outputs = widths[stage], widths[stage + 1]
            stages += [
                WideBlock(outputs if block else inputs, outputs, 1 if block else stride, dropout)
                for block in range(n_blocks)
            ]
        self.blocks = nn.Sequential(*stages)
        self.bn = nn.BatchNorm2d(widths[-1])

    def forward(self, images: Tensor) -> Tensor:
        """Return features (N, 64 width_factor)."""
        return F.relu(self.bn(self.blocks(self.conv1(images)))).mean((-2, -1))


def wide_resnet(
    in_channels: int,
    n_classes: int,
    *,
    depth: int = 28,
    width_factor: int = 10,
    dropout: float = 0.0,
    mean: Sequence[float] = (0.5,),
    std: Sequence[float] = (0.25,),
    seed: int,
) -> SplitClassifier:
    """Build WRN-`depth`-`width_factor` with n blocks of two convolutions in each of three stages.

    Args:
        in_channels: C of the images (N, C, H, W); H and W at least 4 pixels (32 in the paper).
        n_classes: K, at least 2.
        depth: 6n+4 (10, 16, 22, 28, 34, 40), which counts the shortcuts' projections; or 6n+2 (32), as the literature
            on robust training counts, where WRN-32-10 names the network that is WRN-34-10 here.
        width_factor: k; the stages have 16k, 32k and 64k channels, the last being D of the features.
        dropout: probability in [0, 1) of dropping a value between a block's two convolutions.
        mean: subtracted from images in [0, 1]; one number, or one per channel.
        std: divides them; > 0.
        seed: decides the first weights (He's normal distribution for convolutions).

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a depth that is neither 6n+4 nor 6n+2, a size that is too small, or a dropout outside [0, 1).

    Source: Zagoruyko, Komodakis (2016), Wide Residual Networks, Table 1.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    check_number(depth, "depth", at_least=8, integer=True)
    check_number(width_factor, "width_factor", at_least=1, integer=True)
    check_number(dropout, "dropout", at_least=0.0, at_most=0.99)
    if depth % 6 not in (2, 4):
        raise ValueError(f"depth: expected 6n + 4 (10, 16, 22, 28, 34, 40) or 6n + 2 (32), got {depth}")
    means, deviations = channel_statistics(mean, std, in_channels)
    with seeded_construction(seed):
        features = WideFeatures(in_channels, (depth - 2) // 6, width_factor, dropout)
        classifier = nn.Linear(64 * width_factor, n_classes)
        for module in features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    spec = {
        "name": "wide_resnet", "in_channels": in_channels, "n_classes": n_classes, "depth": depth,
        "width_factor": width_factor, "dropout": float(dropout), "mean": means, "std": deviations,
    }  # fmt: skip
    return SplitClassifier(
        features, classifier, input_shape=(in_channels, None, None), mean=means, std=deviations, spec=spec, min_side=4
    ).eval()
