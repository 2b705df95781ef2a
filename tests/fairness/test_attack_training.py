"""Training against an attack: the exact first step, the same batches as the robust baseline, and messages."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.attack_training import attack_training
from blindspots.fairness.robust_surrogate import robust_surrogate
from blindspots.fairness.wasserstein_robust_training import wasserstein_robust_training
from blindspots.seeding import generator


def test_one_step_is_the_gradient_of_the_attacked_loss(network, task):
    data, model = task(), network()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    moved = (data.images + 0.1).clamp(0, 1)
    loss = F.cross_entropy(model(moved), data.labels)
    gradients = dict(zip(before, torch.autograd.grad(loss, list(model.parameters())), strict=True))
    found = attack_training(
        model, data.images, data.labels, lambda x, y: (x + 0.1).clamp(0, 1), epochs=1, batch_size=99,
        learning_rate=0.5, optimizer="sgd", generator=generator(0),
    )  # fmt: skip
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.detach(), before[name] - 0.5 * gradients[name])
        assert value.grad is None
    assert found.losses[0] == pytest.approx(loss.item())
    distance = (moved - data.images).square().flatten(1).sum(1).mean().item()
    assert found.squared_distances[0] == pytest.approx(distance) and len(found.seconds) == 1


def test_with_the_surrogates_images_it_is_the_robust_baseline(network, task, flat_weights):
    data, models = task(20), [network(), network()]
    ascent = dict(weight=0.5, steps=3)
    options = dict(epochs=2, batch_size=8, learning_rate=0.01)
    attack_training(
        models[0], data.images, data.labels,
        lambda x, y: robust_surrogate(models[0], x, y, **ascent).images, generator=generator(1), **options,
    )  # fmt: skip
    wasserstein_robust_training(models[1], data.images, data.labels, generator=generator(1), **ascent, **options)
    assert torch.equal(flat_weights(models[0].state_dict()), flat_weights(models[1].state_dict()))


def test_without_an_attack_it_learns(network, task):
    data, model = task(60), network()
    found = attack_training(
        model, data.images, data.labels, None, epochs=30, batch_size=20, learning_rate=0.01, generator=generator(0)
    )
    assert found.losses[-1] < 0.5 * found.losses[0] and set(found.squared_distances) == {0.0}


def test_every_option_changes_the_result(network, task, flat_weights):
    data = task()

    def trained(attack=None, seed=0, **change):
        model = network()
        options = dict(epochs=1, batch_size=6, learning_rate=0.01) | change
        attack_training(model, data.images, data.labels, attack, generator=generator(seed), **options)
        return flat_weights(model.state_dict())

    base = trained()
    assert torch.equal(base, trained())
    changes = (dict(epochs=2), dict(batch_size=12), dict(learning_rate=0.02), dict(optimizer="sgd"), dict(seed=1),
               dict(attack=lambda x, y: 1 - x), dict(losses=lambda out, y: out.square().sum(1)))  # fmt: skip
    for change in changes:
        assert not torch.equal(base, trained(**change)), change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(epochs=0), "epochs: expected"),
        (dict(batch_size=0), "batch_size: expected"),
        (dict(learning_rate=0.0), "learning_rate: expected"),
        (dict(optimizer="lion"), "optimizer: expected one of adam, sgd"),
        (dict(attack=lambda x, y: x[:1]), "attack: expected"),
    ],
)
def test_bad_options_are_named(network, task, change, message):
    data = task()
    given = dict(attack=None, epochs=1) | change
    with pytest.raises(ValueError, match=message):
        attack_training(network(), data.images, data.labels, generator=generator(0), **given)


def test_a_divergence_gives_the_first_weights_back(network, task, flat_weights):
    data, model = task(), network(norm="none")
    before = flat_weights(model.state_dict()).clone()
    with pytest.raises(ValueError, match="learning_rate: training diverged in epoch"):
        attack_training(
            model, data.images, data.labels, None, epochs=9, batch_size=4, learning_rate=1e300, optimizer="sgd",
            generator=generator(0),
        )  # fmt: skip
    assert torch.equal(before, flat_weights(model.state_dict()))
