"""Sinha et al.'s training against scipy on a convex toy, and as a loop over batches."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.robust_surrogate import robust_surrogate
from blindspots.fairness.wasserstein_robust_training import wasserstein_robust_training
from blindspots.seeding import generator


def train(model, data, seed=0, **options):
    chosen = dict(weight=0.5, epochs=3, batch_size=5, learning_rate=0.01, steps=4) | options
    return wasserstein_robust_training(model, data.images, data.labels, generator=generator(seed), **chosen)


def test_the_trained_model_is_scipys_solution_on_a_convex_toy(line, logistic_toy):
    optimize = pytest.importorskip("scipy.optimize")
    toy = logistic_toy(20)
    start = np.array([0.5, 0.0, 0.0])
    theirs = optimize.minimize(lambda theta: toy.surrogates(theta, 0.6)[0].mean(), start, options=dict(gtol=1e-8))
    plain = optimize.minimize(lambda theta: toy.surrogates(theta, 1e4)[0].mean(), start)
    model = line(start[:2])
    made = train(
        model, toy, weight=0.6, epochs=100, batch_size=20, learning_rate=1.5, optimizer="sgd", steps=25,
        schedule="constant", clip=False,
    )  # fmt: skip
    found = np.array([*model.weights.tolist(), model.offset.item()])
    np.testing.assert_allclose(found, theirs.x, atol=1e-5)
    assert made.surrogates[-1] == pytest.approx(theirs.fun, abs=1e-9)
    assert np.abs(found - plain.x).max() > 0.1, "robust weights are others than plain ones"


def test_it_is_the_loop_over_batches(network, task, flat_weights):
    data, ours, model = task(), network(), network()
    made = train(ours, data, epochs=1)
    stepper = torch.optim.Adam(model.parameters(), lr=0.01)
    values = 0.0
    for rows in torch.randperm(12, generator=generator(0)).tensor_split(3):
        worst = robust_surrogate(model, data.images[rows], data.labels[rows], weight=0.5, steps=4)
        stepper.zero_grad()
        F.cross_entropy(model(worst.images), data.labels[rows]).backward()
        stepper.step()
        values += worst.values.sum().item()
    torch.testing.assert_close(flat_weights(ours.state_dict()), flat_weights(model.state_dict()), rtol=0, atol=1e-12)
    assert made.surrogates == pytest.approx((values / 12,)) and len(made.seconds) == len(made.distances) == 1


def test_it_lowers_the_surrogate_and_marks_nothing(network, task):
    data, model = task(), network(norm="batch")
    model.train()
    running = {name: value.clone() for name, value in model.named_buffers()}
    before = robust_surrogate(model, data.images, data.labels, weight=0.5).values.mean()
    made = train(model, data, epochs=15)
    assert robust_surrogate(model, data.images, data.labels, weight=0.5).values.mean() < 0.8 * before
    assert made.surrogates[-1] < made.surrogates[0] and all(distance > 0 for distance in made.distances)
    assert model.training and all(value.grad is None for value in model.parameters())
    assert all(torch.equal(value, running[name]) for name, value in model.named_buffers())


def test_options_and_seeds_matter(network, task, flat_weights):
    def trained(seed=0, **options):
        model = network()
        train(model, task(), seed=seed, epochs=1, **options)
        return flat_weights(model.state_dict())

    base = trained()
    assert torch.equal(base, trained()) and not torch.equal(base, trained(seed=1))
    for options in (dict(weight=2.0), dict(optimizer="sgd"), dict(steps=1), dict(learning_rate=0.02), dict(clip=False)):
        assert not torch.allclose(base, trained(**options)), options


def test_divergence_gives_the_first_weights_back(line, task):
    # A regression whose weights grow: the inner problem has no maximum once |w|^2 > 2 gamma.
    model, data = line(torch.full((64,), 0.1), regression=True), task()
    before = model.weights.detach().clone()
    with pytest.raises(ValueError, match=r"learning_rate: training diverged in epoch .* raise the weight"):
        train(
            model, data, weight=0.5, steps=15, learning_rate=1e6, optimizer="sgd", clip=False,
            losses=lambda outputs, labels: 0.5 * (outputs[:, 0] - labels).square(),
        )  # fmt: skip
    assert torch.equal(model.weights, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weight=0.0), "weight: expected a finite number > 0"),
        (dict(epochs=0), "epochs: expected"),
        (dict(batch_size=0), "batch_size: expected"),
        (dict(learning_rate=0.0), "learning_rate: expected a finite number > 0"),
        (dict(optimizer="lbfgs"), "optimizer: expected one of adam, sgd"),
        (dict(steps=0), "steps: expected"),
        (dict(schedule="none"), "schedule: expected one of constant, root"),
    ],
)
def test_bad_options_are_named(network, task, options, message):
    with pytest.raises(ValueError, match=message):
        train(network(), task(), **options)
