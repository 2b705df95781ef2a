"""SSIM against other implementations, its laws and its errors."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from blindspots.perception import ssim, ssim_distance


def pair(draw, noise, *shape, dtype=torch.float64):
    images = draw(*shape)
    return images.to(dtype), (images + 0.1 * noise(*shape)).to(dtype)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("data_range", [1.0, 2.0])
def test_valid_windows_agree_with_scikit_image(draw, noise, channels, data_range):
    images, others = pair(draw, noise, 2, channels, 24, 31)
    for image, other, ours in zip(
        images, others, ssim(images, others, padding="valid", data_range=data_range), strict=True
    ):
        _, whole = structural_similarity(
            image.numpy(), other.numpy(), channel_axis=0, gaussian_weights=True, sigma=1.5, full=True,
            use_sample_covariance=False, data_range=data_range,
        )  # fmt: skip
        # scikit-image truncates the Gaussian at 3.5 deviations, which is the same 11 pixels; it filters separably too.
        np.testing.assert_allclose(ours, whole[:, 5:-5, 5:-5].mean(), rtol=0, atol=1e-12)


def test_valid_windows_agree_with_piq(draw, noise):
    piq = pytest.importorskip("piq")
    images, others = pair(draw, noise, 3, 3, 24, 31)
    others = others.clamp(0, 1)
    theirs = piq.ssim(images, others, downsample=False, reduction="none")
    # piq normalizes its kernel in float32.
    torch.testing.assert_close(ssim(images, others, padding="valid"), theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_it_equals_the_definition_by_convolution(draw, noise, conv_ssim_distance, padding):
    images, others = pair(draw, noise, 2, 3, 14, 17)
    options = dict(padding=padding, window_size=7, sigma=1.1, data_range=1.5)
    expected = torch.stack([conv_ssim_distance(a, b, **options) for a, b in zip(images, others, strict=True)])
    torch.testing.assert_close(ssim_distance(images, others, **options), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(ssim(images, others, **options), 1 - expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_image_is_exactly_identical_to_itself(draw, padding, dtype):
    images = torch.cat([draw(2, 3, 16, 16, dtype=dtype), torch.full((1, 3, 16, 16), 0.7, dtype=dtype)])
    value = ssim(images, images, padding=padding)
    assert value.dtype == dtype
    assert torch.equal(value, torch.ones(3, dtype=dtype))


def test_it_is_symmetric_bounded_and_below_one_for_others(draw, noise):
    images, others = pair(draw, noise, 4, 1, 16, 16)
    torch.testing.assert_close(ssim(images, others), ssim(others, images), rtol=0, atol=1e-15)
    value = ssim(images, 1 - images)
    assert (value < 1).all() and (value >= -1).all()


def test_two_constant_images_have_the_closed_form():
    one = torch.full((1, 1, 16, 16), 0.2, dtype=torch.float64)
    two = torch.full((1, 1, 16, 16), 0.6, dtype=torch.float64)
    expected = (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4)
    # The variances are 0 up to 1e-17, set against C2 = 9e-4.
    assert ssim(one, two, padding="valid").item() == pytest.approx(expected, abs=1e-12)


def test_a_batch_of_one_gives_the_value_it_has_in_a_batch(draw, noise):
    images, others = pair(draw, noise, 5, 3, 16, 19)
    together = ssim(images, others)
    for index in range(5):
        torch.testing.assert_close(ssim(images[index : index + 1], others[index : index + 1])[0], together[index])


def test_same_windows_take_images_smaller_than_the_window(draw, noise, conv_ssim_distance):
    images, others = pair(draw, noise, 1, 1, 4, 6)
    expected = conv_ssim_distance(images[0], others[0])
    torch.testing.assert_close(ssim_distance(images, others)[0], expected, rtol=0, atol=1e-13)


def test_values_outside_the_unit_range_are_fine(noise, conv_ssim_distance):
    images, others = 3 * noise(1, 1, 16, 16), 3 * noise(1, 1, 16, 16, seed=5)
    torch.testing.assert_close(ssim_distance(images, others)[0], conv_ssim_distance(images[0], others[0]))


def test_huge_single_precision_values_keep_their_digits(noise):
    images = 1e4 + noise(1, 1, 16, 16)
    others = images + 0.1 * noise(1, 1, 16, 16, seed=3)
    single = ssim(images.float(), others.float())
    assert single.dtype == torch.float32
    # The inputs round to 1e-3 at 1e4; the arithmetic itself must add nothing to that.
    torch.testing.assert_close(single, ssim(images.float().double(), others.float().double()).float())
    assert torch.isfinite(ssim(torch.full((1, 1, 12, 12), 1e30), torch.full((1, 1, 12, 12), -1e30))).all()


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_gradients_are_those_of_finite_differences(draw, noise, padding):
    images, others = pair(draw, noise, 1, 2, 6, 7)
    images.requires_grad_(True)
    others.requires_grad_(True)
    options = dict(window_size=5, padding=padding)
    with torch.random.fork_rng(devices=[]):  # gradcheck draws directions from the global generator
        assert torch.autograd.gradcheck(lambda a, b: ssim(a, b, **options), (images, others))
        assert torch.autograd.gradgradcheck(lambda a, b: ssim(a, b, **options), (images, others))


def test_every_option_changes_the_value(draw, noise):
    images, others = pair(draw, noise, 1, 1, 20, 20)
    base = ssim(images, others)
    for options in (dict(window_size=7), dict(sigma=2.0), dict(data_range=2.0), dict(padding="valid")):
        assert (ssim(images, others, **options) - base).abs() > 1e-4, options


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.zeros(1, 16, 16), ValueError, r"images: expected shape \(N, C, H, W\), got \(1, 16, 16\)"),
        (torch.zeros(0, 1, 16, 16), ValueError, "images: expected at least one image"),
        (torch.full((1, 1, 16, 16), float("nan")), ValueError, "images: expected finite values"),
        (torch.zeros(1, 1, 16, 16, dtype=torch.uint8), TypeError, "images: expected a float tensor, got torch.uint8"),
        (torch.zeros(1, 1, 8, 16), ValueError, "images: expected sides of at least 11 pixels, got 8x16"),
    ],
)
def test_bad_images_are_named(images, error, message):
    with pytest.raises(error, match=message):
        ssim(images, torch.zeros(1, 1, 16, 16), padding="valid")


def test_mismatched_references_are_named():
    images = torch.zeros(2, 1, 16, 16)
    with pytest.raises(ValueError, match=r"references: expected the shape of images \(2, 1, 16, 16\)"):
        ssim(images, images[:1])
    with pytest.raises(ValueError, match=r"references: expected the dtype of images"):
        ssim(images, images.double())
    with pytest.raises(ValueError, match="data_range: expected a finite number > 0"):
        ssim(images, images, data_range=0.0)
