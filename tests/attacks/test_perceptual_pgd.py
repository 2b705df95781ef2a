"""PPGD on a linear model with a nearly linear distance, and its promises on a network."""

import pytest
import torch

from blindspots.attacks import FeatureBall, feature_newton_direction, flat_features, perceptual_pgd
from blindspots.attacks.gradients import margin_gradient

UNIT = 4000.0  # pixels per unit of flat_layer's distance, for 4x4 images and one channel


def halfway(image, weight, gap):
    return -(image * weight).sum().item() - gap


@pytest.mark.parametrize(("share", "flips"), [(0.99, True), (1.01, False)])
def test_it_flips_exactly_the_images_whose_boundary_lies_in_the_ball(linear_model, flat_layer, draw, share, flips):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, 0.4 + 0.1 * draw(1, 1, 4, 4)
    radius = 0.05
    model = linear_model(weight, halfway(images[0], weight, share * radius * weight.norm().item()))
    result = perceptual_pgd(
        model, images, torch.tensor([0]), features=flat_layer(), bound=radius / UNIT, steps=7, overshoot=0.0
    )
    assert result.success.item() is flips and result.distances.item() <= radius / UNIT
    # J'J is a multiple of the identity: it walks along the weight, 2/7 of the radius at a time, to the sphere.
    expected = images + radius * weight / weight.norm()
    torch.testing.assert_close(result.images, expected, rtol=0, atol=2e-3 * radius)
    assert result.steps.item() == 7 == result.gradient_evaluations.item()


def test_curved_distances_turn_the_step_towards_what_they_do_not_see(linear_model, flat_layer, draw):
    scale = torch.ones(1, 4, 4, dtype=torch.float64)
    scale[..., :2] = 5.0
    weight, images = draw(1, 4, 4, seed=2) - 0.5, 0.4 + 0.1 * draw(1, 1, 4, 4)
    radius = 0.05
    result = perceptual_pgd(
        linear_model(weight, halfway(images[0], weight, 0.001)), images, torch.tensor([0]),
        features=flat_layer(scale), bound=radius / UNIT, steps=2, overshoot=0.0, confidence=0.0,
    )  # fmt: skip
    assert result.steps.item() == 1
    # max w'd under ||scale d|| <= radius is at d = radius scale^-2 w / ||scale^-1 w||.
    expected = images + radius * (weight / scale.square()) / (weight / scale).norm()
    torch.testing.assert_close(result.images, expected, rtol=0, atol=2e-3 * radius)


def test_one_step_is_the_equation(small_network, layers, draw):
    model, features, images = small_network(channels=3), layers(), draw(2, 3, 12, 12)
    labels = model(images).argmax(1)
    result = perceptual_pgd(model, images, labels, features=features, bound=0.3, steps=8)
    once = perceptual_pgd(model, images, labels, features=features, bound=0.0375 / 2, steps=1, overshoot=0.0)
    gradient, _ = margin_gradient(model, images, labels)
    direction, length = feature_newton_direction(features, images, gradient)
    moved = images + 0.0375 * direction / length[:, None, None, None]
    ball = FeatureBall.around(images, features, 0.0375 / 2)
    torch.testing.assert_close(once.images, ball.project(moved.clamp(0, 1), overshoot=0.0))
    assert (result.distances <= 0.3).all() and (result.distances > 0.05).all()
    recomputed = (flat_features(features, result.images) - flat_features(features, images)).norm(dim=1)
    torch.testing.assert_close(result.distances, recomputed.detach())


def test_images_above_the_confidence_stop(linear_model, flat_layer, draw):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, (0.4 + 0.1 * draw(1, 1, 4, 4)).repeat(2, 1, 1, 1)
    model = linear_model(weight, halfway(images[0], weight, 0.01))
    result = perceptual_pgd(
        model, images, torch.tensor([0, 1]), features=flat_layer(), bound=0.5 / UNIT, steps=100, confidence=0.005
    )
    # Each step raises the margin by 0.01 ||w||; the second image already stands at 0.01.
    expected = int(0.015 / (0.01 * weight.norm().item())) + 1
    assert result.steps.tolist() == [expected, 0] and result.gradient_evaluations.tolist() == [expected, 0]
    assert torch.equal(result.images[1], images[1]) and result.success.all() and not result.stalled.any()


def test_features_that_see_nothing_stall_the_image(small_network, draw):
    images = draw(2, 3, 12, 12)
    model = small_network(channels=3)
    result = perceptual_pgd(model, images, model(images).argmax(1), features=lambda x: [0 * x + 1])
    assert result.stalled.all() and torch.equal(result.images, images) and (result.steps == 0).all()
    assert (result.gradient_evaluations == 1).all()


def test_noise_at_the_start_comes_from_the_generator(small_network, layers, draw):
    model, images, options = small_network(channels=3), draw(2, 3, 12, 12), dict(features=layers(), steps=2)
    labels = model(images).argmax(1)

    def run(seed):
        generator = torch.Generator().manual_seed(seed)
        return perceptual_pgd(model, images, labels, start_noise=0.01, generator=generator, **options).images

    assert torch.equal(run(1), run(1)) and not torch.equal(run(1), run(2))
    with pytest.raises(TypeError, match=r"generator: expected a torch\.Generator"):
        perceptual_pgd(model, images, labels, start_noise=0.01, **options)


def test_a_noisy_start_is_brought_into_the_ball_even_if_no_step_follows(small_network, layers, draw):
    model, images, features = small_network(channels=3), draw(2, 3, 12, 12), layers()
    labels = (model(images).argmax(1) + 1) % 4
    generator = torch.Generator().manual_seed(0)
    result = perceptual_pgd(
        model, images, labels, features=features, bound=0.02, confidence=0.0, start_noise=0.3, generator=generator
    )
    assert (result.distances <= 0.02).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bound", [0.02, 0.1, 0.5])
@pytest.mark.parametrize(
    "options", [dict(), dict(jacobian="finite_difference"), dict(projection_iterations=0), dict(overshoot=0.0)]
)
def test_returned_images_lie_within_the_bound(
    small_network, rectified_layers, distances_by_hand, draw, options, bound, dtype
):
    model, images = small_network(channels=3, dtype=dtype), draw(6, 3, 12, 12, dtype=dtype)
    labels = model(images).argmax(1)
    features = rectified_layers(dtype)
    result = perceptual_pgd(model, images, labels, features=features, bound=bound, steps=6, confidence=100.0, **options)
    found = distances_by_hand(rectified_layers(), result.images, images)
    assert (found <= bound * (1 + 1e-3)).all() and result.images.min() >= 0 and result.images.max() <= 1
    # No margin is enough and the steps add up to twice the bound, so the projection had to hold some images back.
    assert found.max() > 0.5 * bound
    torch.testing.assert_close(result.distances.double(), found, rtol=1e-3, atol=1e-6)


def test_every_option_changes_the_result(small_network, layers, draw):
    model, images = small_network(channels=3), draw(3, 3, 12, 12)
    labels, base = model(images).argmax(1), dict(features=layers(), bound=0.1, steps=5)
    first = perceptual_pgd(model, images, labels, **base)
    for options in (
        dict(bound=0.05), dict(steps=3), dict(cg_iterations=1), dict(jacobian="finite_difference"),
        dict(confidence=0.0), dict(overshoot=0.01), dict(projection_iterations=0), dict(features=layers().first),
    ):  # fmt: skip
        if "features" in options:
            inner = options["features"]
            options = dict(features=lambda batch, inner=inner: [inner(batch)])
        other = perceptual_pgd(model, images, labels, **(base | options))
        assert (other.images - first.images).abs().max() > 1e-6, options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(bound=0.0), "bound: expected a finite number > 0"),
        (dict(steps=0), "steps: expected a finite number >= 1"),
        (dict(cg_iterations=0), "cg_iterations: expected a finite number >= 1"),
        (dict(jacobian="no"), "jacobian: expected one of"),
        (dict(confidence=-1), "confidence: expected a finite number >= 0"),
        (dict(overshoot=-1), "overshoot: expected a finite number >= 0"),
        (dict(projection_iterations=-1), "projection_iterations: expected a finite number >= 0"),
        (dict(start_noise=-1), "start_noise: expected a finite number >= 0"),
    ],
)
def test_bad_options_are_named(small_network, layers, draw, options, message):
    with pytest.raises(ValueError, match=message):
        perceptual_pgd(
            small_network(channels=3), draw(1, 3, 12, 12), torch.tensor([0]), **(dict(features=layers()) | options)
        )
