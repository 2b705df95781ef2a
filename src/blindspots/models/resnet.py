"""Residual networks for small images: depth 6n+2, three stages, after the CIFAR-10 networks of He et al. (2016)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from blindspots.checks import check_choice, check_number
from blindspots.models.split import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    SplitClassifier,
    channel_statistics,
    seeded_construction,
)
from blindspots.models.weights import load_matching, read_weights


class PaddedShortcut(nn.Module):
    """Option A: skip pixels and pad the new channels with zeros, half before and half after; no weights."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        extra = out_channels - in_channels
        self.padding = (0, 0, 0, 0, extra // 2, extra - extra // 2)
        self.stride = stride

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        return F.pad(maps[..., :: self.stride, :: self.stride], self.padding)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the sum passes a ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        if stride == 1 and in_channels == out_channels:
            self.shortcut = nn.Identity()
        elif shortcut == "A":
            self.shortcut = PaddedShortcut(in_channels, out_channels, stride)
        else:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, maps: Tensor) -> Tensor:
        """Return the block's output."""
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(maps)))))
        return F.relu(inner + self.shortcut(maps))


class ResidualFeatures(nn.Module):
    """A 3x3 convolution, three stages of blocks with `width`, 2 and 4 `width` channels, and the mean over pixels."""

    def __init__(self, in_channels: int, n_blocks: int, width: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, n_blocks, 1, shortcut)
        self.layer2 = _stage(width, 2 * width, n_blocks, 2, shortcut)
        self.layer3 = _stage(2 * width, 4 * width, n_blocks, 2, shortcut)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (N, 4 width)."""
        maps = F.relu(self.bn1(self.conv1(images)))
        return self.layer3(self.layer2(self.layer1(maps))).mean((-2, -1))


def _stage(in_channels: int, out_channels: int, n_blocks: int, stride: int, shortcut: str) -> nn.Sequential:
    first = ResidualBlock(in_channels, out_channels, stride, shortcut)
    return nn.Sequential(first, *(ResidualBlock(out_channels, out_channels, 1, shortcut) for _ in range(n_blocks - 1)))


def resnet(
    in_channels: int,
    n_classes: int,
    *,
    depth: int = 20,
    width: int = 16,
    shortcut: str = "A",
    mean: Sequence[float] = (0.5,),
    std: Sequence[float] = (0.25,),
    seed: int,
) -> SplitClassifier:
    """Build a residual network of `depth` = 6n+2 layers for small images.

    Args:
        in_channels: C of the images (N, C, H, W); H and W at least 4 pixels (32 in the paper).
        n_classes: K, at least 2.
        depth: 8, 14, 20, 32, 44, 56, 110, ...: 6n+2 with n blocks of two convolutions in each of three stages.
        width: channels of the first stage (16 in the paper); the features are 4 `width` numbers.
        shortcut: where the size changes, "A" pads with zeros (the paper's CIFAR-10 networks) and "B" projects with a
            1x1 convolution.
        mean: subtracted from images in [0, 1]; one number, or one per channel.
        std: divides them; > 0.
        seed: decides the first weights (He's normal distribution for convolutions and the head).

    Returns:
        SplitClassifier in evaluation mode, on the CPU, float32.

    Raises:
        ValueError: a depth that is not 6n+2, a size that is too small, or an unknown shortcut.

    Source: He, Zhang, Ren, Sun (2016), Deep Residual Learning for Image Recognition, Sec. 4.2.
    """
    check_number(in_channels, "in_channels", at_least=1, integer=True)
    check_number(n_classes, "n_classes", at_least=2, integer=True)
    check_number(depth, "depth", at_least=8, integer=True)
    check_number(width, "width", at_least=1, integer=True)
    check_choice(shortcut, "shortcut", ("A", "B"))
    if (depth - 2) % 6:
        raise ValueError(f"depth: expected 6n + 2 (8, 14, 20, 32, 44, 56, 110), got {depth}")
    means, deviations = channel_statistics(mean, std, in_channels)
    with seeded_construction(seed):
        features = ResidualFeatures(in_channels, (depth - 2) // 6, width, shortcut)
        classifier = nn.Linear(4 * width, n_classes)
        for module in (*features.modules(), classifier):
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)
    spec = {
        "name": "resnet", "in_channels": in_channels, "n_classes": n_classes, "depth": depth, "width": width,
        "shortcut": shortcut, "mean": means, "std": deviations,
    }  # fmt: skip
    return SplitClassifier(
        features, classifier, input_shape=(in_channels, None, None), mean=means, std=deviations, spec=spec, min_side=4
    ).eval()


def published_cifar_resnet(path: str | Path) -> SplitClassifier:
    """Load a published CIFAR-10 ResNet (20 to 1202 layers, option A) from its weight file.

    Reads the files of github.com/akamaster/pytorch_resnet_cifar10, whose keys stand under `module.` and whose depth is
    read from the keys. They were trained with ImageNet's normalization, which is built in: pass images in [0, 1].

    Args:
        path: the `.th` file, for instance `cifar10_resnet20.th`; nothing is downloaded.

    Raises:
        OSError: the file is missing or cannot be read.
        ValueError: the file is damaged or holds another network.
    """
    stored = read_weights(path)
    state = stored.get("state_dict", stored) if isinstance(stored, dict) else {}
    state = {str(key).removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}
    n_blocks = sum(key.startswith("layer1.") and key.endswith(".conv1.weight") for key in state)
    if n_blocks == 0 or "linear.weight" not in state:
        raise ValueError(
            f"path: expected the weights of a CIFAR ResNet (keys layer1..., linear...) in {path}, got others"
        )
    n_classes, n_features = state["linear.weight"].shape
    model = resnet(
        3, n_classes, depth=6 * n_blocks + 2, width=n_features // 4, mean=IMAGENET_MEAN, std=IMAGENET_STD, seed=0
    )
    renamed = {"mean": model.mean, "std": model.std}
    for key, value in state.items():
        renamed[key.replace("linear.", "classifier.") if key.startswith("linear.") else f"features.{key}"] = value
    load_matching(model, renamed, path)
    return model
