import math

import pytest
import torch

from blindspots import checks

GOOD = torch.full((2, 3, 8, 8), 0.5)


def test_good_images_pass():
    checks.check_images(GOOD)


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([[0.0]], TypeError, "images: expected a torch tensor"),
        (GOOD[0], ValueError, r"expected shape \(N, C, H, W\), got \(3, 8, 8\)"),
        (GOOD.to(torch.uint8), TypeError, "divide 8-bit images by 255"),
        (GOOD[:0], ValueError, "expected at least one image"),
        (GOOD * 255, ValueError, r"expected values in \[0, 1\], got \[128, 128\]; divide 8-bit images by 255"),
        (GOOD - 1, ValueError, "clamp to"),
        (GOOD * math.nan, ValueError, "NaN or infinity"),
        (GOOD / 0, ValueError, "NaN or infinity"),
    ],
)
def test_bad_images_say_what_to_do(images, error, message):
    with pytest.raises(error, match=message):
        checks.check_images(images)


def test_a_side_below_the_smallest_allowed_is_refused():
    with pytest.raises(ValueError, match="sides of at least 11 pixels, got 8x8"):
        checks.check_images(GOOD, min_side=11)


def test_the_range_is_not_asked_of_distances():
    checks.check_images(GOOD * 3, unit_range=False)


@pytest.mark.parametrize(
    ("second", "error", "message"),
    [
        (GOOD[:1], ValueError, r"references: expected the shape of images \(2, 3, 8, 8\)"),
        (GOOD.double(), ValueError, "dtype of images"),
        (GOOD.to("meta"), ValueError, "device of images"),
        (None, TypeError, "expected a torch tensor"),
    ],
)
def test_tensors_that_do_not_match_are_named(second, error, message):
    with pytest.raises(error, match=message):
        checks.check_same_shape(GOOD, second, "images", "references")


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (torch.tensor([0, 3]), ValueError, "expected classes from 0 to 2, got values from 0 to 3; labels are 0-based"),
        (torch.tensor([-1, 1]), ValueError, "got values from -1 to 1"),
        (torch.tensor([0.0, 1.0]), TypeError, "expected an integer tensor"),
        (torch.tensor([True, False]), TypeError, "expected an integer tensor"),
        (torch.tensor([0]), ValueError, r"expected shape \(2,\)"),
        ([0, 1], TypeError, "use torch.as_tensor"),
    ],
)
def test_bad_labels_say_what_to_do(labels, error, message):
    with pytest.raises(error, match=message):
        checks.check_labels(labels, 2, n_classes=3)


def test_good_labels_pass():
    checks.check_labels(torch.tensor([0, 2], dtype=torch.int32), 2, n_classes=3)


@pytest.mark.parametrize("logits", [torch.zeros(2, 1), torch.zeros(3, 4), torch.zeros(2), None, torch.zeros(2, 3, 1)])
def test_what_is_not_logits_is_refused(logits):
    with pytest.raises(ValueError, match=r"model: expected logits \(2, K\)"):
        checks.check_logits(logits, 2)


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="expected finite logits"):
        checks.check_logits(torch.tensor([[0.0, math.nan]]), 1)


@pytest.mark.parametrize(
    ("value", "options", "error", "message"),
    [
        (0.0, {"above": 0.0}, ValueError, "epsilon: expected a finite number > 0, got 0.0"),
        (2, {"at_least": 0, "at_most": 1}, ValueError, "expected a finite number >= 0 and <= 1, got 2"),
        (math.inf, {}, ValueError, "expected a finite number, got inf"),
        (1.5, {"integer": True}, TypeError, "expected an integer, got float 1.5"),
        (True, {}, TypeError, "expected a number, got bool"),
        ("1", {}, TypeError, "expected a number, got str"),
    ],
)
def test_bad_numbers_name_the_bound(value, options, error, message):
    with pytest.raises(error, match=message):
        checks.check_number(value, "epsilon", **options)


def test_a_choice_outside_the_list_names_the_list():
    with pytest.raises(ValueError, match="padding: expected one of same, valid; got 'full'"):
        checks.check_choice("full", "padding", ("same", "valid"))


def test_finite_is_asked_of_any_tensor():
    checks.check_finite(torch.ones(2), "vectors")
    with pytest.raises(ValueError, match="vectors: expected finite values"):
        checks.check_finite(torch.tensor([1.0, math.inf]), "vectors")


def test_a_generator_must_be_one():
    checks.check_generator(torch.Generator())
    with pytest.raises(TypeError, match=r"use seeding\.generator"):
        checks.check_generator(3)


@pytest.mark.parametrize("value", [1, 11])
def test_check_odd_accepts_odd_sizes(value):
    checks.check_odd(value, "window_size")


def test_check_odd_names_the_neighbors_of_an_even_size():
    with pytest.raises(ValueError, match=r"window_size: expected an odd number.*got 10; use 9 or 11"):
        checks.check_odd(10, "window_size")
    with pytest.raises(ValueError, match="window_size: expected a finite number >= 3, got 1"):
        checks.check_odd(1, "window_size", at_least=3)
    with pytest.raises(TypeError, match="window_size: expected an integer"):
        checks.check_odd(11.0, "window_size")
