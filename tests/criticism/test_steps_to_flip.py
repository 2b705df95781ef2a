"""Step counts of a linear model, which are known, and of batches, which must not matter."""

import pytest
import torch

from blindspots.criticism import steps_to_flip

ONES = torch.ones(1, 2, 2, dtype=torch.float64)


def brightness(images):
    """Class 0 for dark images: the margin of class 1 is the sum of four pixels minus 2."""
    score = (images * ONES).sum(dim=(1, 2, 3)) - 2.0
    return torch.stack([-score, score], dim=1) / 2


def of_brightness(*values):
    return torch.tensor(values, dtype=torch.float64)[:, None, None, None] * ONES


def test_counts_are_the_distance_over_the_step():
    # A step of 0.02 adds 0.02 to each pixel; the boundary is at 0.5.
    images = of_brightness(0.6, 0.49, 0.47, 0.41, 0.391, 0.31, 0.1)
    found = steps_to_flip(brightness, images, torch.zeros(7, dtype=torch.long), step_size=0.02, steps=5)
    assert found.tolist() == [0, 1, 2, 5, 6, 6, 6] and found.dtype == torch.long


def test_of_class_one_the_way_is_down():
    found = steps_to_flip(brightness, of_brightness(0.51, 0.55), torch.ones(2, dtype=torch.long), step_size=0.02)
    assert found.tolist() == [1, 3]


def test_a_step_in_l2_is_shared_by_the_pixels():
    # 0.02 in L2 is 0.01 for each of four pixels.
    images = of_brightness(0.495, 0.47)
    options = dict(step_size=0.02, norm="l2")
    assert steps_to_flip(brightness, images, torch.zeros(2, dtype=torch.long), **options).tolist() == [1, 4]


def test_an_image_without_a_gradient_never_flips():
    def flat(images):
        return torch.stack([torch.ones(len(images)).double(), 0.0 * images.sum((1, 2, 3))], dim=1)

    assert steps_to_flip(flat, of_brightness(0.2), torch.zeros(1, dtype=torch.long), step_size=0.1).tolist() == [11]


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_the_batch_does_not_matter_and_is_no_larger_than_asked(batch_size):
    images = of_brightness(*torch.linspace(0.3, 0.55, 10).tolist())
    sizes = []

    def counting(some):
        sizes.append(len(some))
        return brightness(some)

    labels = torch.zeros(10, dtype=torch.long)
    found = steps_to_flip(counting, images, labels, step_size=0.02, batch_size=batch_size)
    assert torch.equal(found, steps_to_flip(brightness, images, labels, step_size=0.02)) and max(sizes) <= batch_size


def test_bad_arguments_are_named():
    images, labels = of_brightness(0.2), torch.zeros(1, dtype=torch.long)
    with pytest.raises(ValueError, match="batch_size: expected a finite number >= 1"):
        steps_to_flip(brightness, images, labels, step_size=0.1, batch_size=0)
    with pytest.raises(ValueError, match="step_size: expected a finite number > 0"):
        steps_to_flip(brightness, images, labels, step_size=0)
    with pytest.raises(ValueError, match="labels: expected classes from 0 to 1"):
        steps_to_flip(brightness, images, labels + 2, step_size=0.1)
    with pytest.raises(ValueError, match="images: expected at least one image"):
        steps_to_flip(brightness, images[:0], labels[:0], step_size=0.1)
