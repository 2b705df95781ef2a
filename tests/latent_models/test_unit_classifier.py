"""The classifiers of the latent-space study: published sizes, instance norm, batches that equal single images."""

import pytest
import torch
from torch import nn

from blindspots.latent_models.unit_classifier import ConvReluNorm, unit_classifier
from blindspots.seeding import generator


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("unit", "expected"), [(0, 23_394), (1, 17_058), (2, 35_658)])
def test_classifiers_of_digits_have_the_published_numbers_of_parameters(unit, expected):
    assert size(unit_classifier(1, 10, side=28, unit=unit, seed=0)) == expected


def test_the_published_number_at_128_pixels_is_that_of_the_residual_unit():
    assert size(unit_classifier(3, 2, side=128, unit=1, seed=0)) == 201_798
    assert size(unit_classifier(3, 2, side=128, unit=0, seed=0)) == 300_138


@pytest.mark.parametrize(("side", "unit"), [(28, 0), (28, 1), (28, 2), (32, 0), (64, 1), (128, 2)])
def test_a_batch_equals_its_images_one_at_a_time(side, unit):
    model = unit_classifier(3, 4, side=side, unit=unit, seed=0).double()
    images = torch.rand(5, 3, side, side, generator=generator(1), dtype=torch.float64)
    together = model(images)
    alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-12)  # sums may be taken in another order


def test_the_norm_is_instance_norm_with_biased_variance_and_no_memory():
    layer = ConvReluNorm(2, 3).double()
    with torch.no_grad():
        layer.norm.weight.copy_(torch.tensor([1.0, 2.0, 3.0]))
        layer.norm.bias.copy_(torch.tensor([0.1, 0.2, 0.3]))
    images = torch.rand(4, 2, 6, 6, generator=generator(0), dtype=torch.float64)
    other = nn.InstanceNorm2d(3, affine=True).double()
    other.load_state_dict(layer.norm.state_dict())
    maps = layer.convolution(images).relu()
    torch.testing.assert_close(layer(images), other(maps))
    variance = maps.var((2, 3), unbiased=False, keepdim=True)
    standard = (maps - maps.mean((2, 3), keepdim=True)) / (variance + layer.norm.eps).sqrt()
    by_hand = standard * layer.norm.weight[:, None, None] + layer.norm.bias[:, None, None]
    torch.testing.assert_close(layer(images), by_hand)
    assert torch.equal(layer(images), layer.eval()(images))


# Layers outside a builder draw from torch's generator: this file's layer is made under a fork of it.
@pytest.fixture(autouse=True)
def forked():
    with torch.random.fork_rng(devices=[]):
        yield


def test_the_spec_rebuilds_the_same_network_and_another_seed_does_not():
    model = unit_classifier(1, 3, side=28, unit=1, widths=(4, 8), dropout=(0.1, 0.2), seed=3)
    options = {name: value for name, value in model.spec.items() if name != "name"}
    images = torch.rand(2, 1, 28, 28, generator=generator(0))
    assert torch.equal(unit_classifier(**options, seed=3)(images), model(images))
    assert not torch.equal(unit_classifier(**options, seed=4)(images), model(images))


def test_padding_and_units_change_the_network():
    images = torch.rand(2, 1, 32, 32, generator=generator(0))
    plain = unit_classifier(1, 3, side=32, seed=0)(images)
    for options in ({"pad": 4}, {"unit": 1}, {"unit": 2}, {"widths": (4, 8, 8)}):
        assert not torch.equal(unit_classifier(1, 3, side=32, seed=0, **options)(images), plain)


def test_dropout_acts_in_training_only():
    images = torch.rand(2, 1, 28, 28, generator=generator(0))
    model = unit_classifier(1, 3, side=28, seed=0)
    assert torch.equal(model(images), model(images))
    model.train()
    assert not torch.equal(model(images), model(images))
    still = unit_classifier(1, 3, side=28, dropout=(0.0, 0.0, 0.0), seed=0).train()
    assert torch.equal(still(images), still(images))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"unit": 3}, "unit: expected 0, 1 or 2"), ({"widths": (8, 8)}, "dropout: expected shares for 2 units"),
     ({"widths": (8, 8), "dropout": (0.1,)}, "dropout: expected one share per unit"),
     ({"widths": (0, 8, 8)}, "widths"), ({"dropout": (0.2, 0.3, 1.0)}, "dropout"), ({"pad": -1}, "pad"),
     ({"side": 8}, "side: expected at least 4 pixels before the last pooling, got 2")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        unit_classifier(1, 3, **({"side": 28} | options), seed=0)
