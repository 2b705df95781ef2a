"""The object form of the SSIM distance has the function's values and keeps the references' moments."""

import pytest
import torch

from blindspots.perception import SSIMDistance, ssim_distance


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_it_equals_the_function_in_both_forms(draw, noise, obeys_the_contract, padding):
    images = draw(4, 3, 16, 19)
    references = images + 0.1 * noise(4, 3, 16, 19)
    options = dict(window_size=7, sigma=1.2, data_range=1.5, padding=padding)
    distance = SSIMDistance(**options)
    torch.testing.assert_close(
        distance(images, references), ssim_distance(images, references, **options), rtol=0, atol=1e-14
    )
    obeys_the_contract(distance, images, references, tolerance=1e-13)


def test_identical_images_are_at_exactly_zero_with_a_zero_gradient(draw):
    images = draw(3, 2, 12, 12, dtype=torch.float32)
    prepared = SSIMDistance().prepare(images)
    leaf = images.clone().requires_grad_(True)
    distances = prepared(leaf)
    assert torch.equal(distances, torch.zeros(3))
    (gradient,) = torch.autograd.grad(distances.sum(), leaf)
    # Where images are black, a quotient of 1e-4 divides the rounding of the gradient.
    assert gradient.abs().amax() < 1e-5


def test_gradients_are_those_of_finite_differences(draw, noise):
    images = draw(1, 2, 6, 7).requires_grad_(True)
    prepared = SSIMDistance(window_size=5).prepare(noise(1, 2, 6, 7))
    with torch.random.fork_rng(devices=[]):  # gradcheck draws directions from the global generator
        assert torch.autograd.gradcheck(prepared, (images,))


def test_one_side_far_outside_the_range_is_compared_in_the_wider_dtype(draw):
    images = draw(1, 1, 12, 12, dtype=torch.float32)
    references = 1e4 + images
    expected = ssim_distance(images, references)
    torch.testing.assert_close(SSIMDistance()(images, references), expected)
    torch.testing.assert_close(SSIMDistance().prepare(references)(images), expected)


def test_options_are_checked_when_it_is_made():
    with pytest.raises(ValueError, match="window_size: expected an odd number"):
        SSIMDistance(window_size=8)
    with pytest.raises(ValueError, match="data_range: expected a finite number > 0"):
        SSIMDistance(data_range=0.0)
    with pytest.raises(ValueError, match="references: expected sides of at least 11 pixels"):
        SSIMDistance(padding="valid").prepare(torch.zeros(1, 1, 8, 8))
