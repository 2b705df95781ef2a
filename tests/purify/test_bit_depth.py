"""Bit depth: the formula, its scale of values and both ends of it."""

import numpy as np
import pytest
import torch

from blindspots.purify import bit_depth, to_eight_bit

LEVELS = torch.arange(256, dtype=torch.float64).view(1, 1, 16, 16) / 255


@pytest.mark.parametrize("bits", range(1, 8))
def test_a_depth_leaves_one_value_more_than_its_power_of_two(bits):
    # Every k / 255 is asked; the scale runs from 0 in steps of r / 255 and ends at white.
    step = 256 / 2**bits
    expected = [min(k * step / 255, 1.0) for k in range(2**bits + 1)]
    np.testing.assert_allclose(torch.unique(bit_depth(LEVELS, bits=bits)).numpy(), expected, atol=1e-12)


def test_black_stays_black_and_white_stays_white():
    for bits in range(1, 9):
        ends = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
        assert torch.equal(bit_depth(ends, bits=bits), ends)


def test_one_bit_by_hand():
    values = torch.tensor([0.0, 63 / 255, 65 / 255, 0.5, 191 / 255, 193 / 255, 1.0], dtype=torch.float64)
    half = 128 / 255
    expected = torch.tensor([0.0, 0.0, half, half, half, 1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(bit_depth(values.view(1, 1, 1, 7), bits=1).flatten(), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bits", [2, 5, 7])
def test_it_is_the_formula_in_numpy_also_on_ties(bits, dtype):
    # Half a step is met exactly on 8-bit images, e.g. at odd levels with 7 bits; both round it to the even one.
    images = LEVELS.to(dtype)
    step = 256 / 2**bits
    expected = np.minimum(np.round(np.round(255 * LEVELS.numpy()) / step) * step / 255, 1.0)
    np.testing.assert_allclose(bit_depth(images, bits=bits).numpy(), expected, atol=1e-6)


def test_eight_bits_are_the_eight_bit_file(draw):
    images = draw(2, 3, 8, 8, dtype=torch.float32)
    assert torch.equal(bit_depth(images, bits=8), to_eight_bit(images))


def test_the_change_is_at_most_half_a_step_and_bits_matter(draw):
    images = draw(2, 3, 8, 8)
    changes = [(bit_depth(images, bits=bits) - images).abs().max().item() for bits in range(1, 9)]
    assert all(change <= 256 / 2**bits / 510 + 1e-12 for bits, change in enumerate(changes, 1))
    assert changes == sorted(changes, reverse=True)


def test_batch_dtype_and_input_are_kept(draw):
    images = draw(3, 1, 5, 6, dtype=torch.float16)
    before = images.clone()
    result = bit_depth(images, bits=4)
    assert result.dtype == torch.float16 and torch.equal(images, before)
    assert torch.equal(result[1:2], bit_depth(images[1:2], bits=4))
    assert not bit_depth(images.requires_grad_(True), bits=4).requires_grad


@pytest.mark.parametrize("bits", [0, 9])
def test_bad_bits_are_named(draw, bits):
    with pytest.raises(ValueError, match=f"bits: expected a finite number >= 1 and <= 8, got {bits}"):
        bit_depth(draw(1, 1, 4, 4), bits=bits)
