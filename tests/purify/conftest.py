"""Images that the purifiers' tests share."""

import pytest
import torch


@pytest.fixture
def draw():
    """Return a function that draws images (N, C, H, W) with independent values in [0, 1]."""

    def make(*shape, seed=0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return make


@pytest.fixture
def photograph():
    """Return a function that cuts (1, C, side, side) from a photograph: the first `side` pixels of its middle."""
    data = pytest.importorskip("skimage.data")

    def make(side=64, *, channels=3, name="astronaut", dtype=torch.float64):
        pixels = getattr(data, name)()
        top, left = pixels.shape[0] // 8, pixels.shape[1] // 3
        image = torch.tensor(pixels[top : top + side, left : left + side]).permute(2, 0, 1)[None].to(dtype) / 255
        return image if channels == 3 else image.mean(dim=1, keepdim=True)

    return make
