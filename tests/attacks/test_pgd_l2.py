"""P0 Eq. 3.5: where it stops, to the step."""

import math

import pytest
import torch

from blindspots.attacks import pgd_l2_until_flipped

ONES = torch.ones(1, 4, 4, dtype=torch.float64)  # norm 4
GRAY = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)  # ONES . GRAY = 8


@pytest.mark.parametrize("offset", [-8.15, -8.33, -9.05])
@pytest.mark.parametrize("confidence", [0, 0.5])
def test_it_stops_at_the_analytic_step_of_a_linear_model(linear_model, offset, confidence):
    # Each step of 0.03 raises the margin 8 + offset by 0.03 * 4 = 0.12.
    expected = math.floor((confidence - (8 + offset)) / 0.12) + 1
    result = pgd_l2_until_flipped(
        linear_model(ONES, offset), GRAY, torch.tensor([0]), step_size=0.03, confidence=confidence
    )
    assert result.steps.item() == expected == result.gradient_evaluations.item()
    assert result.distances.item() == pytest.approx(0.03 * expected)
    torch.testing.assert_close(result.images, GRAY + 0.03 * expected / 4)
    assert result.success.item()


def test_the_margin_must_be_exceeded_not_met(linear_model):
    weight = torch.zeros(1, 4, 4, dtype=torch.float64)
    weight[0, 0, 0] = 1.0
    # Powers of two: the pixel is 0.5, 0.625, 0.75 exactly, and the margin at 0.75 is exactly 0.
    result = pgd_l2_until_flipped(linear_model(weight, -0.75), GRAY, torch.tensor([0]), step_size=0.125)
    assert result.steps.item() == 3 and result.success.item()
    two = pgd_l2_until_flipped(linear_model(weight, -0.75), GRAY, torch.tensor([0]), step_size=0.125, steps=2)
    assert two.steps.item() == 2 and not two.success.item()


def test_the_last_step_is_checked_too(linear_model):
    # Three steps are needed and three are allowed: the loop ends without testing the third.
    options = dict(step_size=0.03, steps=3)
    result = pgd_l2_until_flipped(linear_model(ONES, -8.3), GRAY, torch.tensor([0]), **options)
    assert result.steps.item() == 3 and result.success.item()


def test_misclassified_images_return_unchanged_unless_the_margin_is_too_small(linear_model):
    model, labels = linear_model(ONES, -7.9), torch.tensor([0])
    result = pgd_l2_until_flipped(model, GRAY, labels)
    assert torch.equal(result.images, GRAY) and result.success.item()
    assert result.steps.item() == 0 and result.gradient_evaluations.item() == 0 and not result.stalled.item()
    assert pgd_l2_until_flipped(model, GRAY, labels, confidence=1.0).steps.item() > 0


def test_flipped_images_leave_the_batch(linear_model):
    sizes = []

    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = linear_model(ONES, -8.5)

        def forward(self, images):
            sizes.append(images.shape[0])
            return self.inner(images)

    images = GRAY.repeat(3, 1, 1, 1)
    images[1] += 0.4 / 16
    images[2] += 1.0 / 16
    result = pgd_l2_until_flipped(Counting(), images, torch.tensor([0, 0, 0]), step_size=0.05)
    # Margins -0.5, -0.1 and 0.5; a step gains 0.2.
    assert result.steps.tolist() == [3, 1, 0]
    assert sizes == [3, 2, 1, 1, 3], "batch of each forward pass, the last being the final check of all"


def test_success_is_a_flip_even_below_the_confidence(linear_model):
    result = pgd_l2_until_flipped(
        linear_model(ONES, -8.1), GRAY, torch.tensor([0]), step_size=0.03, steps=2, confidence=5.0
    )
    assert result.steps.item() == 2 and result.success.item()


def test_every_option_changes_the_result(small_network, draw):
    model, images = small_network(), draw(3, 1, 12, 12)
    images[:, :, :6] = images[:, :, :6].round()
    labels = model(images).argmax(1)
    base = pgd_l2_until_flipped(model, images, labels)
    assert base.success.all()
    for options in (dict(step_size=0.05), dict(steps=2), dict(confidence=0.3), dict(clip=False)):
        other = pgd_l2_until_flipped(model, images, labels, **options)
        assert (other.images - base.images).abs().max() > 1e-4, options


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(step_size=0.0), ValueError, "step_size: expected a finite number > 0"),
        (dict(steps=0), ValueError, "steps: expected a finite number >= 1"),
        (dict(confidence=-1.0), ValueError, "confidence: expected a finite number >= 0"),
    ],
)
def test_bad_options_are_named(small_network, draw, options, error, message):
    with pytest.raises(error, match=message):
        pgd_l2_until_flipped(small_network(), draw(1, 1, 12, 12), torch.tensor([0]), **options)
