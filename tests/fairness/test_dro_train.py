"""Algorithm 4.2 against the printed loop, one model and many, and what literal weights do."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.dro_train import dro_train, dro_train_many
from blindspots.fairness.weighted_images import WeightedImages
from blindspots.seeding import generator

WEIGHTS = torch.cat([torch.ones(4), torch.arange(1.0, 9.0)]).double()
OPTIONS = dict(steps=60, learning_rate=0.02)


def many(model, data, seeds=(0, 1, 2), **options):
    models = model if isinstance(model, list) else [model] * len(seeds)
    return dro_train_many(models, data, generators=[generator(seed) for seed in seeds], **(OPTIONS | options))


@pytest.mark.parametrize(
    ("weighting", "factor"),
    [("sampling_only", lambda p: 1.0), ("literal", lambda p: p), ("normalized", lambda p: p / WEIGHTS.mean())],
)
def test_it_is_the_printed_loop(network, task, flat_weights, weighting, factor):
    data, model, ours = task(weights=WEIGHTS), network(), network()
    made = dro_train(ours, data, weighting=weighting, generator=generator(0), **OPTIONS)
    rows = torch.multinomial(WEIGHTS, 60, replacement=True, generator=generator(0))
    stepper = torch.optim.SGD(model.parameters(), lr=0.02)
    for row in rows:
        stepper.zero_grad()
        (factor(WEIGHTS[row]) * F.cross_entropy(model(data.images[row][None]), data.labels[row][None])).backward()
        stepper.step()
    torch.testing.assert_close(flat_weights(ours.state_dict()), flat_weights(model.state_dict()), rtol=0, atol=1e-12)
    assert made.losses.shape == (1, 60) and made.diverged_at == (None,)


@pytest.mark.parametrize("path", ["stacked", "one_by_one"])
@pytest.mark.parametrize("weighting", ["sampling_only", "literal", "normalized"])
def test_many_are_each_alone(network, task, flat_weights, path, weighting):
    data = task(weights=WEIGHTS)
    made = many(network(), data, path=path, weighting=weighting, batch_size=2)
    for seed in range(3):
        alone = network()
        dro_train(alone, data, weighting=weighting, batch_size=2, generator=generator(seed), **OPTIONS)
        torch.testing.assert_close(
            flat_weights(made.states[seed]), flat_weights(alone.state_dict()), rtol=0, atol=1e-10
        )


def test_parts_of_the_models_are_the_whole(network, task, flat_weights):
    data = task(weights=WEIGHTS)
    whole, parts = many(network(), data), many(network(), data, models_at_once=2)
    assert len(parts.states) == 3 and parts.losses.shape == (3, 60) and parts.diverged_at == (None,) * 3
    for ours, theirs in zip(parts.states, whole.states, strict=True):
        torch.testing.assert_close(flat_weights(ours), flat_weights(theirs), rtol=0, atol=1e-10)


@pytest.mark.parametrize("path", ["stacked", "one_by_one"])
def test_each_model_may_have_its_own_set_and_start(network, task, flat_weights, path):
    sets = [task(n, seed=n, weights=torch.arange(1.0, n + 1).double()) for n in (12, 7, 9)]
    models = [network(seed=seed) for seed in range(3)]
    made = many(models, sets, path=path, weighting="normalized")
    for seed, data in enumerate(sets):
        alone = network(seed=seed)
        dro_train(alone, data, weighting="normalized", generator=generator(seed), **OPTIONS)
        torch.testing.assert_close(
            flat_weights(made.states[seed]), flat_weights(alone.state_dict()), rtol=0, atol=1e-10
        )


def test_a_set_that_stands_there_twice_is_drawn_from_twice(network, task, flat_weights):
    first, other = (task(n, seed=n, weights=torch.arange(1.0, n + 1).double()) for n in (12, 7))
    made = many([network()] * 3, [first, other, first])
    for seed, data in enumerate([first, other, first]):
        alone = network()
        dro_train(alone, data, generator=generator(seed), **OPTIONS)
        torch.testing.assert_close(
            flat_weights(made.states[seed]), flat_weights(alone.state_dict()), rtol=0, atol=1e-10
        )


def test_it_learns_the_task_and_seeds_differ(network, task):
    model, fresh = network(), task(60, seed=9)
    made = many(model, task(40), steps=600, learning_rate=0.05)
    accuracies = []
    for place in range(3):
        with torch.no_grad():
            accuracies.append((made.load(model, place)(fresh.images).argmax(1) == fresh.labels).double().mean().item())
    assert min(accuracies) > 0.8
    assert not torch.equal(made.states[0]["classifier.weight"], made.states[1]["classifier.weight"])


def test_heavy_items_are_learned_first(network, task):
    weights = torch.where(torch.arange(12) < 6, 100.0, 1.0).double()
    data, model = task(weights=weights), network()
    dro_train(model, data, steps=60, learning_rate=0.05, generator=generator(0))
    with torch.no_grad():
        losses = F.cross_entropy(model(data.images), data.labels, reduction="none")
    assert losses[:6].mean() < 0.5 * losses[6:].mean()


def deep_linear():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [torch.nn.Linear(64, 16), torch.nn.Linear(16, 16), torch.nn.Linear(16, 3)]
    return torch.nn.Sequential(torch.nn.Flatten(), *layers)


def test_literal_weights_overflow_and_the_reason_is_told(task):
    data = task(dtype=torch.float32, weights=torch.arange(1.0, 13.0).double() * 10)
    options = dict(steps=200, learning_rate=0.05)
    model = deep_linear()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"diverged at step \d+ .* 'literal', whose longest .* times 120: the weights"):
        dro_train(model, data, weighting="literal", generator=generator(0), **options)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    for path in ("stacked", "one_by_one"):
        record = many(model, data, weighting="literal", path=path, on_divergence="record", **options)
        assert all(step is not None and 1 <= step <= 200 for step in record.diverged_at)
        with pytest.raises(ValueError, match=r"\(model 0\)"):
            many(model, data, weighting="literal", path=path, **options)
    for weighting in ("sampling_only", "normalized"):
        made = dro_train(deep_linear(), data, weighting=weighting, generator=generator(0), **options)
        assert made.diverged_at == (None,) and made.losses.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(steps=0), "steps: expected a finite number >= 1"),
        (dict(batch_size=0), "batch_size: expected"),
        (dict(learning_rate=0.0), "learning_rate: expected a finite number > 0"),
        (dict(weighting="normalised"), "weighting: expected one of"),
        (dict(on_divergence="ignore"), "on_divergence: expected one of raise, record"),
        (dict(models_at_once=0), "models_at_once: expected"),
        (dict(path="fast"), "path: expected one of stacked, one_by_one"),
    ],
)
def test_bad_options_are_named(network, task, options, message):
    with pytest.raises(ValueError, match=message):
        many(network(), task(), **options)


def test_numbers_that_do_not_fit_are_named(network, task):
    data, model = task(), network()
    draws = generator(0)
    with pytest.raises(ValueError, match=r"generators: expected one per model \(3, at least 1\), got 2"):
        many([model] * 3, data, seeds=(0, 1))
    with pytest.raises(ValueError, match="generators: expected a generator of its own for each model"):
        dro_train_many([model] * 2, data, generators=[draws, draws], **OPTIONS)
    with pytest.raises(ValueError, match="robust_data: expected one set, or one for each of 3 models, got 2"):
        many(model, [data, data])
    with pytest.raises(ValueError, match=r"robust_data\.weights: expected weights > 0"):
        many(model, WeightedImages(data.images, data.labels, data.weights * 0))


@pytest.mark.parametrize("path", ["stacked", "one_by_one"])
def test_a_bar_changes_nothing(network, task, flat_weights, path):
    shown, plain = (many(network(), task(), path=path, steps=5, progress=progress) for progress in (True, False))
    assert torch.equal(flat_weights(shown.states[2]), flat_weights(plain.states[2]))
