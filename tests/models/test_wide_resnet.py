"""The wide ResNet: published sizes, both ways of counting its depth, and dropout in training only."""

import pytest
import torch

from blindspots.models.wide_resnet import wide_resnet


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("depth", "factor", "millions"), [(40, 1, 0.6), (40, 2, 2.2), (16, 4, 2.8)])
def test_the_networks_have_as_many_parameters_as_published(depth, factor, millions):
    # Zagoruyko and Komodakis print one decimal (2.8 for the 2.75 million of WRN-16-4), hence 0.06.
    assert n_parameters(wide_resnet(3, 10, depth=depth, width_factor=factor, seed=0)) / 1e6 == pytest.approx(
        millions, abs=0.06
    )


def test_both_ways_of_counting_layers_give_the_same_network():
    counted, literature = (wide_resnet(3, 10, depth=depth, width_factor=1, seed=0) for depth in (16, 14))
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(counted(images), literature(images))


def test_features_are_sixty_four_times_the_factor():
    assert wide_resnet(1, 3, depth=10, width_factor=2, seed=0).encode(torch.zeros(1, 1, 8, 8)).shape == (1, 128)


def test_dropout_acts_in_training_only():
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    model = wide_resnet(3, 4, depth=10, width_factor=1, dropout=0.5, seed=0)
    plain = wide_resnet(3, 4, depth=10, width_factor=1, seed=0)
    assert torch.equal(model(images), plain(images))
    with torch.random.fork_rng(devices=[]):
        assert not torch.equal(model.train()(images), plain.train()(images))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"depth": 12}, r"depth: expected 6n \+ 4"), ({"depth": 4}, "depth: expected a finite number >= 8"),
     ({"width_factor": 0}, "width_factor"), ({"dropout": 1.0}, "dropout")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        wide_resnet(3, 10, **options, seed=0)
