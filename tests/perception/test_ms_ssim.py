"""MS-SSIM against piq, by its definition at one scale, its laws and its errors."""

import pytest
import torch

from blindspots.perception import MultiScaleSSIMDistance, ms_ssim_distance, ssim_distance


def pair(draw, noise, *shape, dtype=torch.float64):
    images = draw(*shape)
    return images.to(dtype), (images + 0.1 * noise(*shape)).clamp(0, 1).to(dtype)


@pytest.mark.parametrize("sides", [(161, 176), (163, 201)])
def test_it_agrees_with_piq(draw, noise, sides):
    piq = pytest.importorskip("piq")
    images, others = pair(draw, noise, 2, 3, *sides)
    theirs = piq.multi_scale_ssim(images, others, reduction="none")
    # piq normalizes its kernel in float32.
    torch.testing.assert_close(1 - ms_ssim_distance(images, others), theirs, rtol=0, atol=1e-6)


def test_custom_weights_and_windows_agree_with_piq(draw, noise):
    piq = pytest.importorskip("piq")
    images, others = pair(draw, noise, 2, 1, 30, 33)
    weights = [1.0, 3.0, 2.0]
    theirs = piq.multi_scale_ssim(
        images, others, kernel_size=7, kernel_sigma=1.1, reduction="none",
        scale_weights=torch.tensor(weights, dtype=torch.float64),
    )  # fmt: skip
    ours = ms_ssim_distance(images, others, window_size=7, sigma=1.1, scale_weights=weights)
    torch.testing.assert_close(1 - ours, theirs, rtol=0, atol=1e-6)


def test_one_scale_is_ssim(draw, noise):
    images, others = pair(draw, noise, 3, 2, 14, 17)
    torch.testing.assert_close(
        ms_ssim_distance(images, others, scale_weights=[2.0]), ssim_distance(images, others, padding="valid")
    )


def test_it_obeys_the_contract(draw, noise, obeys_the_contract):
    images, others = pair(draw, noise, 3, 2, 44, 41)
    distance = MultiScaleSSIMDistance(scale_weights=[0.2, 0.3, 0.5])
    assert distance.min_side == 41
    obeys_the_contract(distance, images, others, tolerance=1e-12)
    single = MultiScaleSSIMDistance(scale_weights=[0.2, 0.3, 0.5])(images.float(), others.float())
    torch.testing.assert_close(single.double(), distance(images, others), rtol=0, atol=1e-5)


def test_identical_images_are_at_zero_and_negatives_stay_finite(draw):
    images = draw(2, 1, 24, 24)
    options = dict(window_size=5, scale_weights=[0.5, 0.5])
    assert torch.equal(ms_ssim_distance(images, images, **options), torch.zeros(2, dtype=torch.float64))
    leaf = (1 - images).requires_grad_(True)
    distances = ms_ssim_distance(leaf, images, **options)
    (gradient,) = torch.autograd.grad(distances.sum(), leaf)
    torch.testing.assert_close(distances, torch.ones(2, dtype=torch.float64))
    assert torch.isfinite(gradient).all()


def test_values_outside_the_unit_range_are_fine(noise):
    images, others = 3 * noise(1, 1, 24, 24), 3 * noise(1, 1, 24, 24, seed=5)
    assert torch.isfinite(ms_ssim_distance(images, others, window_size=5, scale_weights=[0.5, 0.5])).all()


def test_every_option_changes_the_value(draw, noise):
    images, others = pair(draw, noise, 1, 1, 44, 44)
    base = ms_ssim_distance(images, others, scale_weights=[0.5, 0.5])
    for options in (dict(window_size=7), dict(sigma=2.0), dict(data_range=2.0), dict(scale_weights=[0.9, 0.1])):
        options = dict(scale_weights=[0.5, 0.5]) | options
        assert (ms_ssim_distance(images, others, **options) - base).abs() > 1e-5, options


def test_bad_arguments_are_named():
    images = torch.zeros(1, 1, 160, 200)
    with pytest.raises(ValueError, match="images: expected sides of at least 161 pixels for 5 scales, got 160x200"):
        ms_ssim_distance(images, images)
    with pytest.raises(ValueError, match="scale_weights: expected at least one weight"):
        ms_ssim_distance(images, images, scale_weights=[])
    with pytest.raises(ValueError, match="scale_weights: expected a finite number > 0"):
        ms_ssim_distance(images, images, scale_weights=[0.5, -0.5])
