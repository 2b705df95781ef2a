"""Distances between activations: exact on known features, against another implementation, finite where flat."""

import math

import pytest
import torch

from blindspots.perception import feature_distance, layer_features, stacked_features


def test_the_distance_of_known_features_is_known():
    one = torch.zeros(1, 2, 2, 2, dtype=torch.float64)
    other = one.clone()
    one[:, 0], other[:, 1] = 3.0, 0.5  # orthogonal unit vectors at each of four pixels: squared distance 2
    distance = feature_distance(lambda images: [images, images.mean(dim=(2, 3))])
    torch.testing.assert_close(distance(one, other), torch.tensor([2.0], dtype=torch.float64))
    plain = feature_distance(lambda images: [images], normalize=False)
    torch.testing.assert_close(plain(one, other), torch.tensor([math.sqrt(9.25)], dtype=torch.float64))


def test_it_is_the_root_of_lpips_without_learned_weights(draw, noise, small_network):
    lpips = pytest.importorskip("lpips")
    images = draw(3, 3, 12, 12)
    others = (images + 0.1 * noise(3, 3, 12, 12)).clamp(0, 1)
    features = layer_features(small_network(), ["1", "4"])
    expected = sum(
        (lpips.normalize_tensor(a) - lpips.normalize_tensor(b)).square().sum(1).mean((1, 2))
        for a, b in zip(features(images), features(others), strict=True)
    )
    torch.testing.assert_close(feature_distance(features)(images, others).square(), expected)


def test_it_obeys_the_contract(draw, noise, small_network, obeys_the_contract):
    images = draw(4, 3, 12, 12)
    others = (images + 0.1 * noise(4, 3, 12, 12)).clamp(0, 1)
    for normalize in (True, False):
        distance = feature_distance(layer_features(small_network()), normalize=normalize)
        obeys_the_contract(distance, images, others, tolerance=1e-12)


def test_it_is_a_metric(draw, noise, small_network):
    distance = feature_distance(layer_features(small_network()))
    a, b, c = draw(2, 3, 8, 8), noise(2, 3, 8, 8), noise(2, 3, 8, 8, seed=9)
    torch.testing.assert_close(distance(a, b), distance(b, a))
    assert (distance(a, c) <= distance(a, b) + distance(b, c)).all()
    assert torch.equal(distance(a, a), torch.zeros(2, dtype=torch.float64))


def test_the_gradient_is_zero_at_equality_and_finite_without_activations(small_network):
    images = torch.zeros(1, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    for normalize in (True, False):
        distance = feature_distance(lambda x: [torch.relu(x), x.flatten(1)], normalize=normalize)
        (gradient,) = torch.autograd.grad(distance(images, images.detach()).sum(), images)
        assert torch.equal(gradient, torch.zeros_like(gradient))
        (gradient,) = torch.autograd.grad(distance(images, images.detach() + 1).sum(), images)
        assert torch.isfinite(gradient).all()


def test_stacked_features_put_layers_side_by_side():
    rows = stacked_features([torch.ones(2, 4, 3, 3), torch.full((2, 9), 2.0)])
    assert rows.shape == (2, 45)
    torch.testing.assert_close(rows.square().sum(1), torch.full((2,), 2.0))


def test_bad_features_are_named(draw):
    images = draw(2, 3, 8, 8)
    for features, message in (
        (lambda x: x, "list of layer activations, got Tensor"),
        (lambda x: [], "got list without any"),
        (lambda x: [x, x[:1]], r"layer 1 as \(2, C, H, W\) or \(2, D\), got \(1, 3, 8, 8\)"),
        (lambda x: [None], r"layer 0 as \(N, C, H, W\) or \(N, D\), got NoneType"),
        (lambda x: [x, None], "layer 1 .* got NoneType"),
    ):
        with pytest.raises(ValueError, match=message):
            feature_distance(features).encode(images)
