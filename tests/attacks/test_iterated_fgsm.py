"""The steps to the boundary of a linear model are known; so is the way there."""

import math

import pytest
import torch

from blindspots.attacks import iterated_fgsm, pgd_l2_until_flipped, standard_attack

ONES = torch.ones(1, 4, 4, dtype=torch.float64)
GRAY = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64)  # ONES . GRAY = 8
LABEL = torch.tensor([0])


@pytest.mark.parametrize("offset", [-8.15, -8.33, -9.05])
@pytest.mark.parametrize(("norm", "gain"), [("linf", 16.0), ("l2", 4.0)])
def test_it_stops_at_the_analytic_step_of_a_linear_model(linear_model, offset, norm, gain):
    # A step of 0.02 raises the margin 8 + offset by 0.02 ||w||_1 = 0.32, or by 0.02 ||w||_2 = 0.08.
    expected = math.floor(-(8 + offset) / (0.02 * gain)) + 1
    result = iterated_fgsm(linear_model(ONES, offset), GRAY, LABEL, step_size=0.02, steps=20, norm=norm)
    assert result.steps.item() == expected == result.gradient_evaluations.item() and result.success.item()
    assert result.distances.item() == pytest.approx(0.02 * expected)
    torch.testing.assert_close(result.images, GRAY + 0.02 * expected * gain / 16)


def test_signs_are_followed_pixel_by_pixel_and_clamped(linear_model):
    weight = torch.ones(1, 4, 4, dtype=torch.float64)
    weight[0, :, :2] = -0.01
    result = iterated_fgsm(linear_model(weight, -100.0), GRAY, LABEL, step_size=0.2, steps=4, stop_when_flipped=False)
    assert result.steps.item() == 4 and not result.success.item()
    assert torch.equal(result.images[0, 0, :, :2], torch.zeros(4, 2, dtype=torch.float64))
    assert torch.equal(result.images[0, 0, :, 2:], torch.ones(4, 2, dtype=torch.float64))


def test_the_last_step_is_checked_too(linear_model):
    result = iterated_fgsm(linear_model(ONES, -8.9), GRAY, LABEL, step_size=0.02, steps=3)
    assert result.steps.item() == 3 and result.success.item()
    assert not iterated_fgsm(linear_model(ONES, -8.9), GRAY, LABEL, step_size=0.02, steps=2).success.item()


def test_misclassified_images_return_unchanged_and_flipped_ones_leave_the_batch(linear_model):
    sizes = []

    def counting(images):
        sizes.append(images.shape[0])
        return linear_model(ONES, -8.5)(images)

    images = GRAY.repeat(3, 1, 1, 1)
    images[1] += 0.4 / 16
    images[2] += 1.0 / 16
    # Margins -0.5, -0.1 and 0.5; a step gains 0.2.
    result = iterated_fgsm(counting, images, torch.tensor([0, 0, 0]), step_size=0.0125, steps=9)
    assert result.steps.tolist() == [3, 1, 0] and result.success.all()
    assert torch.equal(result.images[2], images[2])
    assert sizes == [3, 2, 1, 1, 3], "batch of each forward pass, the last being the final check of all"


def test_without_a_stop_all_steps_are_taken(linear_model):
    options = dict(step_size=0.01, steps=7, stop_when_flipped=False)
    result = iterated_fgsm(linear_model(ONES, -8.1), GRAY, LABEL, **options)
    assert result.steps.item() == 7 and result.distances.item() == pytest.approx(0.07)


def test_in_l2_it_is_the_attack_of_p0(small_network, draw):
    model, images = small_network(), draw(4, 1, 12, 12)
    labels = model(images).argmax(1)
    ours = iterated_fgsm(model, images, labels, step_size=0.1, steps=30, norm="l2")
    other = pgd_l2_until_flipped(model, images, labels, step_size=0.1, steps=30)
    assert torch.equal(ours.images, other.images) and torch.equal(ours.steps, other.steps)


def test_foolbox_has_the_same_images_inside_a_ball_that_never_binds(small_network, draw):
    pytest.importorskip("foolbox")
    model, images = small_network(), draw(4, 1, 12, 12)
    labels = model(images).argmax(1)
    ours = iterated_fgsm(model, images, labels, step_size=0.01, steps=5, stop_when_flipped=False)
    options = dict(epsilon=1.0, norm="linf", steps=5, step_size=0.01)
    torch.testing.assert_close(
        ours.images, standard_attack("bim", model, images, labels, **options).images, rtol=0, atol=1e-12
    )


def test_every_option_changes_the_result(small_network, draw):
    model, images = small_network(), draw(3, 1, 12, 12)
    labels = model(images).argmax(1)
    base = iterated_fgsm(model, images, labels, step_size=0.01, steps=40)
    assert base.success.all()
    for options in (dict(step_size=0.02), dict(steps=1), dict(norm="l2"), dict(stop_when_flipped=False)):
        other = iterated_fgsm(model, images, labels, **(dict(step_size=0.01, steps=40) | options))
        assert (other.images - base.images).abs().max() > 1e-4, options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(step_size=0.0, steps=1), "step_size: expected a finite number > 0"),
        (dict(step_size=0.1, steps=0), "steps: expected a finite number >= 1"),
        (dict(step_size=0.1, steps=1, norm="l1"), "norm: expected one of linf, l2; got 'l1'"),
    ],
)
def test_bad_options_are_named(small_network, draw, options, message):
    with pytest.raises(ValueError, match=message):
        iterated_fgsm(small_network(), draw(1, 1, 12, 12), LABEL, **options)
