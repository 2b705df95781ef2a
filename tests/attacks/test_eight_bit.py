"""Rounding to the levels of a picture."""

import pytest
import torch

from blindspots.attacks import round_to_eight_bits


def test_levels_stay_and_others_move_by_half_a_level_at_most(draw):
    levels = (torch.arange(256, dtype=torch.float64) / 255).view(1, 1, 16, 16)
    assert torch.equal(round_to_eight_bits(levels), levels)
    images = draw(2, 3, 8, 8)
    rounded = round_to_eight_bits(images)
    assert (rounded - images).abs().max() <= 0.5 / 255 + 1e-15
    assert torch.equal(rounded, torch.from_numpy((255 * images.numpy()).round() / 255))


def test_values_outside_the_range_are_clamped():
    images = torch.tensor([-0.2, 1.3]).view(1, 1, 1, 2)
    assert round_to_eight_bits(images).flatten().tolist() == [0.0, 1.0]


def test_bytes_are_refused():
    with pytest.raises(TypeError, match="images: expected a float tensor"):
        round_to_eight_bits(torch.zeros(1, 1, 2, 2, dtype=torch.uint8))
