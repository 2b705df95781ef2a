"""MagNet's autoencoders: the published layers, what is minimized, the seed."""

import pytest
import torch
from torch import nn

from blindspots.purify import MagNetAutoencoder, train_magnet_autoencoder
from blindspots.purify.magnet_autoencoder import rebuilt

FAST = dict(seed=0, epochs=2, batch_size=4)


def layers(structure, channels=1):
    with torch.random.fork_rng(devices=[]):
        model = MagNetAutoencoder(channels, structure)
    return [
        (layer.in_channels, layer.out_channels) if isinstance(layer, nn.Conv2d) else type(layer).__name__
        for layer in model.layers
    ]


def test_layers_are_those_of_the_papers_tables():
    mirror = [(1, 3), "AvgPool2d", (3, 3), (3, 3), "Upsample", (3, 3), (3, 1)]
    assert layers((3, "average", 3)) == mirror
    assert layers((3,)) == [(1, 3), (3, 3), (3, 1)]
    assert layers((3,), channels=3) == [(3, 3), (3, 3), (3, 3)]


def test_a_layer_is_a_convolution_and_a_sigmoid(draw):
    images = draw(2, 1, 6, 4)
    model, _ = train_magnet_autoencoder(images, (3, "average"), **FAST)
    by_hand = images
    for index, layer in enumerate(model.layers):
        by_hand = layer(by_hand)
        if index in (0, 3, 4):
            by_hand = by_hand.sigmoid()
    torch.testing.assert_close(model(images), by_hand)
    assert model.multiple == 2 and rebuilt(model, images).dtype == torch.float64


def test_the_first_loss_is_the_squared_error_and_the_activities(draw):
    # One epoch of one batch: its loss is that of the first weights, without noise a sum that can be written out.
    images = draw(3, 1, 6, 6)
    options = dict(seed=0, epochs=1, noise=0.0, batch_size=8)
    before, _ = train_magnet_autoencoder(images, (2,), learning_rate=1e-300, **options)
    error = (before(images) - images).square().mean()
    maps, total = images, 0
    for layer in before.layers:
        maps = layer(maps).sigmoid()
        total = total + maps.square().sum() / 3
    for penalty in (0.0, 0.5):
        _, (loss,) = train_magnet_autoencoder(images, (2,), activity_penalty=penalty, **options)
        assert loss == pytest.approx((error + penalty * total).item())


def test_training_learns_to_take_noise_away(draw):
    # Flat images: the best guess averages the neighborhood, which three 3x3 convolutions can.
    flat = draw(64, 1, 1, 1).expand(64, 1, 8, 8).contiguous()
    model, losses = train_magnet_autoencoder(flat, (3,), seed=0, epochs=150, batch_size=16, learning_rate=0.02)
    noisy = (flat + 0.1 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(9))).clamp(0, 1)
    assert losses[-1] < losses[0] / 10
    assert (rebuilt(model, noisy) - flat).square().mean() < 0.5 * (noisy - flat).square().mean()


def test_the_seed_decides_and_every_option_matters(draw):
    images = draw(8, 1, 8, 8)

    def output(**options):
        return train_magnet_autoencoder(images, (3,), **(FAST | options))[0](images)

    base = output()
    assert torch.equal(base, output())
    for options in (
        dict(seed=1), dict(epochs=3), dict(noise=0.3), dict(activity_penalty=0.01), dict(batch_size=8),
        dict(learning_rate=0.01),
    ):  # fmt: skip
        assert not torch.equal(base, output(**options)), options


def test_images_are_left_alone_and_parameters_frozen(draw):
    images = draw(4, 1, 8, 8)
    before = images.clone()
    model, losses = train_magnet_autoencoder(images, (3,), device="cpu", **FAST)
    assert torch.equal(images, before) and len(losses) == 2
    assert not any(parameter.requires_grad for parameter in model.parameters()) and not model.training


@pytest.mark.parametrize(
    ("structure", "options", "message"),
    [
        (("average",), {}, "structure: expected at least one convolution"),
        ((3, "max"), {}, "structure: expected numbers of filters and 'average', got 'max'"),
        ((0,), {}, "structure: expected a finite number >= 1"),
        ((3, "average", "average"), {}, "sides that are multiples of 4, got 6x8"),
        ((3,), dict(noise=-1), "noise: expected"),
        ((3,), dict(activity_penalty=-1), "activity_penalty: expected"),
        ((3,), dict(epochs=0), "epochs: expected"),
    ],
)
def test_bad_arguments_are_named(draw, structure, options, message):
    with pytest.raises(ValueError, match=message):
        train_magnet_autoencoder(draw(1, 1, 6, 8), structure, **(FAST | options))
