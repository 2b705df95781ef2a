"""Images and an independent SSIM that the perception tests share."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from blindspots.types import PreparedDistance


def _conv_ssim_distance(images, references, *, window_size=11, sigma=1.5, data_range=1.0, padding="same"):
    """1 - SSIM of (C, H, W) tensors by one two-dimensional convolution per moment: slow, plain, differentiable."""
    offsets = torch.arange(window_size, dtype=images.dtype) - window_size // 2
    line = torch.exp(-offsets**2 / (2 * sigma**2))
    kernel = torch.outer(line, line)
    kernel = (kernel / kernel.sum())[None, None]
    pad = window_size // 2 if padding == "same" else 0

    def average(maps):
        return F.conv2d(maps[:, None], kernel, padding=pad)[:, 0]

    mx, my = average(images), average(references)
    sx, sy = average(images**2) - mx**2, average(references**2) - my**2
    sxy = average(images * references) - mx * my
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return 1 - ((2 * mx * my + c1) * (2 * sxy + c2) / ((mx**2 + my**2 + c1) * (sx + sy + c2))).mean()


@pytest.fixture
def conv_ssim_distance():
    """Return the independent distance."""
    return _conv_ssim_distance


@pytest.fixture
def dense_hessian():
    """Return a function that gives the Hessian of the independent distance at (N, C, H, W) images, by autograd."""

    def hessian(images, **options):
        size = images[0].numel()
        return torch.stack(
            [
                torch.func.hessian(lambda other, image=image: _conv_ssim_distance(image, other, **options))(
                    image
                ).reshape(size, size)
                for image in images
            ]
        )

    return hessian


@pytest.fixture
def draw():
    """Return a function that draws float64 images (N, C, H, W) in [0, 1] with flat and textured parts."""

    def make(*shape, seed=0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)
        images = torch.rand(*shape, generator=generator, dtype=torch.float64)
        images[..., : shape[-1] // 3] = 0.0
        images[..., -(shape[-1] // 4) :] = 0.9
        return images.to(dtype)

    return make


@pytest.fixture
def noise():
    """Return a function that draws standard normal float64 tensors."""

    def make(*shape, seed=1, dtype=torch.float64):
        return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)

    return make


@pytest.fixture
def small_network():
    """Return a function that makes a seeded float64 network with batch normalization, dropout and in-place ReLU."""

    def make(*, channels=3, seed=3):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = nn.Sequential(
                nn.Conv2d(channels, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2),
                nn.Conv2d(6, 8, 3, padding=1), nn.Dropout(0.5), nn.ReLU(inplace=True),
                nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 4),
            )  # fmt: skip
        return network.double().eval()

    return make


@pytest.fixture
def obeys_the_contract():
    """Return a function that checks what every distance promises: one number an image, and a prepared form."""

    def check(distance, images, references, *, tolerance=1e-6):
        together = distance(images, references)
        assert together.shape == (len(images),) and together.dtype == images.dtype
        assert together.device == images.device
        prepared = distance.prepare(references)
        assert isinstance(prepared, PreparedDistance)
        torch.testing.assert_close(prepared(images), together, rtol=0, atol=tolerance)
        chosen = torch.tensor([len(images) - 1, 0])
        few = prepared.select(chosen)
        torch.testing.assert_close(few(images[chosen]), together[chosen], rtol=0, atol=tolerance)
        one = few.select(torch.tensor([False, True]))
        torch.testing.assert_close(one(images[:1]), together[:1], rtol=0, atol=tolerance)
        for index in range(len(images)):
            alone = distance(images[index : index + 1], references[index : index + 1])
            torch.testing.assert_close(alone[0], together[index], rtol=0, atol=tolerance)
        leaf = images.clone().requires_grad_(True)
        (direct,) = torch.autograd.grad(distance(leaf, references).sum(), leaf)
        (cached,) = torch.autograd.grad(prepared(leaf).sum(), leaf)
        assert torch.isfinite(direct).all() and direct.abs().amax() > 0
        torch.testing.assert_close(cached, direct, rtol=0, atol=10 * tolerance)
        with pytest.raises(ValueError, match="as prepared, got"):
            prepared(images[:1])
        with pytest.raises(ValueError, match="references: expected the shape of images"):
            distance(images, references[:1])
        with pytest.raises(ValueError, match="at least one reference"):
            prepared.select(torch.zeros(len(images), dtype=torch.bool))

    return check


@pytest.fixture
def drawn_state():
    """Return a function that draws weights of fitting size for a network built without any, by name."""

    def make(build, *, seed=0):
        generator = torch.Generator().manual_seed(seed)
        with torch.device("meta"):
            shapes = {name: value.shape for name, value in build().state_dict().items()}
        return {
            name: torch.randn(shape, generator=generator) * (2.0 / max(1, shape[1:].numel())) ** 0.5
            for name, shape in shapes.items()
        }

    return make


@pytest.fixture
def no_weights_anywhere(tmp_path, monkeypatch):
    """An empty data root and an empty torch hub; returns the root's weights folder."""
    (tmp_path / "root" / "weights").mkdir(parents=True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setenv("BLINDSPOTS_DATA", str(tmp_path / "root"))
    return tmp_path / "root" / "weights"


@pytest.fixture
def tid2013():
    """Five TID2013 pairs: images, references, lists of (1, 3, H, W); published values by metric, (5,) float64."""
    folder = Path(os.environ.get("BLINDSPOTS_DATA", ""), "iqa", "tid2013_pairs")
    if not folder.is_dir():
        pytest.skip("the TID2013 pairs are not below BLINDSPOTS_DATA")
    with open(folder / "results_official.csv", newline="") as stream:
        header, *rows = csv.reader(stream)
    names = [name.removesuffix(".bmp") for name in header[1:]]

    def read(kind):
        arrays = [np.array(Image.open(folder / f"{name}_{kind}.png").convert("RGB")) for name in names]
        return [torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255 for array in arrays]

    values = {row[0]: torch.tensor([float(x) for x in row[1:]], dtype=torch.float64) for row in rows}
    return read("dist"), read("ref"), values
