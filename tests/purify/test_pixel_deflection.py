"""Pixel deflection: who moved where, how often, and then the denoiser."""

import pytest
import torch

from blindspots.purify import deflect_pixels, pixel_deflection, wavelet_denoise
from blindspots.seeding import generator


def numbered(n=1, height=40, width=30):
    """Return images whose pixels tell their own place."""
    line = torch.arange(height * width, dtype=torch.float64) / (height * width)
    return line.view(1, 1, height, width).repeat(n, 1, 1, 1)


def places(images):
    _, _, height, width = images.shape
    index = (images[:, 0] * height * width).round().long()
    return index // width, index % width


def test_at_most_the_given_number_of_pixels_move_and_none_further_than_the_window():
    images = numbered()
    moved = deflect_pixels(images, deflections=150, window=4, generator=generator(0))
    rows, columns = places(moved)
    down = (rows - torch.arange(40).view(1, 40, 1)).abs()
    right = (columns - torch.arange(30).view(1, 1, 30)).abs()
    assert down.max() == 4 and right.max() == 4
    n_moved = ((down + right) > 0).sum().item()
    # 150 draws of 1200 pixels hit about 141 different ones, of which about 1 in 81 draws itself.
    assert 125 <= n_moved <= 150


def test_neighbors_are_uniform_over_the_part_of_the_window_inside_the_image():
    # The corner has the four neighbors of a 2x2 square with window 1, itself among them.
    images = numbered(4000, 3, 3)
    activation = torch.ones(4000, 3, 3)
    activation[:, 0, 0] = 0.0
    moved = deflect_pixels(images, deflections=1, window=1, activation=activation, generator=generator(1))
    rows, columns = places(moved)
    counts = torch.bincount(2 * rows[:, 0, 0] + columns[:, 0, 0], minlength=4)
    assert counts.sum() == 4000 and ((counts - 1000).abs() < 120).all()  # one sd is 27
    assert torch.equal(moved.flatten(1)[:, 1:], images.flatten(1)[:, 1:]), "only the corner was open"


def test_pixels_are_chosen_in_proportion_to_what_the_activation_leaves():
    images = numbered(3000, 1, 2)
    activation = torch.tensor([[[0.0, 0.75]]]).repeat(3000, 1, 1)
    moved = deflect_pixels(images, deflections=1, window=1, activation=activation, generator=generator(2))
    changed = (moved != images).sum(0).flatten()
    # Chosen with probability 0.8 and 0.2, and half of those draw themselves.
    assert changed[0].item() == pytest.approx(1200, abs=110) and changed[1].item() == pytest.approx(300, abs=70)


def test_all_channels_move_together():
    images = numbered().repeat(1, 3, 1, 1) * torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64).view(1, 3, 1, 1)
    moved = deflect_pixels(images, generator=generator(3))
    assert torch.equal(moved[:, 1], moved[:, 0] * 0.5) and torch.equal(moved[:, 2], moved[:, 0] * 0.25)
    assert not torch.equal(moved, images)


def test_nothing_happens_without_deflections_and_noise(draw):
    images = draw(2, 3, 16, 16)
    assert torch.equal(deflect_pixels(images, deflections=0, generator=generator(0)), images)
    unchanged = pixel_deflection(images, deflections=0, sigma=0, generator=generator(0))
    torch.testing.assert_close(unchanged, images, atol=1e-12, rtol=0)


def test_it_is_the_two_steps_one_after_the_other(photograph):
    image = photograph(64)
    deflected = deflect_pixels(image, generator=generator(4))
    both = pixel_deflection(image, generator=generator(4))
    assert torch.equal(both, wavelet_denoise(deflected, sigma=0.04).clamp(0, 1))
    assert (both - image).abs().max() > 0.05


def test_the_first_image_of_a_batch_gets_what_it_gets_alone(draw):
    images, activation = draw(3, 3, 20, 24), draw(3, 20, 24, seed=1)
    for options in ({}, dict(activation=activation)):
        together = pixel_deflection(images, generator=generator(5), **options)
        first = {name: value[:1] for name, value in options.items()}
        torch.testing.assert_close(pixel_deflection(images[:1], generator=generator(5), **first), together[:1])


def test_the_seed_decides_and_every_option_matters(draw):
    images = draw(1, 3, 32, 32)
    base = pixel_deflection(images, generator=generator(0))
    assert torch.equal(base, pixel_deflection(images, generator=generator(0)))
    changes = (
        dict(deflections=20), dict(window=2), dict(sigma=0.3), dict(activation=draw(1, 32, 32, seed=1)),
        dict(sigma_units="image"),
    )  # fmt: skip
    for options in changes:
        assert not torch.equal(base, pixel_deflection(images, generator=generator(0), **options)), options
    assert not torch.equal(base, pixel_deflection(images, generator=generator(1)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_dtype_range_and_input_are_kept(draw, dtype, channels):
    images = draw(2, channels, 12, 12, dtype=dtype)
    before = images.clone()
    result = pixel_deflection(images.requires_grad_(True), generator=generator(0))
    assert result.dtype == dtype and not result.requires_grad and torch.equal(images, before)
    assert result.min() >= 0 and result.max() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(deflections=-1), "deflections: expected a finite number >= 0"),
        (dict(window=0), "window: expected a finite number >= 1"),
        (dict(sigma=-1), "sigma: expected a finite number >= 0"),
        (dict(sigma_units="x"), "sigma_units: expected one of span, image"),
        (dict(activation=torch.zeros(1, 4, 5)), r"activation: expected a map for each image, shape \(1, 4, 4\)"),
        (dict(activation=torch.full((1, 4, 4), 2.0)), r"activation: expected values in \[0, 1\]"),
        (dict(activation=torch.ones(1, 4, 4)), "with one below 1 in each map"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        pixel_deflection(draw(1, 1, 4, 4), generator=generator(0), **options)
