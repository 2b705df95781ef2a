"""Group DRO against its algorithm written out, and against plain training on a task with a poor minority."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.dro_train import dro_train_many
from blindspots.fairness.group_dro_train import group_dro_train
from blindspots.fairness.weighted_images import WeightedImages
from blindspots.seeding import generator

GROUPS = torch.tensor([0] * 7 + [1] * 4 + [2])
OPTIONS = dict(steps=60, learning_rate=0.1, group_step_size=0.2)


def train(models, data, groups=GROUPS, seeds=(0, 1), **options):
    return group_dro_train(models, data, groups, generators=[generator(s) for s in seeds], **(OPTIONS | options))


def printed_loop(model, data, batch_size, seed, steps=60):
    """The algorithm with a plain vector q."""
    chances = torch.tensor([12 / (3 * (g == GROUPS).sum().item()) for g in GROUPS.tolist()], dtype=torch.float64)
    rows = torch.multinomial(chances, steps * batch_size, replacement=True, generator=generator(seed))
    q = torch.full((3,), 1 / 3, dtype=torch.float64)
    stepper = torch.optim.SGD(model.parameters(), lr=0.1)
    for batch in rows.view(steps, batch_size):
        losses = F.cross_entropy(model(data.images[batch]), data.labels[batch], reduction="none")
        here = {g: losses[GROUPS[batch] == g].mean() for g in GROUPS[batch].unique().tolist()}
        for g, loss in here.items():
            q[g] *= torch.exp(0.2 * loss.detach())
        q /= q.sum()
        stepper.zero_grad()
        sum(q[g] * loss for g, loss in here.items()).backward()
        stepper.step()
    return model


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("path", ["stacked", "one_by_one"])
def test_it_is_the_printed_loop_for_each_model(network, task, flat_weights, batch_size, path):
    data, models = task(), [network(seed=0), network(seed=1)]
    made = train(models, data, batch_size=batch_size, path=path)
    for seed in (0, 1):
        expected = printed_loop(network(seed=seed), data, batch_size, seed)
        torch.testing.assert_close(
            flat_weights(made.states[seed]), flat_weights(expected.state_dict()), rtol=0, atol=1e-10
        )
    assert made.losses.shape == (2, 60) and made.diverged_at == (None, None)


def minority(n=90, seed=0):
    """Return images of two classes told by one pixel, of which a tenth has the pixel the other way round and dimmer.

    A second pixel tells the groups apart, so that a network can serve both.
    """
    draws = generator(seed, "minority")
    labels = torch.arange(n) % 2
    groups = (torch.arange(n) % 10 == 9).long()
    images = 0.4 + 0.2 * torch.rand(n, 1, 1, 3, generator=draws, dtype=torch.float64)
    sign = 2.0 * labels - 1.0
    images[:, 0, 0, 0] += torch.where(groups == 1, -0.2, 0.4) * sign
    images[:, 0, 0, 1] = groups.double()
    return WeightedImages(images.clamp(0, 1), labels, torch.ones(n, dtype=torch.float64)), groups


def small():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2))
    return net.double()


def test_the_worst_group_fares_better_than_in_plain_training():
    data, groups = minority()
    model, draws = small(), dict(generators=[generator(0)], steps=400)
    plain = dro_train_many([model], data, learning_rate=0.2, **draws)
    robust = group_dro_train([model], data, groups, learning_rate=0.4, group_step_size=0.05, generators=[generator(0)],
                             steps=400)  # fmt: skip

    def worst(made):
        with torch.no_grad():
            losses = F.cross_entropy(made.load(model)(data.images), data.labels, reduction="none")
        return max(losses[groups == g].mean().item() for g in (0, 1))

    assert worst(robust) < 0.8 * worst(plain)


def test_weights_do_not_overflow_in_long_runs(network, task):
    made = train([network()], task(), seeds=(0,), steps=200, group_step_size=1000, learning_rate=1e-6)
    assert made.diverged_at == (None,) and made.losses.isfinite().all()


def test_options_matter(network, task, flat_weights):
    def trained(**options):
        return flat_weights(train([network()], task(), seeds=(0,), **options).states[0])

    base = trained()
    assert torch.equal(base, trained())
    for options in (dict(group_step_size=2.0), dict(learning_rate=0.05), dict(steps=30), dict(batch_size=2)):
        assert not torch.allclose(base, trained(**options)), options
    both = train([network()] * 2, task(), models_at_once=1)
    torch.testing.assert_close(flat_weights(both.states[0]), base, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(groups=torch.zeros(12, dtype=torch.long)), "groups: expected at least two groups"),
        (dict(groups=GROUPS * 2), "groups: expected images of every group"),
        (dict(group_step_size=0.0), "group_step_size: expected a finite number > 0"),
        (dict(steps=0), "steps: expected"),
        (dict(seeds=(0,)), r"generators: expected one per model \(2"),
        (dict(on_divergence="no"), "on_divergence: expected one of"),
        (dict(learning_rate=float("inf")), "learning_rate: expected a finite number > 0"),
    ],
)
def test_bad_input_is_named(network, task, options, message):
    with pytest.raises(ValueError, match=message):
        train([network(), network()], task(), **options)


def test_divergence_is_told_or_recorded(task):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        deep = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 16), torch.nn.Linear(16, 3))
    data = task(dtype=torch.float32)
    with pytest.raises(ValueError, match=r"learning_rate: training diverged at step \d+ .* lower it \(model 0\)"):
        train([deep], data, seeds=(0,), learning_rate=1e30)
    assert train([deep], data, seeds=(0,), learning_rate=1e30, on_divergence="record").diverged_at[0] > 0
