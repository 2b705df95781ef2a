"""Saliency maps find what stands out, equal plain loops, and their distances are the table's columns."""

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from blindspots.perception import saliency_distances, saliency_map, ssim_distance

METHODS = ["spectral_residual", "fine_grained"]


@pytest.fixture
def odd_one_out(noise):
    """Texture of equal strength everywhere, with one bright disk; and whether a pixel belongs to the disk."""
    rows, columns = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    disk = (rows - 30) ** 2 + (columns - 90) ** 2 <= 36
    images = 0.4 + 0.02 * noise(1, 3, 96, 128)
    images[:, :, disk] += 0.4
    return images, disk


@pytest.mark.parametrize("method", METHODS)
def test_what_differs_from_everything_else_is_salient(odd_one_out, method):
    images, disk = odd_one_out
    maps = saliency_map(images, method=method)
    assert maps.shape == (1, 96, 128)
    assert maps.amin() == 0 and maps.amax() == 1
    assert maps[0][disk].mean() > 3 * maps[0][~disk].mean()
    assert disk.nonzero().double().mean(0).sub((maps[0] > 0.6).nonzero().double().mean(0)).abs().max() < 8


def test_spectral_residual_equals_a_plain_computation_on_a_64_pixel_image(noise):
    image = 0.5 + 0.1 * noise(1, 1, 48, 64)
    spectrum = np.fft.fft2(image[0, 0].numpy())
    log = np.log(np.abs(spectrum))
    residual = log - uniform_filter(log, 3, mode="wrap")
    response = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    offsets = np.arange(-5, 6)
    line = np.exp(-(offsets**2) / (2 * 2.5**2))

    def smooth(maps):
        total = np.zeros_like(maps)
        padded, weight = np.pad(maps, 5), np.pad(np.ones_like(maps), 5)
        share = np.zeros_like(maps)
        for i, a in enumerate(line):
            for j, b in enumerate(line):
                total += a * b * padded[i : i + 48, j : j + 64]
                share += a * b * weight[i : i + 48, j : j + 64]
        return total / share

    expected = smooth(response)
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    np.testing.assert_allclose(saliency_map(image)[0], expected, rtol=0, atol=1e-9)


def test_fine_grained_equals_plain_loops(noise):
    image = 0.5 + 0.1 * noise(1, 1, 15, 18)
    gray = image[0, 0].numpy()
    on, off = np.zeros_like(gray), np.zeros_like(gray)
    for reach in (12, 24, 28, 48, 56, 112):
        for row in range(15):
            for column in range(18):
                near = gray[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
                difference = gray[row, column] - near.mean()
                on[row, column] += max(difference, 0)
                off[row, column] += max(-difference, 0)
    expected = on / on.max() + off / off.max()
    expected = (expected - expected.min()) / (expected.max() - expected.min())
    np.testing.assert_allclose(saliency_map(image, method="fine_grained")[0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_images_are_mapped_one_by_one_and_left_as_they_were(draw, method):
    images = draw(3, 3, 31, 40)
    before = images.clone()
    maps = saliency_map(images, method=method)
    torch.testing.assert_close(saliency_map(images[1:2], method=method)[0], maps[1], rtol=0, atol=1e-9)
    assert torch.equal(images, before)
    single = saliency_map(images.float(), method=method)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), maps, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_an_image_without_contrast_has_no_saliency(method, value):
    maps = saliency_map(torch.full((2, 3, 20, 30), value), method=method)
    assert torch.equal(maps, torch.zeros(2, 20, 30))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sides", [(1, 1), (3, 200), (28, 28), (200, 3)])
def test_every_size_gives_a_finite_map(noise, method, sides):
    maps = saliency_map(noise(1, 1, *sides), method=method)
    assert maps.shape == (1, *sides) and torch.isfinite(maps).all() and maps.amin() >= 0 and maps.amax() <= 1


def test_a_gray_image_is_its_three_equal_channels(draw):
    images = draw(1, 1, 30, 30)
    torch.testing.assert_close(saliency_map(images), saliency_map(images.repeat(1, 3, 1, 1)), rtol=0, atol=1e-9)


def test_distances_are_those_of_the_table(draw):
    maps_a, maps_b = draw(2, 1, 12, 15)[:, 0], draw(2, 1, 12, 15, seed=4)[:, 0]
    distances = saliency_distances(maps_a, maps_b)
    difference = (maps_a - maps_b).abs()
    torch.testing.assert_close(distances.l1, difference.sum((1, 2)))
    torch.testing.assert_close(distances.l2, difference.square().sum((1, 2)).sqrt())
    torch.testing.assert_close(distances.linf, difference.amax((1, 2)))
    torch.testing.assert_close(distances.ssim, ssim_distance(maps_a[:, None], maps_b[:, None]))
    same = saliency_distances(maps_a, maps_a)
    for value in (same.l1, same.l2, same.linf, same.ssim):
        assert torch.equal(value, torch.zeros(2, dtype=torch.float64))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="method: expected one of spectral_residual, fine_grained; got 'egnet'"):
        saliency_map(torch.zeros(1, 3, 8, 8), method="egnet")
    with pytest.raises(ValueError, match=r"images: expected 3 channels or 1 \(gray\), got 2"):
        saliency_map(torch.zeros(1, 2, 8, 8))
    with pytest.raises(ValueError, match=r"maps_b: expected shape \(N, H, W\), got \(1, 1, 8, 8\)"):
        saliency_distances(torch.zeros(1, 8, 8), torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="maps_b: expected the shape of maps_a"):
        saliency_distances(torch.zeros(1, 8, 8), torch.zeros(1, 8, 9))
