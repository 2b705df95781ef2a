"""Lab and CIEDE2000 against published pairs, scikit-image, their laws and their errors."""

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from blindspots.perception import ciede2000, ciede2000_distance, rgb_to_lab

# Pairs of the test data of Sharma, Wu and Dalal (2005), Table 1: they visit every branch of the formula.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
    ((50, -0.0010, 2.4900), (50, 0.0009, -2.4900), 4.8045),
    ((50, -0.0010, 2.4900), (50, 0.0011, -2.4900), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
]


def pixels(colors):
    return torch.tensor(colors, dtype=torch.float64).T[None, :, :, None].contiguous()


def channels_last(maps):
    return maps.permute(0, 2, 3, 1).numpy()


def test_published_pairs_have_their_published_difference():
    first, second = pixels([pair[0] for pair in SHARMA]), pixels([pair[1] for pair in SHARMA])
    expected = torch.tensor([pair[2] for pair in SHARMA], dtype=torch.float64)
    # The table is printed with four decimals.
    torch.testing.assert_close(ciede2000(first, second)[0, :, 0], expected, rtol=0, atol=6e-5)
    torch.testing.assert_close(ciede2000(second, first)[0, :, 0], expected, rtol=0, atol=6e-5)


def test_lab_agrees_with_scikit_image(draw):
    images = draw(3, 3, 9, 11)
    images[0, :, 0] = 0.02  # the straight piece of both curves
    # scikit-image rounds the corner (6 / 29)^3 to 0.008856 and its slope to 7.787.
    np.testing.assert_allclose(
        channels_last(rgb_to_lab(images)), rgb2lab(channels_last(images)), rtol=0, atol=2e-3
    )


def test_black_white_and_gray_are_where_they_belong():
    values = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64).expand(1, 3, 1, 3)
    lab = rgb_to_lab(values)[0, :, 0]
    torch.testing.assert_close(lab[0], torch.tensor([0.0, 53.3890, 100.0], dtype=torch.float64), rtol=0, atol=1e-3)
    # The matrix sums to 1.088754 in Z, the white point is 1.08883: white is off by 0.005 in b*.
    torch.testing.assert_close(lab[1:], torch.zeros(2, 3, dtype=torch.float64), rtol=0, atol=1e-2)


def test_differences_agree_with_scikit_image(draw, noise):
    lab_a = torch.cat([50 + 20 * noise(2, 1, 30, 30), 60 * noise(2, 2, 30, 30, seed=2)], dim=1)
    lab_b = lab_a + 8 * noise(2, 3, 30, 30, seed=3)
    lab_b[:, 1:, 0] = 0.0  # grays
    lab_a[:, 1:, 1] = 0.0
    expected = deltaE_ciede2000(channels_last(lab_a), channels_last(lab_b))
    np.testing.assert_allclose(ciede2000(lab_a, lab_b), expected, rtol=1e-9, atol=1e-9)


def test_equal_colors_differ_by_exactly_zero_and_have_a_zero_gradient(draw):
    images = draw(2, 3, 6, 6).requires_grad_(True)
    lab = rgb_to_lab(images)
    difference = ciede2000(lab, lab.detach())
    assert torch.equal(difference, torch.zeros_like(difference))
    (gradient,) = torch.autograd.grad(difference.sum(), images)
    assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", ["l2", "mean"])
def test_gradients_are_finite_at_grays_blacks_and_whites(noise, value, dtype, reduction):
    images = torch.full((1, 3, 8, 8), value, dtype=dtype)
    images[..., 4:] += 0.2 * noise(1, 3, 8, 4, dtype=dtype)
    for references in (images.clone(), torch.full_like(images, value), images + 0.1):
        leaf = images.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(ciede2000_distance(leaf, references, reduction=reduction).sum(), leaf)
        assert torch.isfinite(gradient).all()


def test_gradients_are_those_of_finite_differences(noise):
    # Away from grays, where hue turns within a step of finite differences.
    images = (0.5 + 0.15 * noise(1, 3, 3, 4, seed=4)).clamp(0.1, 0.9).requires_grad_(True)
    others = (0.5 + 0.2 * noise(1, 3, 3, 4)).clamp(0.1, 0.9)
    with torch.random.fork_rng(devices=[]):  # gradcheck draws directions from the global generator
        for reduction in ("l2", "mean"):
            assert torch.autograd.gradcheck(
                lambda a, reduction=reduction: ciede2000_distance(a, others, reduction=reduction), (images,)
            )


def test_the_distances_are_the_norm_and_the_mean_of_the_map(draw, noise):
    images = draw(3, 3, 7, 5)
    others = (images + 0.05 * noise(3, 3, 7, 5)).clamp(0, 1)
    maps = ciede2000(rgb_to_lab(images), rgb_to_lab(others))
    torch.testing.assert_close(ciede2000_distance(images, others), maps.flatten(1).norm(dim=1))
    torch.testing.assert_close(ciede2000_distance(images, others, reduction="mean"), maps.mean(dim=(1, 2)))


def test_dtype_is_kept_and_a_batch_of_one_gives_its_value_in_a_batch(draw, noise):
    images = draw(4, 3, 7, 5)
    others = (images + 0.05 * noise(4, 3, 7, 5)).clamp(0, 1)
    together = ciede2000_distance(images, others)
    for index in range(4):
        alone = ciede2000_distance(images[index : index + 1], others[index : index + 1])
        torch.testing.assert_close(alone[0], together[index])
    single = ciede2000_distance(images.float(), others.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), together, rtol=1e-3, atol=0)


def test_values_outside_the_unit_range_stay_finite(noise):
    images = (3 * noise(1, 3, 6, 6)).requires_grad_(True)
    distance = ciede2000_distance(images, torch.zeros_like(images))
    (gradient,) = torch.autograd.grad(distance.sum(), images)
    assert torch.isfinite(distance).all() and torch.isfinite(gradient).all()


def test_bad_arguments_are_named():
    images = torch.zeros(1, 3, 4, 4)
    with pytest.raises(ValueError, match=r"images: expected three channels .* got 1; repeat a gray channel"):
        rgb_to_lab(images[:, :1])
    with pytest.raises(ValueError, match="lab_b: expected the shape of lab_a"):
        ciede2000(images, images[..., :2])
    with pytest.raises(ValueError, match="references: expected the shape of images"):
        ciede2000_distance(images, images[..., :2])
    with pytest.raises(ValueError, match="reduction: expected one of l2, mean; got 'sum'"):
        ciede2000_distance(images, images, reduction="sum")
