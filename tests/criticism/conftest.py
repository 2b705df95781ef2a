"""A small photograph, its superpixels, and a classifier that is linear in the pixels."""

import pytest
import skimage.data
import torch

from blindspots.criticism import slic_superpixels
from blindspots.seeding import generator


@pytest.fixture(scope="session")
def photograph():
    """Return a piece of a photograph (3, 48, 40) in float64."""
    return torch.tensor(skimage.data.chelsea()[40:232:4, 100:260:4] / 255.0).permute(2, 0, 1).contiguous()


@pytest.fixture(scope="session")
def segments(photograph):
    """Return about twenty superpixels (48, 40) of the photograph."""
    found = slic_superpixels(photograph, n_segments=24)
    assert 10 <= int(found.max()) + 1 <= 30
    return found


@pytest.fixture(scope="session")
def linear_weights():
    """Return the weights (4, 3, 48, 40) of a classifier of four classes."""
    return 0.05 * torch.randn(4, 3, 48, 40, generator=generator(0, "linear"), dtype=torch.float64)


@pytest.fixture(scope="session")
def linear_model(linear_weights):
    """Return the classifier."""
    bias = torch.tensor([0.3, -0.2, 0.1, 0.0], dtype=torch.float64)
    return lambda images: torch.einsum("nchw,kchw->nk", images.double(), linear_weights) + bias
