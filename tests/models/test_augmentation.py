"""Random shifts and flips: what they may and may not change."""

import pytest
import torch

from blindspots.models.augmentation import random_flip, random_shift
from blindspots.seeding import generator


def one_pixel(n=200):
    images = torch.zeros(n, 2, 9, 9)
    images[:, :, 4, 4] = 1.0
    return images


def test_a_shift_moves_the_whole_image_by_every_allowed_offset_and_no_other():
    moved = random_shift(one_pixel(), max_shift=2, generator=generator(0))
    assert torch.equal(moved[:, 0], moved[:, 1])
    places = {tuple((image[0] == 1).nonzero()[0].tolist()) for image in moved}
    # 200 draws of 25 offsets miss a given one with probability 3e-4, and this seed misses none.
    assert places == {(4 + row, 4 + column) for row in range(-2, 3) for column in range(-2, 3)}


def test_what_leaves_the_frame_is_lost_and_zeros_come_in():
    moved = random_shift(torch.ones(50, 1, 6, 6), max_shift=3, generator=generator(0))
    assert set(moved.unique().tolist()) == {0.0, 1.0}
    assert moved.flatten(1).sum(1).min() >= 9


def test_no_shift_changes_nothing():
    images = torch.rand(3, 1, 5, 5, generator=generator(1))
    assert torch.equal(random_shift(images, max_shift=0, generator=generator(0)), images)


def test_a_flip_mirrors_about_half_of_the_images():
    images = torch.rand(400, 1, 3, 5, generator=generator(1))
    flipped = random_flip(images, generator=generator(0))
    kept = (flipped == images).flatten(1).all(1)
    mirrored = (flipped == images.flip(-1)).flatten(1).all(1)
    assert (kept ^ mirrored).all()
    assert 150 < int(mirrored.sum()) < 250  # five standard deviations of a fair coin


@pytest.mark.parametrize(
    "change", [lambda i, g: random_shift(i, max_shift=2, generator=g), lambda i, g: random_flip(i, generator=g)]
)
def test_the_same_generator_state_gives_the_same_images_and_another_does_not(change):
    images = torch.rand(20, 1, 8, 8, generator=generator(1))
    before = images.clone()
    assert torch.equal(change(images, generator(0)), change(images, generator(0)))
    assert not torch.equal(change(images, generator(0)), change(images, generator(2)))
    assert torch.equal(images, before)


def test_a_shift_past_the_frame_is_refused():
    with pytest.raises(ValueError, match="max_shift: expected a finite number >= 0 and <= 4"):
        random_shift(torch.zeros(1, 1, 5, 8), max_shift=5, generator=generator(0))
