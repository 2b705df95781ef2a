"""Augmentation: nothing at zero, whole shifts and mirrors exact, each option counts, seeds decide."""

import pytest
import torch

from blindspots.latent_models.affine_augmentation import affine_augmentation
from blindspots.seeding import generator

IMAGES = torch.rand(6, 2, 8, 8, generator=generator(0), dtype=torch.float64)
NOTHING = {"degrees": 0.0, "shift": 0.0, "scale": 0.0}


def augmented(images=IMAGES, seed=1, **options):
    return affine_augmentation(images, **(NOTHING | options), generator=generator(seed))


def test_nothing_changes_at_zero():
    torch.testing.assert_close(augmented(), IMAGES)


def test_a_mirror_is_exact_and_hits_about_half():
    many = IMAGES.repeat(50, 1, 1, 1)
    result = augmented(many, flip=True)
    same = (result - many).abs().amax((1, 2, 3)) < 1e-9
    mirrored = (result - many.flip(-1)).abs().amax((1, 2, 3)) < 1e-9
    assert (same ^ mirrored).all()
    assert 100 < same.sum() < 200  # of 300; seven standard deviations are 61


def test_a_turn_keeps_the_middle_and_the_lengths_of_an_oblong_image():
    image = torch.zeros(1, 1, 9, 17, dtype=torch.float64)
    image[0, 0, 3:6, 7:10] = 1.0
    turned = affine_augmentation(image, degrees=180.0, shift=0.0, scale=0.0, generator=generator(3))
    assert turned[0, 0, 4, 8] == pytest.approx(1.0)
    assert turned.sum().item() == pytest.approx(9.0, rel=0.1)  # bilinear sampling keeps an area about
    assert not torch.allclose(turned, image, atol=0.1)


def test_a_shift_moves_the_center_by_at_most_its_share():
    image = torch.zeros(200, 1, 21, 21, dtype=torch.float64)
    image[:, 0, 10, 10] = 1.0
    moved = augmented(image, shift=0.1)
    rows = (moved.sum(3) * torch.arange(21.0, dtype=torch.float64)).sum((1, 2)) / moved.sum((1, 2, 3))
    assert (rows - 10).abs().max() <= 2.1 + 1e-9
    assert (rows - 10).abs().max() > 1.9  # the largest of 200 uniform draws
    assert (rows - 10).mean().abs() < 0.5


def test_sizes_and_brightness_change_the_sum():
    image = torch.zeros(50, 1, 21, 21, dtype=torch.float64)
    image[:, 0, 6:15, 6:15] = 0.5
    areas = augmented(image, scale=0.3).sum((1, 2, 3)) / 40.5
    assert areas.min() > 0.45 and areas.max() < 1.75
    assert areas.min() < 0.8 and areas.max() > 1.2
    lights = augmented(image, brightness=0.2).amax((1, 2, 3))
    assert lights.min() >= 0.4 - 1e-9 and lights.max() <= 0.6 + 1e-9
    assert lights.max() - lights.min() > 0.15


@pytest.mark.parametrize(
    "options", [{"degrees": 20.0}, {"shift": 0.2}, {"scale": 0.2}, {"flip": True}, {"brightness": 0.5}]
)
def test_each_option_counts_and_seeds_decide(options):
    assert not torch.allclose(augmented(**options), IMAGES, atol=1e-3)
    assert torch.equal(augmented(**options), augmented(**options))
    assert not torch.equal(augmented(**options), augmented(seed=2, **options))
    assert augmented(IMAGES.float(), **options).dtype == torch.float32


@pytest.mark.parametrize(
    ("options", "message"),
    [({"degrees": -1.0}, "degrees"), ({"shift": 2.0}, "shift"), ({"scale": 1.0}, "scale"),
     ({"brightness": 1.5}, "brightness")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        augmented(**options)
    with pytest.raises(ValueError, match="images"):
        augmented(IMAGES + 1)
