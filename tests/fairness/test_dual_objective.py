"""The dual's minimum against a closed form and against scipy, for given and for trained weights."""

import numpy as np
import pytest
import torch

from blindspots.fairness.dual_objective import dual_minimum, dual_objective
from blindspots.fairness.robust_surrogate import robust_surrogate
from blindspots.fairness.wasserstein_robust_training import wasserstein_robust_training
from blindspots.seeding import generator

EXACT = dict(steps=100, schedule="constant", clip=False)


def half_squares(outputs, labels):
    return 0.5 * (outputs[:, 0] - labels).square()


def test_a_regression_has_the_square_root_form(line):
    # inf_lambda lambda delta + lambda R / (2 lambda - s) = (sqrt(R) + sqrt(s delta))^2 / 2, R = mean r^2, s = |w|^2
    images = torch.rand(30, 1, 2, 2, generator=generator(0), dtype=torch.float64)
    targets = torch.arange(30) % 3
    weights = torch.tensor([0.3, -0.5, 0.2, 0.7], dtype=torch.float64)
    model, s = line(weights, 0.1, regression=True), weights.square().sum()
    r = (images.flatten(1) @ weights + 0.1 - targets).square().mean()
    for bound in (0.01, 0.2):
        found = dual_minimum(
            lambda weight: robust_surrogate(model, images, targets, weight=weight, losses=half_squares, **EXACT),
            bound, low=0.6 * s.item(), high=50.0, tolerance=1e-5,
        )  # fmt: skip
        assert found.converged and found.iterations > 3
        assert found.value == pytest.approx((r.sqrt() + (s * bound).sqrt()).square().item() / 2, abs=1e-9)
        assert found.weight == pytest.approx((s + (s * r / bound).sqrt()).item() / 2, rel=1e-4)
        assert found.distance == pytest.approx(bound, rel=1e-5)
        assert found.value == pytest.approx(dual_objective(found.surrogate, bound), abs=1e-15)


def test_the_minimum_is_scipys_for_given_weights(line, logistic_toy):
    optimize = pytest.importorskip("scipy.optimize")
    toy, theta, bound = logistic_toy(), np.array([1.1, -0.4, 0.2]), 0.15
    model = line(theta[:2], theta[2])

    def by_root(gamma):
        return gamma * bound + toy.surrogates(theta, gamma)[0].mean()

    theirs = optimize.minimize_scalar(by_root, bounds=(0.18, 5.0), method="bounded", options=dict(xatol=1e-9))
    ours = dual_minimum(
        lambda weight: robust_surrogate(model, toy.images, toy.labels, weight=weight, **EXACT), bound, low=0.18,
        high=5.0, tolerance=1e-8,
    )  # fmt: skip
    assert ours.converged and ours.weight == pytest.approx(theirs.x, rel=1e-5)
    assert ours.value == pytest.approx(theirs.fun, abs=1e-10)


def test_trained_weights_and_multiplier_are_scipys_solution_of_the_whole_dual(line, logistic_toy):
    optimize = pytest.importorskip("scipy.optimize")
    toy, bound = logistic_toy(12), 0.1

    def whole(point):
        return np.exp(point[3]) * bound + toy.surrogates(point[:3], np.exp(point[3]))[0].mean()

    theirs = optimize.minimize(whole, np.array([0.5, 0.0, 0.0, 0.0]), method="BFGS", options=dict(gtol=1e-7))
    model = line([0.5, 0.0])

    def trained(weight):
        wasserstein_robust_training(
            model, toy.images, toy.labels, weight=weight, epochs=25, batch_size=12, learning_rate=1.5, optimizer="sgd",
            generator=generator(0), steps=12, schedule="constant", clip=False,
        )  # fmt: skip
        return robust_surrogate(model, toy.images, toy.labels, weight=weight, **EXACT)

    ours = dual_minimum(trained, bound, low=0.5, high=2.0, tolerance=1e-3)
    assert ours.converged and ours.value == pytest.approx(theirs.fun, abs=1e-6)
    assert ours.weight == pytest.approx(np.exp(theirs.x[3]), rel=2e-3)
    found = [*model.weights.tolist(), model.offset.item()]
    np.testing.assert_allclose(found, theirs.x[:3], atol=1e-3)


def test_the_dual_bounds_the_loss_of_every_shifted_data_set(line, logistic_toy):
    toy, model = logistic_toy(), line([1.1, -0.4], 0.2)
    surrogate = robust_surrogate(model, toy.images, toy.labels, weight=0.6, **EXACT)
    draws = generator(3)
    for _ in range(50):
        shift = torch.randn(toy.images.shape, generator=draws, dtype=torch.float64)
        shift *= 0.8 * torch.rand((), generator=draws)
        bound = shift.square().flatten(1).sum(1).mean().item()
        with torch.no_grad():
            loss = torch.nn.functional.cross_entropy(model(toy.images + shift), toy.labels).item()
        assert loss <= dual_objective(surrogate, bound)


def test_the_ends_of_the_interval(line, logistic_toy):
    toy, model = logistic_toy(), line([1.1, -0.4], 0.2)

    def surrogate_at(weight):
        return robust_surrogate(model, toy.images, toy.labels, weight=weight, **EXACT)

    at_low = dual_minimum(surrogate_at, 100.0, low=0.3, high=3.0)
    assert at_low.converged and at_low.weight == 0.3 and at_low.iterations == 0 and at_low.distance < 100
    with pytest.raises(ValueError, match="high: expected a multiplier at which images move less than the bound 1e-06"):
        dual_minimum(surrogate_at, 1e-6, low=0.3, high=3.0)
    short = dual_minimum(surrogate_at, 0.1, low=0.3, high=3.0, tolerance=1e-12, max_iterations=3)
    assert not short.converged and short.iterations == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(bound=0.0), "bound: expected a finite number > 0"),
        (dict(low=0.0), "low: expected a finite number > 0"),
        (dict(high=0.1), r"high: expected a finite number > 0\.2"),
        (dict(tolerance=0.0), "tolerance: expected"),
        (dict(max_iterations=0), "max_iterations: expected"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        dual_minimum(lambda weight: None, **(dict(bound=0.1, low=0.2, high=1.0) | options))
