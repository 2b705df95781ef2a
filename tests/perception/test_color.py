"""CIELAB and CIEDE2000 against scikit-image and the published test pairs."""

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from blindspots.perception.color import ciede2000, rgb_to_lab

# Pairs from Sharma, Wu and Dalal (2005), Table 1: blue hues, gray, opposite hues, large and small differences.
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0010), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def pixels(*colors):
    return torch.tensor(colors, dtype=torch.float64)[:, :, None, None]


def lab_noise(noise, seed):
    scale = torch.tensor([15.0, 40.0, 40.0], dtype=torch.float64).view(1, 3, 1, 1)
    return torch.tensor([50.0, 0.0, 0.0]).view(1, 3, 1, 1) + scale * noise(4, 3, 16, 16, seed=seed)


@pytest.mark.parametrize(("first", "second", "expected"), PUBLISHED)
def test_published_pairs_to_their_four_digits(first, second, expected):
    assert ciede2000(pixels(first), pixels(second)).item() == pytest.approx(expected, abs=5.1e-5)


def test_lab_is_that_of_scikit_image(draw):
    images = draw(3, 3, 16, 20)
    expected = rgb2lab(images.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(rgb_to_lab(images).permute(0, 2, 3, 1).numpy(), expected, rtol=0, atol=1e-4)
    # scikit-image rounds the two constants of the linear part, 0.008856 and 7.787; ours meets the root exactly.


def test_differences_are_those_of_scikit_image(noise):
    first, second = lab_noise(noise, 1), lab_noise(noise, 2)
    expected = deltaE_ciede2000(first.permute(0, 2, 3, 1).numpy(), second.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(ciede2000(first, second).numpy(), expected, rtol=0, atol=1e-9)


def test_identity_symmetry_and_positivity(noise):
    first, second = lab_noise(noise, 1), lab_noise(noise, 2)
    there, back = ciede2000(first, second), ciede2000(second, first)
    torch.testing.assert_close(there, back, rtol=0, atol=1e-10)
    assert ciede2000(first, first).abs().max() == 0 and there.min() > 0


def test_gradients_are_those_of_finite_differences(noise):
    images, others = (0.5 + 0.4 * torch.tanh(noise(1, 3, 4, 6, seed=seed)) for seed in (1, 2))
    lab = rgb_to_lab(others)
    assert torch.autograd.gradcheck(lambda batch: ciede2000(rgb_to_lab(batch), lab), images.requires_grad_(True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_gradients_are_finite_at_equality_and_at_gray(dtype, level):
    images = torch.full((1, 3, 3, 3), level, dtype=dtype).requires_grad_(True)
    lab = rgb_to_lab(images)
    for other in (lab.detach(), torch.zeros_like(lab), torch.full_like(lab, 30.0)):
        (gradient,) = torch.autograd.grad(ciede2000(lab, other).sum(), images, retain_graph=True)
        assert torch.isfinite(gradient).all()
    gray = torch.zeros(1, 3, 2, 2, dtype=dtype).requires_grad_(True)
    for other in (torch.zeros(1, 3, 2, 2, dtype=dtype), torch.full((1, 3, 2, 2), 20.0, dtype=dtype)):
        (gradient,) = torch.autograd.grad(ciede2000(gray, other).sum(), gray)
        assert torch.isfinite(gradient).all()


def test_single_precision_resolves_a_barely_different_color(draw):
    images = 0.2 + 0.6 * draw(1, 3, 8, 8)
    changed = images + 1e-3
    exact = ciede2000(rgb_to_lab(images), rgb_to_lab(changed))
    rounded = ciede2000(rgb_to_lab(images.float()), rgb_to_lab(changed.float()))
    assert rounded.dtype == torch.float32
    # Lab in float32 carries 1e-5 or so; the difference here is about 0.1.
    torch.testing.assert_close(rounded.double(), exact, rtol=0, atol=1e-3)


def test_bad_shapes_are_named(draw):
    with pytest.raises(ValueError, match=r"images: expected 3 color channels.*repeat a gray channel"):
        rgb_to_lab(draw(1, 1, 4, 4))
    with pytest.raises(ValueError, match="lab_b: expected the shape of lab_a"):
        ciede2000(draw(1, 3, 4, 4), draw(2, 3, 4, 4))
    with pytest.raises(TypeError, match="images: expected a float tensor"):
        rgb_to_lab(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
