"""Wavelet denoising: Haar coefficients by hand, BayesShrink's two cases, and scikit-image."""

import math

import numpy as np
import pytest
import torch

from blindspots.purify import wavelet_denoise
from blindspots.purify.wavelet import _halves, _joined


def by_definition(pixels, sigma, levels):
    """Return the same for one channel, with the transform as a matrix on each axis."""
    pixels = np.array(pixels)
    if levels == 0:
        return pixels
    rows, columns = pixels.shape

    def analysis(n):
        m = (n + 1) // 2
        matrix = np.zeros((2 * m, n))
        for k in range(m):
            first, second = 2 * k, min(2 * k + 1, n - 1)
            matrix[k, first] += 1 / math.sqrt(2)
            matrix[k, second] += 1 / math.sqrt(2)
            matrix[m + k, first] += 1 / math.sqrt(2)
            matrix[m + k, second] -= 1 / math.sqrt(2)
        return matrix

    down, across = analysis(rows), analysis(columns)
    bands = down @ pixels @ across.T
    h, w = down.shape[0] // 2, across.shape[0] // 2
    for band in (bands[:h, w:], bands[h:, :w], bands[h:, w:]):
        signal = np.mean(band**2) - sigma**2
        threshold = sigma**2 / math.sqrt(signal) if signal > 0 else np.inf
        band[:] = np.sign(band) * np.maximum(abs(band) - threshold, 0)
    bands[:h, :w] = by_definition(bands[:h, :w], sigma, levels - 1)

    def synthesis(n):
        m = (n + 1) // 2
        matrix = np.zeros((n, 2 * m))
        for i in range(n):
            matrix[i, i // 2] = 1 / math.sqrt(2)
            matrix[i, m + i // 2] = (1 if i % 2 == 0 else -1) / math.sqrt(2)
        return matrix

    return synthesis(rows) @ bands @ synthesis(columns).T


def test_pairs_become_sums_and_differences_and_back():
    line = torch.tensor([[[3.0, 1.0, 5.0, 5.0, 2.0]]], dtype=torch.float64)
    sums, differences = _halves(line, -1)
    torch.testing.assert_close(sums * 2**0.5, torch.tensor([[[4.0, 10.0, 4.0]]], dtype=torch.float64))
    torch.testing.assert_close(differences * 2**0.5, torch.tensor([[[2.0, 0.0, 0.0]]], dtype=torch.float64))
    torch.testing.assert_close(_joined(sums, differences, -1, 5), line)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_noise_nothing_changes(draw, channels):
    images = draw(2, channels, 33, 46)
    torch.testing.assert_close(wavelet_denoise(images, sigma=0), images, atol=1e-12, rtol=0)


def test_a_checkerboard_below_the_noise_is_leveled_and_one_above_is_shrunk():
    board = torch.ones(8, 8, dtype=torch.float64)
    board[::2, 1::2], board[1::2, ::2] = -1, -1
    # A checkerboard of amplitude a has only diagonal details on the finest level, all of size 2 a.
    faint = (0.5 + 0.01 * board)[None, None]
    torch.testing.assert_close(wavelet_denoise(faint, sigma=0.02), torch.full_like(faint, 0.5))
    strong = (0.5 + 0.1 * board)[None, None]
    threshold = 0.04**2 / math.sqrt(0.2**2 - 0.04**2)
    expected = (0.5 + (0.1 - threshold / 2) * board)[None, None]
    torch.testing.assert_close(wavelet_denoise(strong, sigma=0.04), expected)


@pytest.mark.parametrize(("height", "width", "levels"), [(8, 8, 1), (16, 31, 1), (32, 45, 2), (67, 64, 3), (3, 5, 1)])
def test_it_is_the_definition_on_every_size(draw, height, width, levels):
    image = draw(1, 1, height, width)
    image[..., : width // 2] = 0.5 + 0.1 * image[..., : width // 2]
    expected = by_definition(image[0, 0].numpy(), 0.08, levels)
    np.testing.assert_allclose(wavelet_denoise(image, sigma=0.08)[0, 0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("units", ["span", "image"])
def test_color_is_denoised_in_luma_and_chroma(photograph, units):
    color = pytest.importorskip("skimage.color")
    image = photograph(40)
    pixels = color.rgb2ycbcr(image[0].permute(1, 2, 0).numpy())
    matrix = color.colorconv.ycbcr_from_rgb
    for i in range(3):
        span = np.linalg.norm(matrix[i]) if units == "image" else np.ptp(pixels[..., i])
        pixels[..., i] = by_definition(pixels[..., i], 0.04 * span, 2)
    expected = torch.tensor(color.ycbcr2rgb(pixels)).permute(2, 0, 1)
    ours = wavelet_denoise(image, sigma=0.04, sigma_units=units)[0]
    torch.testing.assert_close(ours, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("side", [64, 75])
def test_it_is_scikit_images_denoiser(photograph, side):
    pytest.importorskip("pywt")
    restoration = pytest.importorskip("skimage.restoration")
    image = photograph(side)
    expected = restoration.denoise_wavelet(
        image[0].permute(1, 2, 0).numpy(), sigma=0.04, mode="soft", method="BayesShrink", convert2ycbcr=True,
        rescale_sigma=True, channel_axis=-1,
    )  # fmt: skip
    ours = wavelet_denoise(image, sigma_units="image")[0].permute(1, 2, 0)
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-6)


def test_noise_is_reduced_and_every_option_matters(photograph):
    clean = photograph(64)
    noise = 0.08 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noisy = (clean + noise).clamp(0, 1)
    base = wavelet_denoise(noisy, sigma=0.08, sigma_units="image")
    assert (base - clean).norm() < 0.8 * (noisy - clean).norm()
    for options in (dict(sigma=0.04, sigma_units="image"), dict(sigma=0.08, sigma_units="span")):
        assert (wavelet_denoise(noisy, **options) - base).abs().max() > 1e-3, options


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_an_image_alone_is_the_same_image_in_a_batch_in_every_dtype(draw, dtype):
    images = draw(3, 3, 20, 24, dtype=dtype)
    before = images.clone()
    together = wavelet_denoise(images)
    assert together.dtype == dtype and torch.equal(images, before)
    torch.testing.assert_close(wavelet_denoise(images[1:2])[0], together[1], rtol=0, atol=1e-6)


def test_bad_options_are_named(draw):
    with pytest.raises(ValueError, match="sigma: expected a finite number >= 0"):
        wavelet_denoise(draw(1, 1, 8, 8), sigma=-0.1)
    with pytest.raises(ValueError, match="sigma_units: expected one of span, image; got 'grey levels'"):
        wavelet_denoise(draw(1, 1, 8, 8), sigma_units="grey levels")
