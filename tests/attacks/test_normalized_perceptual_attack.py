"""Algorithm 3.1 with unit gradients: its step, and that it moves where the raw one stands still."""

import pytest
import torch

from blindspots.attacks import normalized_perceptual_attack, perceptual_attack

ONES = torch.ones(1, 4, 4, dtype=torch.float64)
GRAY = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)


def half_square(images, references):
    return 0.5 * (images - references).square().sum(dim=(1, 2, 3))


def test_each_step_is_the_difference_of_unit_vectors(linear_model):
    # Both gradients are parallel to ONES: t grows by step_size / 4 first (no pull yet), then by half of it.
    model, label = linear_model(ONES, -10.0), torch.tensor([0])
    result = normalized_perceptual_attack(model, GRAY, label, half_square, step_size=0.1, weight=0.5, steps=3)
    torch.testing.assert_close(result.images, GRAY + 0.025 + 2 * 0.0125, rtol=0, atol=1e-12)
    free = normalized_perceptual_attack(model, GRAY, label, half_square, step_size=0.1, weight=0.0, steps=3)
    torch.testing.assert_close(free.images, GRAY + 3 * 0.025, rtol=0, atol=1e-12)


def test_it_flips_a_sure_network_that_raw_gradients_leave_alone(linear_model):
    model, label = linear_model(4 * ONES, -48.0), torch.tensor([0])  # the margin is -16, the gradient 1e-7 of its scale
    raw = perceptual_attack(model, GRAY, label, half_square, steps=50)
    unit = normalized_perceptual_attack(model, GRAY, label, half_square, steps=50)
    assert not raw.success.any() and unit.success.all()
    assert unit.gradient_norms[0, 0, 0] < 1e-4


def test_rounding_error_at_the_original_is_no_pull(linear_model):
    def noisy(images, references):
        return half_square(images, references) + 1e-8 * images.cos().sum(dim=(1, 2, 3))

    model, label = linear_model(ONES, -10.0), torch.tensor([0])
    result = normalized_perceptual_attack(model, GRAY, label, noisy, step_size=0.1, weight=0.5, steps=1)
    torch.testing.assert_close(result.images, GRAY + 0.025, rtol=0, atol=1e-12)


def test_a_negative_weight_is_refused(linear_model):
    with pytest.raises(ValueError, match="weight"):
        normalized_perceptual_attack(linear_model(ONES, -1.0), GRAY, torch.tensor([0]), half_square, weight=-1)
