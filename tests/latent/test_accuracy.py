"""Shares by hand, Wilson's interval, classes, ties."""

import pytest
import torch

from blindspots.latent import image_accuracy
from blindspots.latent.accuracy import decoded_accuracy, wilson


def brightness(images):
    """Class 1 where the first pixel exceeds one half."""
    score = images[:, 0, 0, 0] - 0.5
    return torch.stack([-score, score], dim=1)


def of(*values):
    return torch.tensor(values)[:, None, None, None].expand(-1, 1, 2, 2)


def test_shares_by_hand():
    found = image_accuracy(brightness, of(0.1, 0.2, 0.9, 0.8), torch.tensor([0, 1, 1, 0]))
    assert found.predictions.tolist() == [0, 0, 1, 1] and found.correct.tolist() == [True, False, True, False]
    assert found.accuracy == 0.5 and found.by_class == {0: 0.5, 1: 0.5}


def test_a_tie_is_right():
    assert image_accuracy(brightness, of(0.5, 0.5), torch.tensor([0, 1])).correct.all()


def test_wilsons_interval():
    # By the formula: center (p + z^2 / 2n) / (1 + z^2 / n), here with p = 0.5 and n = 4.
    z2 = 1.959963984540054**2
    half = (z2 / 16 + z2**2 / 64) ** 0.5 / (1 + z2 / 4)
    low, high = image_accuracy(brightness, of(0.1, 0.2, 0.9, 0.8), torch.tensor([0, 1, 1, 0])).interval
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))
    assert wilson(1.0, 10)[0] < 1 and wilson(1.0, 10)[1] == pytest.approx(1)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_the_batch_does_not_matter(linear_world, batch_size):
    model, decode, latents, labels = linear_world(n=10)
    found = decoded_accuracy(model, decode, latents, labels, batch_size=batch_size)
    direct = model(decode(latents, labels)).argmax(1)
    assert torch.equal(found.predictions, direct) and torch.equal(found.correct, direct == labels)


def test_images_may_leave_the_unit_range_but_not_be_nan():
    assert image_accuracy(brightness, of(-3.0, 7.0), torch.tensor([0, 1])).accuracy == 1
    with pytest.raises(ValueError, match="finite"):
        image_accuracy(brightness, of(float("nan")), torch.tensor([0]))
    with pytest.raises(ValueError, match="labels: expected classes from 0 to 1"):
        image_accuracy(brightness, of(0.1), torch.tensor([2]))
