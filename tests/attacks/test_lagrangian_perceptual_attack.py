"""LPA and its fast form against a plain loop over one image, and on a linear model."""

import pytest
import torch

from blindspots.attacks import FeatureBall, flat_features, lagrangian_perceptual_attack

UNIT = 4000.0  # pixels per unit of flat_layer's distance, for 4x4 images and one channel


def attack(model, images, labels, **options):
    return lagrangian_perceptual_attack(model, images, labels, **(dict(start_noise=0.0) | options))


def plain_loop(model, image, label, features, *, bound, steps, rounds=5, kappa=1.0, fast=False):
    """LPA for one image, as the equations stand, without its projection."""
    x, weight = image.clone(), 0.01
    center = flat_features(features, image).detach()
    for turn in range(1 if fast else rounds):
        for t in range(steps):
            leaf = x.clone().requires_grad_(True)
            logits = model(leaf)[0]
            others = torch.cat([logits[:label], logits[label + 1 :]])
            margin = others.max() - logits[label]
            flat = flat_features(features, leaf)
            distance = (flat - center).norm()
            if fast:
                weight = 10 * 0.1 ** (1 - t / steps)
            else:
                if t == 0 and turn > 0 and distance > bound:
                    weight *= 10
                if margin > 0 and distance <= bound:
                    return x
            loss = (margin if fast else margin.clamp(max=kappa)) - weight * (distance - bound).clamp(min=0)
            (a,) = torch.autograd.grad(loss, leaf)
            u = a / a.norm()
            with torch.no_grad():
                slope = (flat_features(features, x - 0.1 * u) - flat).norm() / 0.1
                x = (x + bound * 0.1 ** (t / steps) / slope * u).clamp(0, 1)
    return x


@pytest.mark.parametrize(
    ("bound", "options"),
    [(0.2, dict(steps=6)), (0.01, dict(steps=3, rounds=3)), (0.05, dict(steps=8, fast=True))],
)
def test_it_follows_the_plain_loop(small_network, layers, draw, bound, options):
    model, features, images = small_network(channels=3), layers(), draw(3, 3, 12, 12)
    labels = model(images).argmax(1)
    result = attack(model, images, labels, features=features, bound=bound, project=False, **options)
    for index in range(3):
        expected = plain_loop(model, images[index : index + 1], labels[index].item(), features, bound=bound, **options)
        torch.testing.assert_close(result.images[index], expected[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("share", "flips"), [(0.95, True), (1.02, False)])
def test_it_flips_the_images_whose_boundary_lies_in_the_ball(linear_model, flat_layer, draw, share, flips):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, 0.4 + 0.1 * draw(1, 1, 4, 4)
    radius = 0.05
    offset = -(images[0] * weight).sum().item() - share * radius * weight.norm().item()
    result = attack(
        linear_model(weight, offset), images, torch.tensor([0]), features=flat_layer(),
        bound=radius / UNIT, overshoot=0.0,
    )  # fmt: skip
    assert result.success.item() is flips and result.distances.item() <= radius / UNIT
    # The first step is as long as the radius and goes along the weight.
    assert result.steps.item() == 1 if flips else result.steps.item() == 200
    if flips:
        torch.testing.assert_close(result.images, images + radius * weight / weight.norm(), rtol=0, atol=1e-3 * radius)


def test_misclassified_images_return_unchanged(linear_model, flat_layer, draw):
    weight, images = draw(1, 4, 4, seed=2) - 0.5, draw(2, 1, 4, 4)
    labels = (linear_model(weight, 0.1)(images).argmax(1) + 1) % 2
    result = attack(linear_model(weight, 0.1), images, labels, features=flat_layer(), bound=0.1 / UNIT)
    assert torch.equal(result.images, images) and result.success.all() and not result.stalled.any()
    assert (result.steps == 0).all() and (result.gradient_evaluations == 0).all()


def test_the_image_that_was_tested_is_the_one_returned(small_network, layers, draw):
    model, features, images = small_network(channels=3), layers(), draw(4, 3, 12, 12)
    labels = model(images).argmax(1)
    result = attack(model, images, labels, features=features, bound=0.3)
    stopped = result.steps < 200
    assert stopped.any() and result.success[stopped].all() and (result.distances[stopped] <= 0.3).all()
    free = attack(model, images, labels, features=features, bound=0.3, project=False)
    assert torch.equal(free.images[stopped], result.images[stopped])


def test_the_fast_form_has_a_soft_bound_unless_projected(small_network, layers, draw):
    model, features, images = small_network(channels=3), layers(), draw(3, 3, 12, 12)
    labels = model(images).argmax(1)
    result = attack(model, images, labels, features=features, bound=0.05, fast=True)
    assert (result.steps == 20).all() and (result.gradient_evaluations == 20).all()
    assert (result.distances > 0.05).any() and (result.distances < 0.1).all()
    projected = attack(model, images, labels, features=features, bound=0.05, fast=True, project=True)
    ball = FeatureBall.around(images, features, 0.05)
    torch.testing.assert_close(projected.images, ball.project(result.images))
    assert (projected.distances <= 0.05).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bound", [0.02, 0.1, 0.3])
@pytest.mark.parametrize(
    "options", [dict(rounds=2), dict(fast=True), dict(rounds=2, projection_iterations=0), dict(rounds=2, overshoot=0.0)]
)
def test_projected_images_lie_within_the_bound(
    small_network, rectified_layers, distances_by_hand, draw, options, bound, dtype
):
    model, images = small_network(channels=3, dtype=dtype), draw(6, 3, 12, 12, dtype=dtype)
    labels = model(images).argmax(1)

    def run(project):
        generator = torch.Generator().manual_seed(0)
        result = lagrangian_perceptual_attack(
            model, images, labels, features=rectified_layers(dtype), bound=bound, steps=6, project=project,
            generator=generator, **options,
        )  # fmt: skip
        return result, distances_by_hand(rectified_layers(), result.images, images)

    result, found = run(True)
    assert (found <= bound * (1 + 1e-3)).all() and result.images.min() >= 0 and result.images.max() <= 1
    torch.testing.assert_close(result.distances.double(), found, rtol=1e-3, atol=1e-6)
    _, free = run(False)
    assert (free > bound * (1 + 1e-3)).any(), "there is something to project"


def test_noise_at_the_start_comes_from_the_generator(small_network, layers, draw):
    model, images, options = small_network(channels=3), draw(2, 3, 12, 12), dict(features=layers(), steps=2)
    labels = model(images).argmax(1)

    def run(seed):
        generator = torch.Generator().manual_seed(seed)
        return lagrangian_perceptual_attack(model, images, labels, generator=generator, **options).images

    assert torch.equal(run(1), run(1)) and not torch.equal(run(1), run(2))
    with pytest.raises(TypeError, match=r"generator: expected a torch\.Generator"):
        lagrangian_perceptual_attack(model, images, labels, **options)


def test_features_that_see_nothing_leave_the_image(small_network, draw):
    model, images = small_network(channels=3), draw(2, 3, 12, 12)
    result = attack(model, images, model(images).argmax(1), features=lambda x: [0 * x + 1], steps=2)
    assert torch.equal(result.images, images) and (result.steps == 0).all()


def test_every_option_changes_the_result(small_network, layers, draw):
    model, images = small_network(channels=3), draw(3, 3, 12, 12)
    both = layers()

    def last_layer(batch):
        return both(batch)[1:]

    labels, base = model(images).argmax(1), dict(features=both, bound=0.02, steps=3, overshoot=0.005)
    first = attack(model, images, labels, **base)
    for options in (
        dict(bound=0.03), dict(steps=4), dict(fast=True), dict(rounds=2), dict(project=False), dict(overshoot=0.0),
        dict(projection_iterations=0), dict(features=last_layer),
    ):  # fmt: skip
        other = attack(model, images, labels, **(base | options))
        assert (other.images - first.images).abs().max() > 1e-6, options
    quick = dict(features=layers(), bound=0.5, fast=True, steps=5)
    assert not torch.equal(
        attack(model, images, labels, confidence=0.01, **quick).images, attack(model, images, labels, **quick).images
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(bound=0.0), "bound: expected a finite number > 0"),
        (dict(steps=0), "steps: expected a finite number >= 1"),
        (dict(rounds=0), "rounds: expected a finite number >= 1"),
        (dict(confidence=-1), "confidence: expected a finite number >= 0"),
        (dict(overshoot=-1), "overshoot: expected a finite number >= 0"),
        (dict(projection_iterations=-1), "projection_iterations: expected a finite number >= 0"),
        (dict(start_noise=-1), "start_noise: expected a finite number >= 0"),
    ],
)
def test_bad_options_are_named(small_network, layers, draw, options, message):
    with pytest.raises(ValueError, match=message):
        attack(small_network(channels=3), draw(1, 3, 12, 12), torch.tensor([0]), **(dict(features=layers()) | options))
