"""The gated PixelCNN: what a pixel's answer depends on, probabilities that sum to 1, and a law it must learn."""

import itertools
import math

import pytest
import torch

from blindspots.purify import bits_per_dimension, train_pixel_cnn

SMALL = dict(levels=4, seed=0, width=6, layers=2, reach=1, epochs=1)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_value_depends_on_all_before_it_in_its_reach_and_on_nothing_else(draw, channels):
    density, _ = train_pixel_cnn(draw(2, channels, 9, 9), **SMALL)
    scaled = density.scaled(density.quantized(draw(1, channels, 9, 9, seed=1))).requires_grad_(True)
    row, column = 5, 4
    for channel in range(channels):
        context = density.context(scaled)
        logits = density.answer(context, scaled, channel)[0, :, row, column]
        gradient = sum(torch.autograd.grad(logit, scaled, retain_graph=True)[0].abs() for logit in logits)[0]
        seen = gradient > 0
        rows, columns = density.window(row, column, 9, 9)
        assert (rows.start, rows.stop, columns.start, columns.stop) == (2, 6, 2, 7)
        for other, i, j in itertools.product(range(channels), range(9), range(9)):
            before = (i, j) < (row, column) or ((i, j) == (row, column) and other < channel)
            inside = rows.start <= i < rows.stop and columns.start <= j < columns.stop
            if seen[other, i, j]:
                assert before and inside, (other, i, j)
            # No blind spot: the left part of the row, and of each row above what as many layers can step to.
            if before and i == row and inside:
                assert seen[other, i, j], (other, i, j)
        assert seen[:, row - 1, column - 1 : column + 2].all() and seen[:, row - 2, column - 2 : column + 3].all()


@pytest.mark.parametrize("channels", [1, 2])
def test_probabilities_of_all_images_sum_to_one(draw, channels):
    density, _ = train_pixel_cnn(draw(4, channels, 2, 2), **(SMALL | dict(levels=2)))
    n = 4 * channels
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=n)), dtype=torch.float64).view(-1, channels, 2, 2)
    total = (2.0 ** (-n * bits_per_dimension(every, density))).sum()
    assert total.item() == pytest.approx(1.0, abs=1e-12)


def test_it_learns_that_a_pixel_repeats_the_one_before(draw):
    # Rows of one value out of 4: two bits for the first pixel of a row, none for the others.
    rows = (draw(64, 1, 4, 1) * 4).floor().clamp(max=3).expand(64, 1, 4, 8).contiguous() / 3
    density, losses = train_pixel_cnn(
        rows, levels=4, seed=0, width=8, layers=2, reach=1, epochs=60, batch_size=16, learning_rate=0.02
    )
    assert losses[0] > 1.5 and losses[-1] < 0.4, "0.25 bits per pixel is the best there is"
    likely = bits_per_dimension(rows, density)
    unlikely = bits_per_dimension(draw(64, 1, 4, 8, seed=7), density)
    assert likely.max() < unlikely.min() and unlikely.mean() > 2


def test_losses_are_bits_per_dimension(draw):
    images = draw(4, 3, 6, 6)
    options = SMALL | dict(learning_rate=1e-300, batch_size=4)
    density, (loss,) = train_pixel_cnn(images, **options)
    assert loss == pytest.approx(bits_per_dimension(images, density).mean().item())
    logits = density(density.quantized(images))
    by_hand = -logits.log_softmax(2).gather(2, density.quantized(images)[:, :, None]).mean((1, 2, 3, 4)) / math.log(2)
    torch.testing.assert_close(bits_per_dimension(images, density, batch_size=3), by_hand)


def test_the_seed_decides_and_every_option_matters(draw):
    images = draw(6, 1, 6, 6)

    def bits(**options):
        return bits_per_dimension(images, train_pixel_cnn(images, **(SMALL | dict(batch_size=3) | options))[0])

    base = bits()
    assert torch.equal(base, bits())
    for options in (
        dict(seed=1), dict(levels=5), dict(width=7), dict(layers=3), dict(reach=2), dict(epochs=2), dict(batch_size=6),
        dict(learning_rate=0.01), dict(epochs=3, final_share=0.01),
    ):  # fmt: skip
        assert not torch.equal(base, bits(**options)), options
    assert not torch.equal(bits(epochs=3), bits(epochs=3, final_share=1.0))


def test_dtype_and_images_are_kept(draw):
    images = draw(4, 1, 6, 6, dtype=torch.float32)
    before = images.clone()
    density, _ = train_pixel_cnn(images, device="cpu", **SMALL)
    assert torch.equal(images, before) and bits_per_dimension(images, density).dtype == torch.float32
    assert not density.training and not any(parameter.requires_grad for parameter in density.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(levels=1), "levels: expected a finite number >= 2"),
        (dict(width=0), "width: expected"),
        (dict(layers=0), "layers: expected"),
        (dict(reach=0), "reach: expected"),
        (dict(final_share=2), "final_share: expected"),
    ],
)
def test_bad_options_are_named(draw, options, message):
    with pytest.raises(ValueError, match=message):
        train_pixel_cnn(draw(1, 1, 4, 4), **(SMALL | options))


def test_images_of_another_kind_are_named(draw):
    density, _ = train_pixel_cnn(draw(2, 3, 4, 4), **SMALL)
    with pytest.raises(ValueError, match="images: expected 3 channels, as the density has, got 1"):
        bits_per_dimension(draw(1, 1, 4, 4), density)
