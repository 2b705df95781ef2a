"""Flat features, the ball and the ways back into it."""

import pytest
import torch

from blindspots.attacks import FeatureBall, flat_features
from blindspots.attacks.feature_ball import noisy_start


def test_channels_have_unit_length_at_each_position_and_layers_weigh_alike(layers, draw):
    features, images = layers(), draw(2, 3, 9, 9)
    flat = flat_features(features, images)
    first, second = features(images)
    assert flat.shape == (2, first[0].numel() + second[0].numel())
    torch.testing.assert_close(flat.square().sum(dim=1), torch.full((2,), 2.0, dtype=torch.float64))
    expected = first / first.norm(dim=1, keepdim=True) / 9.0
    torch.testing.assert_close(flat[:, : first[0].numel()], expected.flatten(1))


def test_the_distance_is_that_of_the_equation(layers, draw):
    features, images, centers = layers(), draw(2, 3, 9, 9), draw(2, 3, 9, 9, seed=4)
    total = 0
    for ours, theirs in zip(features(images), features(centers), strict=True):
        unit = [layer / layer.norm(dim=1, keepdim=True) for layer in (ours, theirs)]
        total = total + (unit[0] - unit[1]).square().sum(dim=1).mean(dim=(1, 2))
    ball = FeatureBall.around(centers, features, 0.5)
    torch.testing.assert_close(ball.distances(images), total.sqrt().detach())
    assert ball.distances(centers).abs().max() == 0
    assert ball.select(torch.tensor([1])).distances(images[1:]).item() == pytest.approx(total[1].sqrt().item())


def test_the_gradient_is_that_of_finite_differences_and_0_inside(layers, draw):
    features, images, centers = layers(), draw(2, 3, 7, 7), draw(2, 3, 7, 7, seed=4)
    centers[1] = images[1] + 1e-4
    ball = FeatureBall.around(centers, features, 0.1)
    flat, distances, gradients = ball.measure(images)
    assert distances[0] > 0.1 > distances[1] and gradients[1].abs().max() == 0
    torch.testing.assert_close(flat, flat_features(features, images).detach())
    direction = draw(2, 3, 7, 7, seed=9) - 0.5
    above, below = (ball.distances(images + step * direction) for step in (1e-6, -1e-6))
    assert ((above - below) / 2e-6)[0].item() == pytest.approx((gradients * direction)[0].sum().item(), abs=1e-8)


@pytest.mark.parametrize("overshoot", [0.0, 1e-5])
def test_newton_lands_where_the_equation_says_for_a_linear_distance(flat_layer, draw, overshoot):
    centers = 0.4 + 0.1 * draw(1, 1, 4, 4)
    direction = draw(1, 1, 4, 4, seed=3) - 0.5
    direction /= direction.norm()
    # The distance is ||x - y|| / 4000; the bound is 0.2 in pixels and the image lies at 0.3.
    ball = FeatureBall.around(centers, flat_layer(), 0.2 / 4000)
    projected = ball.project(centers + 0.3 * direction, overshoot=overshoot)
    expected = 0.3 - (1 + overshoot) * (0.1 + 4000 * overshoot)
    # The distance is linear but for (x / 1000)^2.
    torch.testing.assert_close(projected, centers + expected * direction, rtol=0, atol=1e-3 * 0.2)
    assert ball.distances(projected).item() <= ball.bound


def test_every_projected_image_is_inside_and_those_inside_stay(layers, draw):
    features, centers = layers(), draw(4, 3, 9, 9)
    images = draw(4, 3, 9, 9, seed=6)
    images[2] = centers[2] + 1e-3
    for bound in (0.02, 0.2, 0.5):
        ball = FeatureBall.around(centers, features, bound)
        for options in (dict(), dict(overshoot=0.0), dict(max_iterations=0), dict(max_iterations=1)):
            projected = ball.project(images, **options)
            assert (ball.distances(projected) <= bound).all() and projected.min() >= 0 and projected.max() <= 1
            assert torch.equal(projected[2], images[2])


def test_bisection_ends_within_a_thousandth_of_the_boundary(flat_layer, draw):
    centers, images = draw(1, 1, 4, 4), draw(1, 1, 4, 4, seed=3)
    whole = (images - centers).norm().item()
    ball = FeatureBall.around(centers, flat_layer(), 0.37 * whole / 4000)
    reached = (ball.bisect(images) - centers).norm().item() / whole
    assert 0.37 - 1 / 1024 - 1e-6 <= reached <= 0.37 + 1e-6


def test_noise_is_seeded_and_only_drawn_when_asked(draw):
    images = draw(2, 3, 32, 32)
    first, second, other = (
        noisy_start(images, 0.01, torch.Generator().manual_seed(seed)) - images for seed in (1, 1, 2)
    )
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert first.std().item() == pytest.approx(0.01, rel=0.05)
    assert torch.equal(noisy_start(images, 0.0, None), images)
    with pytest.raises(TypeError, match=r"generator: expected a torch.Generator, got NoneType"):
        noisy_start(images, 0.01, None)


@pytest.mark.parametrize(
    "features", [lambda x: x, lambda x: [], lambda x: [x.flatten(1)], lambda x: [x[:1]], lambda x: [x, 3]]
)
def test_features_that_are_none_are_named(draw, features):
    with pytest.raises(ValueError, match=r"features: expected a list of activations \(2, c, h, w\), got"):
        FeatureBall.around(draw(2, 3, 5, 5), features, 0.5)


def test_features_without_a_gradient_and_bad_bounds_are_named(draw):
    ball = FeatureBall.around(draw(2, 3, 5, 5), lambda x: [x.detach()], 0.1)
    with pytest.raises(ValueError, match=r"features: .*remove torch.no_grad or detach"):
        ball.measure(draw(2, 3, 5, 5, seed=2))
    with pytest.raises(ValueError, match="bound: expected a finite number > 0"):
        FeatureBall.around(draw(2, 3, 5, 5), lambda x: [x], 0)
    with pytest.raises(ValueError, match="the features: expected finite"):
        FeatureBall.around(draw(2, 3, 5, 5), lambda x: [x / 0], 0.1)
