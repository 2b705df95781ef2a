"""Rounding to 8 bits: exact levels, in every precision."""

import pytest
import torch

from blindspots.purify import to_eight_bit

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
LEVELS = torch.arange(256, dtype=torch.float64).view(1, 1, 16, 16) / 255


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_256_levels_stay_as_they_are(dtype):
    levels = LEVELS.to(dtype)
    assert torch.equal(to_eight_bit(levels), levels) and to_eight_bit(levels).dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_go_to_the_nearest_level(dtype, draw):
    images = draw(2, 3, 9, 7, dtype=dtype)
    rounded = to_eight_bit(images)
    assert (rounded - images).abs().max() <= 1 / 510 + 1e-7
    assert torch.equal(torch.unique(to_eight_bit((LEVELS + 0.49 / 255).clamp(0, 1))), LEVELS.flatten())


def test_what_is_below_half_a_level_is_lost_and_what_is_above_is_not(draw):
    levels = to_eight_bit(draw(1, 3, 8, 8)).clamp(1 / 255, 254 / 255)
    assert torch.equal(to_eight_bit(levels + 0.49 / 255), levels)
    assert not torch.isclose(to_eight_bit(levels + 0.51 / 255), levels).any()


def test_twice_is_once_and_the_input_is_left_alone(draw):
    images = draw(2, 1, 6, 6)
    before = images.clone()
    once = to_eight_bit(images)
    assert torch.equal(to_eight_bit(once), once) and torch.equal(images, before)
    assert not to_eight_bit(images.requires_grad_(True)).requires_grad


def test_images_are_checked():
    with pytest.raises(ValueError, match=r"images: expected values in \[0, 1\]"):
        to_eight_bit(torch.full((1, 1, 2, 2), 200.0))
