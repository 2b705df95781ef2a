"""The perceptron: the sizes asked for, tables and flattened images, exact normalization by column."""

import pytest
import torch

from blindspots.models.mlp import mlp


def test_the_layers_have_the_sizes_asked_for():
    model = mlp(4, 3, hidden=(7, 5), seed=0)
    assert [tuple(p.shape) for p in model.parameters() if p.ndim == 2] == [(7, 4), (5, 7), (3, 5)]
    assert model.encode(torch.zeros(2, 4)).shape == (2, 5)


def test_images_are_flattened_to_the_features():
    model = mlp(12, 3, hidden=(7,), seed=0)
    images = torch.rand(2, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model(images), model(images.flatten(1)))


def test_each_column_has_its_own_mean_and_deviation():
    rows = torch.tensor([[10.0, 200.0], [14.0, 100.0]])
    standardized = mlp(2, 2, hidden=(3,), seed=0)((rows - torch.tensor([12.0, 150.0])) / torch.tensor([2.0, 50.0]))
    assert torch.allclose(mlp(2, 2, hidden=(3,), mean=(12.0, 150.0), std=(2.0, 50.0), seed=0)(rows), standardized)


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ValueError, match="hidden: expected at least one layer"):
        mlp(2, 2, hidden=(), seed=0)


def test_an_empty_layer_and_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match="hidden: expected a finite number >= 1"):
        mlp(2, 2, hidden=(0,), seed=0)
    with pytest.raises(ValueError, match=r"expected shape \(N, 2\) or images of that many values"):
        mlp(2, 2, hidden=(3,), seed=0)(torch.zeros(1, 3))
