"""phi against closed forms: a regression, a classifier by root finding, and what an ascent may have missed."""

import numpy as np
import pytest
import torch

from blindspots.fairness.robust_surrogate import (
    cross_entropies,
    robust_surrogate,
    squared_distance,
    surrogate_gap,
)
from blindspots.perception import ssim_distance
from blindspots.seeding import generator

IMAGES = torch.rand(5, 1, 2, 2, generator=generator(0), dtype=torch.float64)
TARGETS = torch.tensor([0, 1, 0, 1, 1])


def half_squares(outputs, labels):
    return 0.5 * (outputs[:, 0] - labels).square()


def test_a_regression_has_its_closed_form(line):
    # sup_u (r + w . u)^2 / 2 - lambda |u|^2 = lambda r^2 / (2 lambda - |w|^2)
    weights = torch.tensor([0.3, -0.5, 0.2, 0.7], dtype=torch.float64)
    model, square = line(weights, 0.1, regression=True), weights.square().sum()
    options = dict(weight=1.5, steps=200, schedule="constant", clip=False, losses=half_squares)
    found = robust_surrogate(model, IMAGES, TARGETS, **options)
    residuals = IMAGES.flatten(1) @ weights + 0.1 - TARGETS
    torch.testing.assert_close(found.values, 1.5 * residuals.square() / (3.0 - square), rtol=0, atol=1e-12)
    moves = (residuals / (3.0 - square))[:, None] * weights
    torch.testing.assert_close(found.images - IMAGES, moves.view(IMAGES.shape), rtol=0, atol=1e-9)
    torch.testing.assert_close(found.distances, moves.square().sum(1), rtol=0, atol=1e-9)
    # Values that rounding cannot tell apart have gradients of its root.
    assert found.gradients.abs().max() < 1e-7 and found.weight == 1.5 and not found.clipped


def test_a_classifier_agrees_with_scipys_root(line, logistic_toy):
    pytest.importorskip("scipy")
    toy, theta = logistic_toy(), np.array([1.1, -0.4, 0.2])
    model = line(theta[:2], theta[2])
    found = robust_surrogate(model, toy.images, toy.labels, weight=0.5, steps=300, schedule="constant", clip=False)
    values, distances = toy.surrogates(theta, 0.5)
    np.testing.assert_allclose(found.values.numpy(), values, atol=1e-12)
    np.testing.assert_allclose(found.distances.numpy(), distances, atol=1e-8)


def test_the_first_steps_are_those_of_sinhas_code(line):
    # x1 = x + e g(x); then x += (e g(x) - (x - x0)) / sqrt(t + 2), with e = 1 / (2 gamma).
    model, gamma = line([2.0, -1.0, 0.5, 1.0]), 0.7

    def pull(point):
        leaf = point.clone().requires_grad_(True)
        return torch.autograd.grad(cross_entropies(model(leaf), TARGETS).sum(), leaf)[0] / (2 * gamma)

    point = IMAGES + pull(IMAGES)
    for t in range(3):
        point = point + (pull(point) - (point - IMAGES)) / (t + 2) ** 0.5
    found = robust_surrogate(model, IMAGES, TARGETS, weight=gamma, steps=4, clip=False)
    longer = robust_surrogate(model, IMAGES, TARGETS, weight=gamma, steps=400, schedule="constant", clip=False)
    with torch.no_grad():
        values = cross_entropies(model(point), TARGETS) - gamma * squared_distance(point, IMAGES)
    assert (found.values >= values - 1e-12).all() and (found.values <= longer.values + 1e-12).all()
    last = (found.values - values).abs() < 1e-12
    assert last.any()
    torch.testing.assert_close(found.images[last], point[last], rtol=0, atol=1e-12)


def test_it_is_never_below_the_loss_and_falls_with_the_weight(network, task):
    data, model = task(), network()
    with torch.no_grad():
        plain = cross_entropies(model(data.images), data.labels)
    previous = None
    for weight in (0.05, 0.5, 5.0):
        found = robust_surrogate(model, data.images, data.labels, weight=weight, steps=20)
        assert (found.values >= plain).all() and found.images.min() >= 0 and found.images.max() <= 1
        parts = found.losses - weight * squared_distance(found.images, data.images)
        torch.testing.assert_close(found.values, parts)
        assert previous is None or (found.values.mean() < previous.values.mean())
        assert previous is None or (found.distances.mean() < previous.distances.mean())
        previous = found
    wild = robust_surrogate(model, data.images, data.labels, weight=0.5, steps=3, step_size=1e6)
    assert (wild.values >= plain).all(), "a step too long loses nothing"


def test_any_distance_can_be_the_cost(network, task):
    data, model = task(), network()
    found = robust_surrogate(model, data.images, data.labels, ssim_distance, weight=1.0, steps=10, step_size=0.5)
    torch.testing.assert_close(found.distances, ssim_distance(found.images, data.images))
    assert (found.values > found.values.new_tensor(0)).all() and found.distances.mean() > 1e-4


def test_the_model_and_images_are_left_alone(network, task):
    data, model = task(), network(norm="batch")
    model.train()
    before, images = {name: value.clone() for name, value in model.state_dict().items()}, data.images.clone()
    robust_surrogate(model, data.images, data.labels, weight=1.0, steps=2)
    assert model.training and all(value.grad is None for value in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(images, data.images)


def test_every_option_changes_the_result(network, task):
    data, model = task(), network()
    base = dict(weight=0.3, steps=3)
    first = robust_surrogate(model, data.images, data.labels, **base).images
    changes = (dict(weight=0.6), dict(steps=2), dict(step_size=0.1), dict(schedule="constant"), dict(clip=False))
    for options in changes:
        other = robust_surrogate(model, data.images, data.labels, **(base | options)).images
        assert not torch.allclose(first, other), options


@pytest.mark.parametrize("clip", [True, False])
def test_the_gap_covers_what_a_short_ascent_missed(line, clip):
    weights = torch.tensor([1.5, -1.0, 0.5, 1.0], dtype=torch.float64)
    model, smoothness = line(weights), weights.square().sum().item() / 4  # of the logistic loss
    options = dict(weight=0.8, schedule="constant", clip=clip)
    exact = robust_surrogate(model, IMAGES, TARGETS, steps=3000, step_size=0.1, **options)
    for steps in (1, 3, 10):
        short = robust_surrogate(model, IMAGES, TARGETS, steps=steps, step_size=0.1, **options)
        missed, gap = exact.values - short.values, surrogate_gap(short, smoothness)
        assert (missed <= gap + 1e-12).all() and (missed >= -1e-12).all() and missed.max() > 1e-6
    assert surrogate_gap(exact, smoothness).max() < 1e-9, "nothing is left to gain, also at the edge of [0, 1]"
    if clip:
        assert exact.gradients.abs().max() > 1e-3
    with pytest.raises(ValueError, match=r"smoothness: expected less than 2 weight = 1\.6, got 1\.7"):
        surrogate_gap(exact, 1.7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weight=0.0), "weight: expected a finite number > 0"),
        (dict(steps=0), "steps: expected"),
        (dict(step_size=0.0), "step_size: expected"),
        (dict(schedule="cosine"), "schedule: expected one of constant, root"),
        (dict(losses=lambda outputs, labels: outputs[:, 0] * float("nan")), "step_size: expected finite losses"),
    ],
)
def test_bad_options_are_named(line, options, message):
    with pytest.raises(ValueError, match=message):
        robust_surrogate(line([1.0, 2.0, 3.0, 4.0]), IMAGES, TARGETS, **(dict(weight=1.0) | options))


def test_bad_images_are_named(line):
    with pytest.raises(ValueError, match=r"images: expected values in \[0, 1\]"):
        robust_surrogate(line([1.0, 2.0, 3.0, 4.0]), IMAGES + 1, TARGETS, weight=1.0)
    with pytest.raises(ValueError, match="labels: expected shape"):
        robust_surrogate(line([1.0, 2.0, 3.0, 4.0]), IMAGES, TARGETS[:2], weight=1.0)
