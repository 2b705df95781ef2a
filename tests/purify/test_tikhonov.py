"""The Tikhonov split: a wave known in closed form, the normal equations, and sporco."""

import math

import numpy as np
import pytest
import torch

from blindspots.purify import tikhonov_split


def test_a_wave_is_divided_by_its_own_factor():
    # With periodic boundaries a wave is an eigenvector: |G|^2 = 4 sin^2(w / 2).
    rows, columns = torch.arange(16, dtype=torch.float64)[:, None], torch.arange(12, dtype=torch.float64)
    down, right = 2 * math.pi * 3 / 16, 2 * math.pi * 2 / 12
    wave = torch.cos(down * rows + right * columns)[None, None]
    factor = 1 + 0.7 * 4 * (math.sin(down / 2) ** 2 + math.sin(right / 2) ** 2)
    low, high = tikhonov_split(wave, weight=0.7, pad=0)
    torch.testing.assert_close(low, wave / factor)
    torch.testing.assert_close(high, wave - wave / factor)


def test_a_constant_is_all_smooth(draw):
    image = torch.full((1, 3, 9, 10), 0.3, dtype=torch.float64)
    low, high = tikhonov_split(image)
    torch.testing.assert_close(low, image)
    torch.testing.assert_close(high, torch.zeros_like(image))


def test_the_low_part_solves_the_normal_equations(draw):
    image = draw(1, 1, 6, 8)
    low, _ = tikhonov_split(image, weight=5.0, pad=0)

    def laplacian(z):
        return sum(2 * z - z.roll(1, dim) - z.roll(-1, dim) for dim in (-2, -1))

    torch.testing.assert_close(low + 5.0 * laplacian(low), image)


@pytest.mark.parametrize("shape", [(32, 32), (31, 44), (10, 7)])
@pytest.mark.parametrize(("weight", "pad"), [(5.0, 16), (0.3, 3), (50, 0)])
def test_it_is_sporcos_filter(draw, shape, weight, pad):
    signal = pytest.importorskip("sporco.signal")
    images = draw(2, 3, *shape)
    low, high = tikhonov_split(images, weight=weight, pad=pad)
    for index in range(2):
        theirs = signal.tikhonov_filter(images[index].permute(1, 2, 0).numpy(), weight, npd=pad)
        np.testing.assert_allclose(low[index].permute(1, 2, 0).numpy(), theirs[0], atol=1e-10, rtol=0)
        np.testing.assert_allclose(high[index].permute(1, 2, 0).numpy(), theirs[1], atol=1e-10, rtol=0)


def test_the_mirror_does_not_see_a_flipped_image(draw):
    image = draw(1, 1, 12, 14)
    low, _ = tikhonov_split(image)
    for dims in ((-1,), (-2,)):
        # Differences and mirror images are symmetric, so the split of a flipped image is the flipped split.
        torch.testing.assert_close(tikhonov_split(image.flip(dims))[0], low.flip(dims))


def test_the_parts_sum_to_the_image_and_every_option_matters(draw):
    images = draw(2, 3, 20, 21) * 4 - 2
    low, high = tikhonov_split(images)
    torch.testing.assert_close(low + high, images)
    for options in (dict(weight=1.0), dict(pad=2)):
        assert (tikhonov_split(images, **options)[0] - low).abs().max() > 1e-3, options
    torch.testing.assert_close(tikhonov_split(images, weight=0)[0], images)


def test_an_image_alone_is_the_same_image_in_a_batch(draw):
    images = draw(3, 3, 16, 16)
    together = tikhonov_split(images)
    for index in range(3):
        for part, whole in zip(tikhonov_split(images[index : index + 1]), together, strict=True):
            torch.testing.assert_close(part[0], whole[index], atol=1e-14, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_and_input_are_kept(draw, dtype):
    images = draw(1, 1, 8, 8, dtype=dtype)
    before = images.clone()
    low, high = tikhonov_split(images)
    assert low.dtype == high.dtype == dtype and torch.equal(images, before)


def test_gradients_flow_through(draw):
    images = draw(1, 1, 5, 6).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: tikhonov_split(x, pad=2), (images,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weight=-1), "weight: expected a finite number >= 0"),
        (dict(pad=-1), "pad: expected a finite number >= 0"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        tikhonov_split(draw(1, 1, 4, 4), **options)
