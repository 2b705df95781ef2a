"""Images and an independent SSIM that the perception tests share."""

import pytest
import torch
import torch.nn.functional as F


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
