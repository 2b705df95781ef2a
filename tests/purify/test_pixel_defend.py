"""PixelDefend: windows against whole images, an argmax checked by enumeration, and noise it must take away."""

import itertools

import pytest
import torch

from blindspots.purify import bits_per_dimension, pixel_defend, train_pixel_cnn

SMALL = dict(levels=5, seed=0, width=6, layers=2, reach=1, epochs=2)


@pytest.fixture
def density(draw):
    return train_pixel_cnn(draw(8, 1, 8, 8), **SMALL)[0]


@pytest.mark.parametrize(("channels", "layers", "reach"), [(1, 2, 1), (3, 2, 1), (1, 3, 2)])
def test_windows_give_what_whole_images_give(draw, channels, layers, reach):
    # Sides on both sides of the window's, so that it is cut at no border, at one and at two.
    images = draw(2, channels, 9, 11)
    density, _ = train_pixel_cnn(images, **(SMALL | dict(layers=layers, reach=reach, levels=16, width=8)))
    scaled = density.scaled(density.quantized(images))
    whole = density.context(scaled)
    for row, column in itertools.product(range(9), range(11)):
        rows, columns = density.window(row, column, 9, 11)
        part = density.context(scaled[..., rows, columns])[..., -1, column - columns.start]
        torch.testing.assert_close(part, whole[..., row, column], rtol=1e-12, atol=1e-14)
    windowed = pixel_defend(images, density, epsilon=0.3)
    assert torch.equal(windowed, pixel_defend(images, density, epsilon=0.3, whole_images=True))
    assert not torch.equal(windowed, pixel_defend(images, density, epsilon=0))


@pytest.mark.parametrize("channels", [1, 3])
def test_each_value_is_the_likeliest_near_it_given_those_before(draw, channels):
    images = draw(2, channels, 4, 5)
    density, _ = train_pixel_cnn(images, **SMALL)
    purified = pixel_defend(images, density, epsilon=0.25)
    before, after = density.quantized(images), density.quantized(purified)
    logits = density(after)
    for n, c, i, j in itertools.product(range(2), range(channels), range(4), range(5)):
        near = [value for value in range(5) if abs(value - before[n, c, i, j]) <= 1]
        assert after[n, c, i, j] == max(near, key=lambda value: logits[n, c, value, i, j].item())


def test_the_ball_is_kept_and_epsilon_zero_only_takes_to_the_levels(density, draw):
    images = draw(3, 1, 8, 8, seed=4)
    levels = (images * 4).round() / 4
    assert torch.equal(pixel_defend(images, density, epsilon=0), levels)
    assert torch.equal(pixel_defend(images, density, epsilon=0.24), levels)
    for epsilon in (0.25, 0.5):
        change = (pixel_defend(images, density, epsilon=epsilon) - levels).abs().max().item()
        assert 0.25 <= change <= epsilon


def test_an_attack_on_a_simple_density_is_undone(draw):
    # Rows of black or white, a quarter off in every third pixel: only the right one of the two is in reach.
    rows = (draw(64, 1, 4, 1) > 0.5).double().expand(64, 1, 4, 8).contiguous()
    density, _ = train_pixel_cnn(
        rows, levels=5, seed=0, width=8, layers=2, reach=1, epochs=60, batch_size=16, learning_rate=0.02
    )
    attacked = rows[:16].clone()
    attacked[..., 2::3] = (attacked[..., 2::3] - 0.25).abs()
    purified = pixel_defend(attacked, density, epsilon=0.25)
    assert (purified == rows[:16]).double().mean() > 0.95 > (attacked == rows[:16]).double().mean()
    assert (bits_per_dimension(purified, density) <= bits_per_dimension(attacked, density) + 1e-9).all()


def test_images_that_are_likely_already_keep_their_values(density, draw):
    images = draw(4, 1, 8, 8, seed=4)
    bits = bits_per_dimension(images, density).sort()
    between = (bits.values[1] + bits.values[2]).item() / 2
    adaptive = pixel_defend(images, density, epsilon=0.5, likely_below=between)
    likely, others = bits.indices[:2], bits.indices[2:]
    assert torch.equal(adaptive[likely], pixel_defend(images, density, epsilon=0)[likely])
    assert torch.equal(adaptive[others], pixel_defend(images, density, epsilon=0.5)[others])
    assert not torch.equal(adaptive, pixel_defend(images, density, epsilon=0.5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_input_are_kept(density, draw, dtype):
    images = draw(2, 1, 5, 6, dtype=dtype)
    before = images.clone()
    purified = pixel_defend(images.requires_grad_(True), density, epsilon=0.3)
    assert purified.dtype == dtype and not purified.requires_grad and torch.equal(images, before)
    assert torch.equal((purified * 4).round(), purified * 4)


def test_an_image_alone_is_the_same_image_in_a_batch(density, draw):
    images = draw(3, 1, 6, 6)
    together = pixel_defend(images, density, epsilon=0.3)
    assert torch.equal(pixel_defend(images[1:2], density, epsilon=0.3)[0], together[1])


def test_bad_arguments_are_named(density, draw):
    with pytest.raises(ValueError, match="epsilon: expected a finite number >= 0"):
        pixel_defend(draw(1, 1, 4, 4), density, epsilon=-0.1)
    with pytest.raises(ValueError, match="images: expected 1 channels, as the density has, got 3"):
        pixel_defend(draw(1, 3, 4, 4), density, epsilon=0.1)
