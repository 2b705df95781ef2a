"""A small classifier and a small task that the fairness tests share."""

import pytest
import torch

from blindspots.fairness import WeightedImages
from blindspots.models import small_cnn
from blindspots.seeding import generator


def make_network(seed=0, dtype=torch.float64, norm="group", n_classes=3):
    """Return a network of 1,000 weights for images (n, 1, 8, 8)."""
    return small_cnn(1, n_classes, width=4, norm=norm, seed=seed).to(dtype)


def make_task(n=12, seed=0, dtype=torch.float64, weights=None):
    """Return n images of three classes: a bright band at one of three heights, in noise."""
    draws = generator(seed, "bands")
    labels = torch.randint(0, 3, (n,), generator=draws)
    images = 0.5 * torch.rand(n, 1, 8, 8, generator=draws, dtype=torch.float64)
    for row, label in enumerate(labels.tolist()):
        images[row, :, 3 * label : 3 * label + 2] += 0.4
    given = torch.ones(n, dtype=torch.float64) if weights is None else weights
    return WeightedImages(images.to(dtype), labels, given)


@pytest.fixture
def network():
    return make_network


@pytest.fixture
def task():
    return make_task


@pytest.fixture
def flat_weights():
    """Return a function that puts a state dictionary's floats into one vector."""

    def flatten(state):
        return torch.cat([value.detach().flatten() for value in state.values() if value.is_floating_point()])

    return flatten
