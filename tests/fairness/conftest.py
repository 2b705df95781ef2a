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


class Line(torch.nn.Module):
    """A linear model of an image's D values, in float64: logits (0, w . x + b), or the number itself."""

    def __init__(self, weights, offset=0.0, *, regression=False):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.as_tensor(weights, dtype=torch.float64))
        self.offset = torch.nn.Parameter(torch.tensor(float(offset), dtype=torch.float64))
        self.regression = regression

    def forward(self, images):
        score = images.flatten(1) @ self.weights + self.offset
        return score[:, None] if self.regression else torch.stack([torch.zeros_like(score), score], 1)


class LogisticToy:
    """The dual of a linear classifier under the squared distance, by scalar root finding: another solver's answers.

    The worst image moves along the weights w only, by t: phi = max_t log(1 + exp(t |w| - margin)) - gamma t^2.
    """

    def __init__(self, n=40, seed=0):
        draws = generator(seed, "logistic toy")
        self.labels = torch.arange(n) % 2
        sides = 2.0 * self.labels.double() - 1.0
        points = torch.randn(n, 2, generator=draws, dtype=torch.float64)
        points[:, 0] += 0.8 * sides
        self.images, self.sides = points.view(n, 1, 1, 2), sides.numpy()
        self.points = points.numpy()

    def shifts(self, theta, gamma):
        from scipy.optimize import brentq
        from scipy.special import expit

        length = float((theta[:2] ** 2).sum() ** 0.5)
        margins = self.sides * (self.points @ theta[:2] + theta[2])

        def slope(t, margin):
            return length * expit(t * length - margin) - 2 * gamma * t

        return length, margins, [brentq(slope, -1e-9, length / gamma, args=(margin,)) for margin in margins]

    def surrogates(self, theta, gamma):
        """Return phi of each image as a NumPy array, and the squared distances moved."""
        import numpy as np

        length, margins, shifts = self.shifts(theta, gamma)
        moves = np.array(shifts)
        return np.logaddexp(0.0, moves * length - margins) - gamma * moves**2, moves**2


@pytest.fixture
def line():
    return Line


@pytest.fixture
def logistic_toy():
    return LogisticToy
