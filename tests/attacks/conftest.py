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


@pytest.fixture
def flat_layer():
    """Return a function that makes nearly linear features: the distance is ||scale * (x - y)||_2 / (K sqrt(H W)).

    A constant channel of 1 beside x / K makes the normalization of the channels change x / K by 1 / K^2 only.
    """

    def make(scale=1.0, stiffness=1000.0):
        def features(images):
            return [torch.cat([scale * images / stiffness, torch.ones_like(images[:, :1])], dim=1)]

        return features

    return make


@pytest.fixture
def layers():
    """Return a function that makes seeded features of two layers, smooth, of their own network."""

    class Layers(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.first = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.Dropout(0.5), nn.Tanh())
            self.second = nn.Sequential(nn.Conv2d(8, 6, 3, stride=2), nn.BatchNorm2d(6), nn.Softplus())

        def forward(self, images):
            first = self.first(images)
            return [first, self.second(first)]

    def make(*, channels=3, dtype=torch.float64):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(11)
            return Layers(channels).to(dtype).eval()

    return make


@pytest.fixture
def rectified_layers():
    """Return a function that makes seeded features with kinks, as AlexNet has them: ReLU, pooling, ReLU."""

    class Layers(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
            self.second = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU())

        def forward(self, images):
            first = self.first(images)
            return [first, self.second(first)]

    def make(dtype=torch.float64):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            return Layers().to(dtype).eval()

    return make


@pytest.fixture
def distances_by_hand():
    """Return a function that takes distances (N,) between images in float64, from the definition."""

    def measure(features, images, references):
        total = torch.zeros(images.shape[0], dtype=torch.float64)
        with torch.no_grad():
            for ours, theirs in zip(features(images.double()), features(references.double()), strict=True):
                unit = [torch.nn.functional.normalize(layer, dim=1) for layer in (ours, theirs)]
                total += (unit[0] - unit[1]).square().sum(dim=1).mean(dim=(1, 2))
        return total.sqrt()

    return measure
