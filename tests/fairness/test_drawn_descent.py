"""Many models at once train as each would alone, and as torch's own SGD does."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.drawn_descent import drawn_descent, faster_path
from blindspots.seeding import generator


def rows_for(n_models, steps, batch_size, n=12, seed=0):
    return torch.randint(0, n, (n_models, steps, batch_size), generator=generator(seed))


def constant(factor):
    return lambda n_models: lambda losses, rows: torch.full_like(losses, factor)


def by_row(values):
    return lambda n_models: lambda losses, rows: values[rows]


def descend(models, data, rows, make_factors=None, **options):
    chosen = dict(learning_rate=0.05) | options
    return drawn_descent(models, data.images, data.labels, rows, make_factors or constant(1.0), **chosen)


def assert_alike(found, expected, atol):
    assert len(found.states) == len(expected.states)
    for ours, theirs in zip(found.states, expected.states, strict=True):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            torch.testing.assert_close(ours[name], value, rtol=0, atol=atol)
    torch.testing.assert_close(found.losses, expected.losses, rtol=0, atol=10 * atol, equal_nan=True)
    assert found.diverged_at == expected.diverged_at


def test_one_by_one_is_torchs_sgd(network, task, flat_weights):
    data, rows, model = task(), rows_for(1, 40, 3), network()
    factors = torch.linspace(0.2, 2.0, 12, dtype=torch.float64)
    found = descend([network()], data, rows, by_row(factors), path="one_by_one")
    stepper = torch.optim.SGD(model.parameters(), lr=0.05)
    for step, batch in enumerate(rows[0]):
        stepper.zero_grad()
        each = F.cross_entropy(model(data.images[batch]), data.labels[batch], reduction="none")
        assert found.losses[0, step].item() == pytest.approx(each.mean().item(), abs=1e-12)
        (each * factors[batch]).mean().backward()
        stepper.step()
    torch.testing.assert_close(flat_weights(found.states[0]), flat_weights(model.state_dict()), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("norm", "batch_size"), [("group", 1), ("group", 4), ("none", 1), ("batch", 4)])
def test_stacked_is_one_by_one_over_the_whole_run(network, task, norm, batch_size):
    models = [network(seed=seed, norm=norm) for seed in (0, 0, 1)]
    rows = rows_for(3, 150, batch_size)
    factors = by_row(torch.linspace(0.2, 2.0, 12, dtype=torch.float64))
    one, many = (descend(models, task(), rows, factors, path=path) for path in ("one_by_one", "stacked"))
    assert one.path == "one_by_one" and many.path == "stacked"
    assert_alike(many, one, 1e-10)
    start = models[0].state_dict()
    assert max((one.states[0][name] - start[name]).abs().max().item() for name in start) > 0.1, "something was learned"
    assert one.losses[:, -40:].mean() < 0.5 * one.losses[:, :20].mean()


def test_in_float32_the_first_fifty_steps_agree(network, task):
    models = [network(seed=seed, dtype=torch.float32) for seed in range(4)]
    data, rows = task(dtype=torch.float32), rows_for(4, 50, 1)
    one, many = (descend(models, data, rows, path=path) for path in ("one_by_one", "stacked"))
    assert one.states[0]["classifier.weight"].dtype == torch.float32
    assert_alike(many, one, 1e-4)


@pytest.mark.parametrize("path", ["one_by_one", "stacked"])
def test_models_are_left_as_they_were(network, task, path):
    model = network(norm="batch")
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = descend([model, model], task(), rows_for(2, 5, 2), path=path)
    assert model.training and all(value.grad is None for value in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    running = [name for name in before if "running" in name or "tracked" in name]
    assert running and all(torch.equal(found.states[0][name], before[name]) for name in running)
    assert not torch.equal(found.states[0]["classifier.weight"], found.states[1]["classifier.weight"])
    loaded = found.load(model, 1)
    assert torch.equal(loaded.state_dict()["classifier.weight"], found.states[1]["classifier.weight"])


@pytest.mark.parametrize("path", ["one_by_one", "stacked"])
def test_frozen_weights_stay(network, task, path):
    model = network()
    model.features.requires_grad_(False)
    found = descend([model, model], task(), rows_for(2, 5, 1), path=path)
    for name, value in model.state_dict().items():
        assert torch.equal(found.states[1][name], value) == name.startswith(("features", "mean", "std"))


@pytest.mark.parametrize("path", ["one_by_one", "stacked"])
def test_factors_see_the_losses_of_their_models(network, task, path):
    asked = []

    def make_factors(n_models):
        asked.append(n_models)

        def factors(losses, rows):
            assert losses.shape == rows.shape == (n_models, 2) and not losses.requires_grad
            return losses * 0 + (losses > 1.0)

        return factors

    descend([network(seed=s) for s in range(3)], task(), rows_for(3, 4, 2), make_factors, path=path)
    assert asked == ([3] if path == "stacked" else [1, 1, 1])


def test_a_factor_of_zero_learns_nothing_and_two_is_twice_the_rate(network, task, flat_weights):
    rows, start = rows_for(1, 10, 1), network()
    idle = descend([start], task(), rows, constant(0.0))
    assert torch.equal(flat_weights(idle.states[0]), flat_weights(start.state_dict()))
    double = descend([start], task(), rows, constant(2.0))
    assert_alike(double, descend([start], task(), rows, learning_rate=0.1), 1e-12)


class Product(torch.nn.Module):
    """Logits that grow with the product of three weights, whose steps run away at a large rate."""

    def __init__(self, scale):
        super().__init__()
        self.factors = torch.nn.Parameter(scale * torch.ones(3, dtype=torch.float64))

    def forward(self, images):
        score = self.factors.prod() * (images.mean((1, 2, 3)) - 0.9)
        return torch.stack([torch.zeros_like(score), score, -score], 1)


@pytest.mark.parametrize("path", ["one_by_one", "stacked"])
def test_a_diverging_model_is_named_and_its_neighbor_goes_on(task, path):
    models, rows = [Product(1.0), Product(1e120)], rows_for(2, 200, 1)
    found = descend(models, task(), rows, path=path)
    assert found.diverged_at[0] is None and found.losses[0].isfinite().all()
    step = found.diverged_at[1]
    assert step == 1 and not found.losses[1, step - 1].isfinite()


def test_weights_that_overflow_in_the_last_step_are_noticed(task):
    one = descend([Product(1.0)], task(), rows_for(1, 1, 1), constant(float("inf")), path="one_by_one")
    many = descend([Product(1.0)], task(), rows_for(1, 1, 1), constant(float("inf")), path="stacked")
    assert one.losses.isfinite().all() and one.diverged_at == many.diverged_at == (1,)


def test_the_faster_path_is_taken_unless_one_is_named(network, task):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    small, large = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 32, 32)
    assert faster_path(50, small, 16, cpu) == faster_path(50, large, 4, cpu) == "stacked"
    assert faster_path(50, small, 64, cpu) == faster_path(50, large, 16, cpu) == "one_by_one"
    assert faster_path(5, small, 1, cpu) == "stacked" and faster_path(4, small, 1, cpu) == "one_by_one"
    assert faster_path(2, large, 64, cuda) == "stacked" and faster_path(1, small, 1, cuda) == "one_by_one"
    data = task()
    assert descend([network()] * 5, data, rows_for(5, 1, 1)).path == "stacked"
    assert descend([network()], data, rows_for(1, 1, 1)).path == "one_by_one"
    assert descend([network()] * 5, data, rows_for(5, 1, 200)).path == "one_by_one"
    assert descend([network()], data, rows_for(1, 1, 1), path="stacked").path == "stacked"


def test_bad_arguments_are_named(network, task):
    data, rows = task(), rows_for(1, 2, 1)
    with pytest.raises(ValueError, match="path: expected one of stacked, one_by_one"):
        descend([network()], data, rows, path="vmap")
    with pytest.raises(ValueError, match="learning_rate: expected a finite number > 0"):
        descend([network()], data, rows, learning_rate=-1.0)
    with pytest.raises(ValueError, match="models: expected at least one"):
        descend([], data, rows)
    with pytest.raises(ValueError, match="models: expected parameters that require gradients"):
        descend([network().requires_grad_(False)], data, rows)
    with pytest.raises(ValueError, match="models: expected one architecture and dtype, got another at place 1"):
        descend([network(), network(norm="none")], data, rows)
    with pytest.raises(ValueError, match=r"rows: expected \(2, steps, B\), one set per model, got \(1, 2, 1\)"):
        descend([network()] * 2, data, rows)
    with pytest.raises(ValueError, match="rows: expected rows from 0 to 11, got values from"):
        descend([network()], data, rows + 12)
    with pytest.raises(ValueError, match="labels: expected classes from 0 to 1"):
        descend([network(n_classes=2)], data, rows)
