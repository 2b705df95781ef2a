"""Hidden superpixels: exact pixels, mean colors, batches, messages."""

import pytest
import torch

from blindspots.criticism.hidden_images import hidden_images, hiding_fill
from blindspots.seeding import generator


def masks_for(segments, n):
    return torch.rand(n, int(segments.max()) + 1, generator=generator(0)) < 0.5


def test_the_mean_color_of_each_superpixel(photograph, segments):
    fill = hiding_fill(photograph, segments)
    for number in segments.unique():
        inside = segments == number
        expected = photograph[:, inside].mean(dim=1, keepdim=True).expand(-1, int(inside.sum()))
        torch.testing.assert_close(fill[:, inside], expected, rtol=0, atol=1e-14)


def test_one_color_everywhere(photograph, segments):
    assert torch.equal(hiding_fill(photograph, segments, 0.25), torch.full_like(photograph, 0.25))
    color = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    assert torch.equal(hiding_fill(photograph, segments, color)[:, 5, 7], color)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_pixel_is_the_images_or_the_fills_to_the_bit(photograph, segments, dtype):
    image = photograph.to(dtype)
    fill, masks = hiding_fill(image, segments), masks_for(segments, 23)
    expected = torch.stack([torch.where(mask[segments], image, fill) for mask in masks])
    for batch_size in (1, 7, 50):
        batches = [batch.clone() for batch in hidden_images(image, fill, segments, masks, batch_size=batch_size)]
        assert [len(batch) for batch in batches][:-1] == [batch_size] * (len(batches) - 1)
        assert torch.equal(torch.cat(batches), expected)


def test_values_stay_in_the_unit_range():
    image = torch.rand(3, 30, 30, generator=generator(1)).round(decimals=2)
    segments = torch.arange(900).view(30, 30) % 9
    fill = hiding_fill(image, segments)
    for batch in hidden_images(image, fill, segments, masks_for(segments, 20)):
        assert batch.min() >= 0 and batch.max() <= 1


@pytest.mark.parametrize(
    ("hide", "message"),
    [
        ("median", "hide: expected one of mean"),
        (1.5, "hide"),
        (torch.tensor([0.1, 0.2]), "hide: expected 3 floats"),
        (torch.tensor([10.0, 2.0, 3.0]), "divide 8-bit colors"),
    ],
)
def test_bad_colors_are_named(photograph, segments, hide, message):
    with pytest.raises(ValueError, match=message):
        hiding_fill(photograph, segments, hide)
