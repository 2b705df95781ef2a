"""Small models and images that the attack tests share."""

import pytest
import torch
from torch import nn


class Linear(nn.Module):
    """Two classes whose logit difference is weight . x + offset: the boundary is known exactly."""

    def __init__(self, weight, offset):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.offset = offset

    def forward(self, images):
        score = (images * self.weight).sum(dim=(1, 2, 3)) + self.offset
        return torch.stack([torch.zeros_like(score), score], dim=1)


@pytest.fixture
def linear_model():
    """Return a function that makes a linear two-class model from a weight (C, H, W) and an offset."""
    return Linear


@pytest.fixture
def small_network():
    """Return a function that makes a seeded convolutional network with batch normalization and dropout."""

    def make(*, channels=1, n_classes=4, dtype=torch.float64):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            network = nn.Sequential(
                nn.Conv2d(channels, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Tanh(), nn.Dropout(0.5),
                nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(96, n_classes),
            )  # fmt: skip
        return network.to(dtype).eval()

    return make


@pytest.fixture
def draw():
    """Return a function that draws images (N, C, H, W) with values in [0.1, 0.9]."""

    def make(*shape, seed=0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)
        return (0.1 + 0.8 * torch.rand(*shape, generator=generator, dtype=torch.float64)).to(dtype)

    return make
