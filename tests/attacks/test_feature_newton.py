"""The conjugate-gradient direction against dense solves."""

import pytest
import torch

from blindspots.attacks import feature_newton_direction, flat_features


def dense_jacobian(features, image):
    jacobian = torch.autograd.functional.jacobian(lambda x: flat_features(features, x)[0], image)
    return jacobian.reshape(jacobian.shape[0], -1)


def plain_conjugate_gradients(matrix, side, iterations):
    x, r = torch.zeros_like(side), side.clone()
    p = r.clone()
    for _ in range(iterations):
        alpha = (r @ r) / (p @ matrix @ p)
        x, new = x + alpha * p, r - alpha * (matrix @ p)
        p, r = new + (new @ new) / (r @ r) * p, new
    return x


@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_it_is_conjugate_gradients_on_the_dense_product(layers, draw, iterations):
    features, images, gradients = layers(), draw(3, 3, 6, 6), draw(3, 3, 6, 6, seed=2) - 0.5
    directions, lengths = feature_newton_direction(features, images, gradients, iterations=iterations)
    for index in range(3):
        jacobian = dense_jacobian(features, images[index : index + 1])
        expected = plain_conjugate_gradients(jacobian.T @ jacobian, gradients[index].flatten(), iterations)
        torch.testing.assert_close(directions[index].flatten(), expected, rtol=1e-8, atol=0)
        assert lengths[index].item() == pytest.approx((jacobian @ expected).norm().item())


def test_many_iterations_solve_the_system(layers, draw):
    features, image, gradient = layers(channels=1), draw(1, 1, 5, 5), draw(1, 1, 5, 5, seed=2) - 0.5
    direction, _ = feature_newton_direction(features, image, gradient, iterations=200)
    jacobian = dense_jacobian(features, image)
    expected = torch.linalg.solve(jacobian.T @ jacobian, gradient.flatten())
    assert torch.cosine_similarity(direction.flatten(), expected, dim=0).item() == pytest.approx(1, abs=1e-9)


def test_two_iterations_divide_by_two_curvatures(flat_layer, draw):
    # J'J is diagonal with two values, so two steps are exact: the blind side gets 25 times the step.
    scale = torch.ones(1, 4, 4, dtype=torch.float64)
    scale[..., :2] = 5.0
    images, gradients = draw(1, 1, 4, 4), draw(1, 1, 4, 4, seed=2) - 0.5
    direction, _ = feature_newton_direction(flat_layer(scale), images, gradients, iterations=2)
    expected = gradients / scale.square()
    torch.testing.assert_close(direction / direction.norm(), expected / expected.norm(), rtol=1e-3, atol=1e-6)


def test_differences_approach_the_exact_product(layers, draw):
    features, images, gradients = layers(), draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=2) - 0.5
    exact, length = feature_newton_direction(features, images, gradients)
    other, near = feature_newton_direction(features, images, gradients, jacobian="finite_difference")
    assert not torch.equal(exact, other)
    assert torch.cosine_similarity(exact.flatten(1), other.flatten(1)).min() > 0.999
    torch.testing.assert_close(length, near, rtol=1e-2, atol=0)


def test_scale_of_the_gradient_only_scales_the_direction(layers, draw):
    features, images, gradients = layers(), draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=2) - 0.5
    one, _ = feature_newton_direction(features, images, gradients)
    thousand, _ = feature_newton_direction(features, images, 1000 * gradients)
    torch.testing.assert_close(thousand, 1000 * one)


def test_no_gradient_and_blind_features_give_0(layers, draw):
    images, gradients = draw(2, 3, 8, 8), draw(2, 3, 8, 8, seed=2) - 0.5
    gradients[0] = 0
    directions, lengths = feature_newton_direction(layers(), images, gradients)
    assert directions[0].abs().max() == 0 == lengths[0] and lengths[1] > 0
    blind = feature_newton_direction(lambda x: [0 * x + 1], images, gradients)
    assert blind[0].abs().max() == 0 and blind[1].abs().max() == 0


def test_bad_options_are_named(layers, draw):
    images = draw(1, 3, 8, 8)
    with pytest.raises(ValueError, match="iterations: expected a finite number >= 1"):
        feature_newton_direction(layers(), images, images, iterations=0)
    with pytest.raises(ValueError, match="jacobian: expected one of exact, finite_difference"):
        feature_newton_direction(layers(), images, images, jacobian="none")
    with pytest.raises(ValueError, match=r"features: .*remove torch\.no_grad"):
        feature_newton_direction(lambda x: [x.detach()], images, images)
