"""Generators and classifiers whose answers are known."""

import pytest
import torch


class LinearDecoder(torch.nn.Module):
    """Images 0.5 + reshape(A l + b_y), far inside [0, 1] for latents that matter."""

    def __init__(self, matrix, offsets, shape):
        super().__init__()
        self.matrix = torch.nn.Parameter(matrix)
        self.register_buffer("offsets", offsets)
        self.shape = shape

    def forward(self, latents, labels):
        return (0.5 + latents @ self.matrix.T + self.offsets[labels]).reshape(-1, *self.shape)


class LinearClassifier(torch.nn.Module):
    """Logits W (x - 0.5) + c."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight = torch.nn.Parameter(weight)
        self.register_buffer("bias", bias)

    def forward(self, images):
        return (images.flatten(1) - 0.5) @ self.weight.T + self.bias


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def linear_world():
    """Return a function that makes (classifier, decoder, latents, labels) with K classes, all linear, in float64."""

    def make(*, size=6, n_classes=3, n=8, seed=0, scale=1.0, dtype=torch.float64):
        draw = seeded(seed)
        shape, options = (1, 4, 4), dict(generator=draw, dtype=torch.float64)
        matrix = 0.01 * torch.randn(16, size, **options)
        weight = scale * 50 * torch.randn(n_classes, 16, **options)
        # Each class on its side by about as much as its latents move it: some are right and some are wrong.
        offsets = 0.01 * size**0.5 * torch.nn.functional.normalize(weight)
        bias = torch.zeros(n_classes, dtype=torch.float64)
        latents = torch.randn(n, size, **options)
        labels = torch.arange(n) % n_classes
        model = LinearClassifier(weight.to(dtype), bias.to(dtype))
        return model, LinearDecoder(matrix.to(dtype), offsets.to(dtype), shape), latents.to(dtype), labels

    return make


class InstanceNormNet(torch.nn.Module):
    """Convolution, ReLU, instance norm without running statistics, twice; then a linear layer."""

    def __init__(self, n_classes, dtype):
        super().__init__()
        layers, channels = [], 1
        for width in (4, 8):
            layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU(), torch.nn.InstanceNorm2d(width)]
            channels = width
        self.layers = torch.nn.Sequential(*layers, torch.nn.AdaptiveMaxPool2d(2), torch.nn.Flatten())
        self.head = torch.nn.Linear(32, n_classes)
        self.to(dtype)

    def forward(self, images):
        return self.head(self.layers(images))


class ClassDecoder(torch.nn.Module):
    """A small conditional generator: a layer per class, a convolution that they share, a sigmoid."""

    def __init__(self, size, n_classes, dtype):
        super().__init__()
        self.first = torch.nn.Parameter(torch.randn(n_classes, size, 64) / size**0.5)
        self.convolution = torch.nn.Conv2d(4, 1, 3, padding=1)
        self.to(dtype)

    def forward(self, latents, labels):
        maps = torch.einsum("nd,ndm->nm", latents, self.first[labels]).relu().reshape(-1, 4, 4, 4)
        maps = torch.nn.functional.interpolate(maps, scale_factor=2, mode="bilinear")
        return torch.sigmoid(3 * self.convolution(maps))


@pytest.fixture
def network_world():
    """Return a function that makes (classifier, decoder, latents, labels) of networks; labels are what it predicts."""

    def make(*, size=5, n_classes=3, n=6, seed=0, dtype=torch.float64):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model, decode = InstanceNormNet(n_classes, dtype), ClassDecoder(size, n_classes, dtype)
        latents = torch.randn(n, size, generator=seeded(seed), dtype=torch.float64).to(dtype)
        labels = torch.arange(n) % n_classes
        return model, decode, latents, labels

    return make
