"""RNF's loss by its definition, partners from the other group, a frozen encoder, and less bias."""

import copy

import pytest
import torch

from blindspots.debias import erm
from blindspots.debias.group_training import GroupTraining
from blindspots.debias.rnf import DEGREES, partners_in_batch, rnf, rnf_loss
from blindspots.models import mlp, small_cnn
from blindspots.seeding import generator

SETTINGS = {"epochs": 10, "batch_size": 64, "learning_rate": 0.003}


def standard(data, hidden=(16, 16)):
    model = mlp(3, 2, hidden=hidden, seed=0)
    return erm(model, *data, generator=generator(0), epochs=20, batch_size=64, learning_rate=0.01).model


def trained(model, data, seed=0, smoothing=0.1, **options):
    settings = SETTINGS | {"encoder_depth": 2} | options
    return rnf(copy.deepcopy(model), *data, smoothing=smoothing, generator=generator(seed), **settings)


def weights(result):
    return torch.cat([parameter.detach().flatten() for parameter in result.model.parameters()])


class Transparent(torch.nn.Module):
    """Features are the inputs; the head writes down what it is asked while it trains."""

    def __init__(self, n_features, n_classes=2):
        super().__init__()
        self.line = torch.nn.utils.skip_init(torch.nn.Linear, n_features, n_classes)
        torch.nn.init.zeros_(self.line.weight)
        torch.nn.init.zeros_(self.line.bias)
        self.asked = []

    def encode(self, inputs):
        return inputs

    def head(self, features):
        if self.training:
            self.asked.append(features)
        return self.line(features)

    def forward(self, inputs):
        return self.line(inputs)


def test_the_loss_by_its_definition():
    draws = generator(0)
    first, second = (torch.randn(6, 4, generator=draws, dtype=torch.float64) for _ in range(2))
    targets = torch.rand(6, 3, generator=draws, dtype=torch.float64)
    matrix = torch.randn(4, 3, generator=draws, dtype=torch.float64)

    def chances(row):
        raised = (row @ matrix).exp()
        return raised / raised.sum()

    expected = 0.0
    for a, b, target in zip(first, second, targets, strict=True):
        neutral = chances(0.5 * a + 0.5 * b)
        expected += ((neutral - target) ** 2).sum().item() / 3 / 6
        for degree in (0.6, 0.8):
            expected += 0.7 * (chances(degree * a + (1 - degree) * b) - neutral).abs().sum().item() / 6
    found = rnf_loss(lambda z: z @ matrix, first, second, targets, smoothing=0.7, degrees=(0.6, 0.8))
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_a_half_smooths_nothing_and_the_published_degrees_are_the_default():
    draws = generator(0)
    first, second = (torch.randn(6, 4, generator=draws) for _ in range(2))
    targets, matrix = torch.full((6, 2), 0.5), torch.randn(4, 2, generator=draws)

    def loss(**options):
        return rnf_loss(lambda z: z @ matrix, first, second, targets, **options).item()

    assert loss(smoothing=3.0, degrees=(0.5,)) == pytest.approx(loss(smoothing=0.0))
    assert loss(smoothing=1.0) == loss(smoothing=1.0, degrees=(0.6, 0.7, 0.8, 0.9)) > loss(smoothing=0.0)


def test_partners_have_the_same_label_and_the_other_group_with_equal_chances():
    labels, groups = torch.tensor([0, 0, 0, 0, 1, 1]), torch.tensor([0, 1, 1, 1, 0, 1])
    draws = generator(0)
    found = torch.stack([partners_in_batch(labels, groups, generator=draws) for _ in range(3000)])
    assert (labels[found] == labels).all() and (groups[found] != groups).all()
    # A third each of 3,000 draws, with a standard deviation of 26.
    assert (found[:, 0].bincount(minlength=4)[1:4] - 1000).abs().max() < 130


def test_without_the_other_group_the_partner_is_of_the_same():
    labels, groups = torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0])
    found = torch.stack([partners_in_batch(labels, groups, generator=generator(seed)) for seed in range(50)])
    assert set(found[:, 0].tolist()) == {0, 1}
    assert set(found[:, 2].tolist()) == {2}


@pytest.mark.parametrize(("partners", "batch_size"), [("batch", 40), ("all", 3)])
def test_the_head_is_shown_the_mean_of_an_example_and_its_partner(biased_rows, partners, batch_size):
    _, labels, groups = biased_rows(40)
    model = Transparent(40)
    rnf(
        model, torch.eye(40), labels, groups, smoothing=0.0, partners=partners, epochs=1, batch_size=batch_size,
        learning_rate=0.01, generator=generator(0),
    )  # fmt: skip
    shown = torch.cat(model.asked)
    assert shown.shape == (40, 40)
    for row in shown:
        pair = row.nonzero().squeeze(1)
        assert row[pair].tolist() == [0.5, 0.5]
        assert labels[pair[0]] == labels[pair[1]] and groups[pair[0]] != groups[pair[1]]


def test_the_targets_are_the_softened_chances_of_the_given_model(biased_rows):
    data = biased_rows()
    model = standard(data)
    # A rate too small to move anything, and the trained head: the loss is that of the model on its own mean chances.
    records = {}
    for temperature in (1.0, 5.0):
        result = trained(
            model, data, smoothing=0.0, temperature=temperature, fresh_head=False, epochs=1, batch_size=400,
            learning_rate=1e-12,
        )  # fmt: skip
        records[temperature] = result.history[0]["loss"]
        draws = generator(0)
        torch.randint(2**62, (), generator=draws)  # the loop's seed for dropout
        order = torch.randperm(400, generator=draws)
        rows, labels, groups = (part[order] for part in data)
        partner = partners_in_batch(labels, groups, generator=draws)
        with torch.no_grad():
            hidden = model.features[:2](rows)
            chances = (model(rows) / temperature).softmax(1)
            neutral = model.head(model.features[2:]((hidden + hidden[partner]) / 2)).softmax(1)
            expected = (neutral - (chances + chances[partner]) / 2).square().mean()
        assert records[temperature] == pytest.approx(expected.item(), rel=1e-4)
    assert records[5.0] > 2 * records[1.0]


@pytest.mark.parametrize(("depth", "n_frozen"), [(2, 1), (None, 2)])
def test_nothing_but_the_head_changes(biased_rows, depth, n_frozen):
    data = biased_rows()
    model = standard(data)
    model.features[0].bias.requires_grad_(False)
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    result = trained(model, data, encoder_depth=depth, epochs=2)
    assert isinstance(result, GroupTraining)
    layers = [model.features[0], model.features[2], model.classifier]
    after = [result.model.features[0], result.model.features[2], result.model.classifier]
    kept = [torch.equal(before.weight, now.weight) for before, now in zip(layers, after, strict=True)]
    assert kept == [True] * n_frozen + [False] * (3 - n_frozen)
    assert [parameter.requires_grad for parameter in result.model.parameters()] == wanted
    assert all(parameter.grad is None for parameter in result.model.parameters())


def test_running_statistics_of_the_encoder_stay():
    images = torch.rand(16, 1, 4, 4, generator=generator(0))
    labels, groups = torch.arange(16) % 2, torch.arange(16) // 2 % 2
    model = small_cnn(1, 2, width=2, seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    rnf(model, images, labels, groups, smoothing=0.1, generator=generator(0), **(SETTINGS | {"epochs": 2}))
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_it_lessens_the_bias_of_the_given_model(biased_rows, odds_of):
    data, test = biased_rows(), biased_rows(4000, seed=1)
    model = standard(data, hidden=(32, 32))
    result = trained(model, data)
    with torch.no_grad():
        accuracy = (result.model(test[0]).argmax(1) == test[1]).double().mean()
    assert accuracy > 0.75
    assert odds_of(result.model, *test) < odds_of(model, *test) / 2


def test_options_and_seeds_change_the_outcome(biased_rows):
    data = biased_rows(60)
    model = standard(data)

    def result(**options):
        return weights(trained(model, data, **({"epochs": 2} | options)))

    assert torch.equal(result(), result())
    for changed in (
        {"seed": 1}, {"smoothing": 0.2}, {"temperature": 5.0}, {"degrees": DEGREES[:2]}, {"encoder_depth": 1},
        {"encoder_depth": None}, {"partners": "all"}, {"fresh_head": False}, {"weight_decay": 0.1},
    ):  # fmt: skip
        assert not torch.equal(result(), result(**changed)), changed


def test_bad_arguments_are_refused(biased_rows):
    data = biased_rows(20)
    model = mlp(3, 2, hidden=(8, 8), seed=0)
    for options, error, message in (
        ({"smoothing": -0.1}, ValueError, "smoothing: expected a finite number >= 0"),
        ({"temperature": 0.5}, ValueError, "temperature: expected a finite number >= 1"),
        ({"degrees": (0.4,)}, ValueError, "degrees: expected a finite number >= 0.5"),
        ({"degrees": (1.0,)}, ValueError, r"degrees: expected values in \[0.5, 1\), got 1.0"),
        ({"degrees": ()}, ValueError, "degrees: expected at least one to smooth over"),
        ({"partners": "any"}, ValueError, "partners: expected one of batch, all"),
        ({"encoder_depth": 0}, ValueError, "encoder_depth: expected a finite number >= 1 and <= 3"),
        ({"encoder_depth": 4}, ValueError, "encoder_depth: expected a finite number >= 1 and <= 3"),
    ):
        with pytest.raises(error, match=message):
            trained(model, data, **options)
    with pytest.raises(TypeError, match=r"model: expected one whose \.features is a Sequential"):
        trained(Transparent(3), data, encoder_depth=1)
    with pytest.raises(TypeError, match=r"model: expected one with \.encode"):
        trained(torch.nn.Sequential(model), data)
    with pytest.raises(ValueError, match="got none with label 1 in group 0"):
        trained(model, (data[0], data[1], data[1]))
    with pytest.raises(ValueError, match="partner_features: expected the shape"):
        rnf_loss(torch.nn.Identity(), torch.zeros(2, 3), torch.zeros(2, 2), torch.zeros(2, 3), smoothing=0.0)
    with pytest.raises(ValueError, match="groups: expected two values, 0 and 1"):
        partners_in_batch(data[1], data[2] + 1, generator=generator(0))


def test_after_an_error_the_model_has_the_head_it_came_with(biased_rows):
    data = biased_rows(20)
    model = mlp(3, 2, hidden=(8, 8), seed=0)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="learning_rate: expected a finite number > 0"):
        rnf(model, *data, smoothing=0.1, generator=generator(0), **(SETTINGS | {"learning_rate": 0.0}))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_layers_that_cannot_be_drawn_anew_or_do_not_run_in_line_are_refused(biased_rows):
    data = biased_rows(20)

    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, features):
            return self.scale * features

    model = mlp(3, 2, hidden=(8, 8), seed=0)
    model.classifier = torch.nn.Sequential(Scaled(), model.classifier)
    with pytest.raises(TypeError, match="fresh_head: expected layers with reset_parameters, got Scaled"):
        trained(model, data)
    trained(model, data, fresh_head=False, epochs=1)

    class Skipping(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = mlp(3, 2, hidden=(8, 8), seed=0)
            self.features = self.inner.features

        def encode(self, inputs):
            return self.features(inputs) + 1

        def head(self, features):
            return self.inner.head(features)

        def forward(self, inputs):
            return self.head(self.encode(inputs))

    with pytest.raises(ValueError, match="encoder_depth: expected layers that run one after another"):
        trained(Skipping(), data)


def test_there_may_be_more_classes_than_two():
    rows = torch.randn(60, 3, generator=generator(6))
    model = mlp(3, 3, hidden=(16, 16), seed=0)
    before = model.classifier.weight.clone()
    data = rows, torch.arange(60) % 3, torch.arange(60) // 3 % 2
    rnf(model, *data, smoothing=0.1, encoder_depth=2, generator=generator(0), **(SETTINGS | {"epochs": 2}))
    assert not torch.equal(before, model.classifier.weight)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_answer_is_that_of_the_cpu(biased_rows):
    data = biased_rows(60)
    settings = SETTINGS | {"epochs": 1}
    here, there = mlp(3, 2, hidden=(16, 16), seed=0), mlp(3, 2, hidden=(16, 16), seed=0).cuda()
    for model in (here, there):
        rnf(model, *data, smoothing=0.1, encoder_depth=2, generator=generator(0), **settings)
    found, expected = there.state_dict(), here.state_dict()
    assert all(torch.allclose(value.cpu(), expected[name], atol=1e-4) for name, value in found.items())
