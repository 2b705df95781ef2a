"""The sharp split: waves known in closed form, the laws of a projection, and its agreement with the Tikhonov split."""

import math

import pytest
import torch

from blindspots.purify import cutoff_split, tikhonov_split


def wave(k, m, height=12, width=10):
    rows, columns = torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64)
    down = torch.cos(math.pi * k * (rows + 0.5) / height)
    return (down[:, None] * torch.cos(math.pi * m * (columns + 0.5) / width))[None, None]


@pytest.mark.parametrize(("k", "m"), [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (3, 3), (11, 9)])
def test_a_wave_goes_where_the_tikhonov_split_puts_most_of_it(k, m):
    picture = wave(k, m)
    soft, _ = tikhonov_split(picture, weight=5.0, pad=0)
    factor = 1 / (1 + 20 * (math.sin(math.pi * k / 24) ** 2 + math.sin(math.pi * m / 20) ** 2))
    low, high = cutoff_split(picture, weight=5.0)
    kept, gone = (low, high) if factor >= 0.5 else (high, low)
    torch.testing.assert_close(kept, picture)
    torch.testing.assert_close(gone, torch.zeros_like(picture), atol=1e-12, rtol=0)
    assert soft.shape == low.shape


def test_the_tikhonov_split_of_a_mirrored_image_has_that_factor():
    # Mirrored all the way round, the image is periodic and the cosine waves are its Fourier waves.
    picture = wave(2, 3)
    mirrored = torch.cat([picture, picture.flip(-1)], dim=-1)
    mirrored = torch.cat([mirrored, mirrored.flip(-2)], dim=-2)
    factor = 1 / (1 + 20 * (math.sin(math.pi * 2 / 24) ** 2 + math.sin(math.pi * 3 / 20) ** 2))
    low, _ = tikhonov_split(mirrored, weight=5.0, pad=0)
    torch.testing.assert_close(low[..., :12, :10], factor * picture)


def test_it_is_an_orthogonal_projection(draw):
    images = draw(3, 2, 9, 14)
    low, high = cutoff_split(images, weight=2.0)
    torch.testing.assert_close(low + high, images)
    torch.testing.assert_close(cutoff_split(low, weight=2.0)[0], low)
    torch.testing.assert_close(cutoff_split(high, weight=2.0)[0], torch.zeros_like(low), atol=1e-12, rtol=0)
    torch.testing.assert_close(low.square().sum() + high.square().sum(), images.square().sum())
    assert 0 < low.square().sum() < images.square().sum()


def test_weight_moves_the_border_and_0_keeps_all(draw):
    images = draw(1, 1, 8, 8)
    energies = [cutoff_split(images, weight=weight)[0].square().sum() for weight in (0.0, 1.0, 5.0, 1e6)]
    assert energies == sorted(energies, reverse=True) and energies[0] > energies[1] > energies[2] > energies[3]
    torch.testing.assert_close(cutoff_split(images, weight=0.0)[0], images)
    constant = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    torch.testing.assert_close(cutoff_split(images, weight=1e6)[0], constant)


def test_the_gradient_is_the_projection_itself(draw):
    images = draw(1, 1, 6, 7).requires_grad_()
    other = draw(1, 1, 6, 7)
    (slope,) = torch.autograd.grad((cutoff_split(images)[0] * other).sum(), images)
    torch.testing.assert_close(slope, cutoff_split(other)[0])


def test_dtype_is_kept_and_a_batch_is_its_images(draw):
    images = draw(4, 3, 8, 8).float()
    low, high = cutoff_split(images)
    assert low.dtype == high.dtype == torch.float32
    torch.testing.assert_close(cutoff_split(images[2:3])[0], low[2:3])


def test_bad_input_is_refused(draw):
    with pytest.raises(ValueError, match="weight: expected"):
        cutoff_split(draw(1, 1, 4, 4), weight=-1.0)
    with pytest.raises(ValueError, match="images"):
        cutoff_split(draw(4, 4))
