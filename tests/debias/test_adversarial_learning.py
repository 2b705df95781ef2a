"""The reversed gradient turns the encoder against an adversary, which is misled, and the bias lessens."""

import math

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias import erm
from blindspots.debias.adversarial_learning import adversarial_learning, ramped_weight, reverse_gradient
from blindspots.debias.group_training import GroupTraining
from blindspots.models import mlp
from blindspots.seeding import generator

SETTINGS = {"epochs": 15, "batch_size": 64, "learning_rate": 0.01}


def trained(rows, labels, groups, seed=0, **options):
    model = mlp(3, 2, hidden=(16,), seed=0)
    return adversarial_learning(model, rows, labels, groups, generator=generator(seed), **(SETTINGS | options))


def weights(result):
    return torch.cat([parameter.detach().flatten() for parameter in result.model.parameters()])


def line(n_features, draws=None):
    """Return a linear layer to two logits, of random or zero weights, without the global generator."""
    layer = torch.nn.utils.skip_init(torch.nn.Linear, n_features, 2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_() if draws is None else parameter.normal_(generator=draws)
    return layer


def test_the_gradient_is_turned_around_and_the_values_are_not():
    values = torch.randn(5, 3, generator=generator(0), requires_grad=True)
    turned = reverse_gradient(values, weight=0.3)
    assert torch.equal(turned, values)
    factors = torch.arange(15.0).reshape(5, 3)
    assert torch.allclose(torch.autograd.grad((factors * turned).sum(), values)[0], -0.3 * factors)


def test_the_ramp_rises_from_nothing_to_nearly_one():
    assert ramped_weight(0.0) == 0
    assert ramped_weight(0.1) == pytest.approx(math.tanh(0.5))
    assert 0.9999 < ramped_weight(1.0) < 1


def test_one_step_follows_the_three_gradients(biased_rows):
    rows, labels, groups = biased_rows(40)
    weight, rate = 0.7, 1e-3
    start, moved = mlp(3, 2, hidden=(4,), seed=0), mlp(3, 2, hidden=(4,), seed=0)
    adversaries = line(4, generator(3)), line(4, generator(3))
    adversarial_learning(
        moved, rows, labels, groups, weight=weight, ramp=False, adversary=adversaries[1], epochs=1, batch_size=40,
        learning_rate=rate, generator=generator(0),
    )  # fmt: skip
    features = start.encode(rows)
    task, spying = F.cross_entropy(start.head(features), labels), F.cross_entropy(adversaries[0](features), groups)
    encoder, head = list(start.features.parameters()), list(start.classifier.parameters())
    spy = list(adversaries[0].parameters())
    slopes = [
        first - weight * second
        for first, second in zip(
            torch.autograd.grad(task, encoder, retain_graph=True),
            torch.autograd.grad(spying, encoder, retain_graph=True),
            strict=True,
        )
    ]
    slopes += [*torch.autograd.grad(task, head, retain_graph=True), *torch.autograd.grad(spying, spy)]
    after = [*moved.features.parameters(), *moved.classifier.parameters(), *adversaries[1].parameters()]
    for before, now, slope in zip([*encoder, *head, *spy], after, slopes, strict=True):
        # Adam's first step is the rate times the gradient's sign, but for parameters with hardly any gradient.
        clear = slope.abs() > 1e-5
        assert clear.any()
        assert torch.allclose((now - before)[clear], -rate * slope.sign()[clear], atol=rate / 50)


def test_no_weight_trains_as_standard_training_does(biased_rows):
    data = biased_rows()
    first, second = generator(0), generator(0)
    torch.randint(2**62, (), generator=second)  # what the adversary's first weights take
    options = SETTINGS | {"epochs": 3}
    ours = adversarial_learning(mlp(3, 2, hidden=(16,), seed=0), *data, weight=0.0, generator=first, **options)
    standard = erm(mlp(3, 2, hidden=(16,), seed=0), *data, generator=second, **options)
    assert torch.equal(weights(ours), weights(standard))


@pytest.mark.parametrize("given_label", [False, True])
def test_the_adversary_is_misled_and_the_bias_lessens(biased_rows, odds_of, given_label):
    rows, labels, groups = biased_rows(4000, seed=1)
    told, odds = [], []
    for weight in (0.0, 2.0):
        adversary = line(18 if given_label else 16)
        result = trained(*biased_rows(), weight=weight, given_label=given_label, adversary=adversary, epochs=40)
        assert isinstance(result, GroupTraining)
        with torch.no_grad():
            seen = result.model.encode(rows)
            if given_label:
                seen = torch.cat([seen, F.one_hot(labels, 2).float()], dim=1)
            told.append((adversary(seen).argmax(1) == groups).double().mean().item())
            accuracy = (result.model(rows).argmax(1) == labels).double().mean().item()
        odds.append(odds_of(result.model, rows, labels, groups))
    assert told[0] > 0.95 and told[1] < told[0] - 0.05
    assert odds[1] < odds[0] / 2
    assert accuracy > 0.7


def test_options_and_seeds_change_the_outcome(biased_rows):
    data = biased_rows(60)

    def result(**options):
        return weights(trained(*data, **({"epochs": 2} | options)))

    assert torch.equal(result(), result())
    for changed in (
        {"seed": 1}, {"weight": 2.0}, {"ramp": False}, {"given_label": True}, {"hidden": 7}, {"weight_decay": 0.1},
    ):  # fmt: skip
        assert not torch.equal(result(), result(**changed))


def test_a_given_adversary_is_trained_and_kept_in_no_state(biased_rows):
    adversary = line(16).eval()
    result = trained(*biased_rows(60), adversary=adversary, epochs=1)
    assert adversary.weight.abs().max() > 0 and not adversary.training
    assert all(parameter.grad is None for parameter in adversary.parameters())
    assert set(result.states[0]) == set(mlp(3, 2, hidden=(16,), seed=0).state_dict())


def test_bad_arguments_are_refused(biased_rows):
    data = biased_rows(20)
    for options, error, message in (
        ({"weight": -1.0}, ValueError, "weight: expected a finite number >= 0"),
        ({"hidden": 0}, ValueError, "hidden: expected a finite number >= 1"),
        ({"adversary": line(3)}, ValueError, r"adversary: expected one that takes \(16,\)"),
        ({"adversary": torch.nn.Identity()}, ValueError, r"adversary: expected logits \(1, 2\) .* got \(1, 16\)"),
        ({"adversary": "none"}, TypeError, "adversary: expected a torch module"),
        ({"epochs": 0}, ValueError, "epochs: expected a finite number >= 1"),
        ({"batch_size": 0}, ValueError, "batch_size: expected a finite number >= 1"),
    ):
        with pytest.raises(error, match=message):
            trained(*data, **options)
    with pytest.raises(TypeError, match="model: expected one with"):
        adversarial_learning(
            torch.nn.Sequential(mlp(3, 2, hidden=(4,), seed=0)), *data, generator=generator(0), **SETTINGS
        )
    with pytest.raises(ValueError, match="groups: expected examples of both groups"):
        trained(data[0], data[1], 0 * data[2])


def three_classes(n=60):
    """Return rows, labels of three classes and groups, every cell filled."""
    rows = torch.randn(n, 3, generator=generator(6))
    return rows, torch.arange(n) % 3, torch.arange(n) // 3 % 2


@pytest.mark.parametrize("given_label", [False, True])
def test_there_may_be_more_classes_than_two(given_label):
    model = mlp(3, 3, hidden=(16,), seed=0)
    result = adversarial_learning(
        model, *three_classes(), given_label=given_label, generator=generator(0), **(SETTINGS | {"epochs": 2})
    )
    assert len(result.states) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_answer_is_that_of_the_cpu(biased_rows):
    data = biased_rows(60)
    settings = SETTINGS | {"epochs": 1}
    here, there = mlp(3, 2, hidden=(16, 16), seed=0), mlp(3, 2, hidden=(16, 16), seed=0).cuda()
    for model in (here, there):
        adversarial_learning(model, *data, given_label=True, generator=generator(0), **settings)
    found, expected = there.state_dict(), here.state_dict()
    assert all(torch.allclose(value.cpu(), expected[name], atol=1e-4) for name, value in found.items())
