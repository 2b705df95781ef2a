"""One loop for every method: it is Adam, it keeps each epoch, and it leaves no mark."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias.group_training import GroupTraining, group_training
from blindspots.seeding import generator

N = 20
INPUTS = torch.rand(N, 3, generator=generator(1))
TARGETS = INPUTS @ torch.tensor([[1.0], [-2.0], [0.5]])


def network(dropout=0.0):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Dropout(dropout), torch.nn.Linear(8, 1)
        ).eval()


def squared_error(model, indices):
    return F.mse_loss(model(INPUTS[indices]), TARGETS[indices])


def trained(model=None, step=squared_error, seed=0, n=N, **options):
    settings = {"epochs": 3, "batch_size": 6, "learning_rate": 0.01} | options
    return group_training(network() if model is None else model, step, n, generator=generator(seed), **settings)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_it_is_adam_written_out():
    order = torch.tensor([3, 0, 5, 7, 2])
    model, expected = network(), network()
    trained(model, draw=lambda draws: order, epochs=2, batch_size=3, weight_decay=0.1)
    parameters = list(expected.parameters())
    first = [torch.zeros_like(parameter) for parameter in parameters]
    second = [torch.zeros_like(parameter) for parameter in parameters]
    for count in range(1, 5):
        batch = (order[:3], order[3:])[(count - 1) % 2]
        gradients = torch.autograd.grad(squared_error(expected, batch), parameters)
        with torch.no_grad():
            for parameter, gradient, m, v in zip(parameters, gradients, first, second, strict=True):
                gradient = gradient + 0.1 * parameter
                m.mul_(0.9).add_(0.1 * gradient)
                v.mul_(0.999).add_(0.001 * gradient**2)
                parameter -= 0.01 * (m / (1 - 0.9**count)) / ((v / (1 - 0.999**count)).sqrt() + 1e-8)
    assert torch.allclose(weights(model), weights(expected), atol=1e-6)


def test_it_finds_the_least_squares_solution():
    with torch.random.fork_rng(devices=[]):
        line = torch.nn.Linear(3, 1)
    result = trained(line, epochs=400, batch_size=N, learning_rate=0.05)
    assert torch.allclose(line.weight, torch.tensor([[1.0, -2.0, 0.5]]), atol=1e-2)
    assert result.history[-1]["loss"] < 1e-5


def test_history_states_and_load_tell_of_each_epoch():
    seen = []
    result = trained(evaluate=lambda model: {"mean": model(INPUTS).mean()}, after_epoch=seen.append)
    assert isinstance(result, GroupTraining)
    assert [record["epoch"] for record in result.history] == [1, 2, 3]
    assert list(result.history) == seen
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.seconds == sum(record["seconds"] for record in result.history) > 0
    last = weights(result.model).clone()
    for epoch in (1, 2, 3):
        assert result.load(epoch) is result.model
        assert result.model(INPUTS).mean().item() == result.history[epoch - 1]["mean"]
    assert torch.equal(weights(result.model), last)
    for epoch in (0, 4):
        with pytest.raises(ValueError, match="epoch: expected a finite number >= 1 and <= 3"):
            result.load(epoch)


def test_the_loss_is_the_mean_over_the_examples():
    # A rate too small to move anything: the mean of the batches' losses, weighed by their sizes, is the whole's.
    result = trained(epochs=1, batch_size=7, learning_rate=1e-12)
    assert result.history[0]["loss"] == pytest.approx(squared_error(network(), torch.arange(N)).item(), rel=1e-5)


def test_each_epoch_visits_every_example_once_in_a_new_order():
    seen = []

    def step(model, indices):
        seen.append(indices)
        return squared_error(model, indices)

    trained(step=step, epochs=2)
    assert [len(indices) for indices in seen] == [5] * 8
    first, second = torch.cat(seen[:4]), torch.cat(seen[4:])
    assert torch.equal(first.sort().values, torch.arange(N))
    assert torch.equal(second.sort().values, torch.arange(N))
    assert not torch.equal(first, second)


def test_draw_decides_which_examples_an_epoch_visits():
    seen = []

    def step(model, indices):
        seen.append(indices)
        return squared_error(model, indices)

    trained(step=step, epochs=2, draw=lambda draws: torch.randint(0, 4, (9,), generator=draws))
    assert len(torch.cat(seen)) == 18
    assert torch.cat(seen).max() < 4


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first = weights(trained(network(0.5)).model)
    assert torch.equal(first, weights(trained(network(0.5)).model))
    assert not torch.equal(first, weights(trained(network(0.5), seed=1).model))


def test_dropout_alone_depends_on_the_generator():
    first, second = (
        weights(trained(network(0.5), seed=seed, draw=lambda draws: torch.arange(N)).model) for seed in (0, 1)
    )
    assert not torch.equal(first, second)


@pytest.mark.parametrize("options", [{"epochs": 4}, {"batch_size": 3}, {"learning_rate": 0.02}, {"weight_decay": 0.5}])
def test_every_option_changes_the_outcome(options):
    assert not torch.equal(weights(trained().model), weights(trained(**options).model))


def test_evaluation_and_progress_do_not_change_the_outcome():
    again = trained(network(0.5), evaluate=lambda model: {"mean": model(INPUTS).mean()}, progress=True)
    assert torch.equal(weights(trained(network(0.5)).model), weights(again.model))


def test_evaluation_is_without_dropout_and_gradients_and_training_with_dropout():
    modes = []

    def step(model, indices):
        modes.append(("train", model[2].training, torch.is_grad_enabled()))
        return squared_error(model, indices)

    def evaluate(model):
        modes.append(("evaluate", model[2].training, torch.is_grad_enabled()))
        return {}

    trained(step=step, evaluate=evaluate, epochs=2, batch_size=N)
    assert modes == [("train", True, True), ("evaluate", False, False)] * 2


def test_extra_parameters_are_trained_along_and_frozen_ones_are_not():
    scale = torch.nn.Parameter(torch.ones(()))
    model = network()
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    result = trained(
        model,
        lambda model, indices: F.mse_loss(scale * model(INPUTS[indices]), TARGETS[indices]),
        extra_parameters=[scale],
    )
    assert scale.item() != 1
    assert torch.equal(model[0].weight, before)
    assert set(result.states[0]) == set(network().state_dict())


def test_modes_and_gradients_are_left_as_they_were():
    model = network()
    model[2].train()
    trained(model)
    assert [part.training for part in model.modules()] == [False, False, False, True, False]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_training_that_diverges_is_told_and_undone():
    model = network()
    with pytest.raises(ValueError, match="learning_rate: training diverged in epoch 1"):
        trained(model, step=lambda model, indices: squared_error(model, indices) * float("inf"))
    assert torch.equal(weights(model), weights(network()))
    assert not model.training


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": lambda rows: rows}, TypeError, "model: expected a torch module"),
        ({"model": network().requires_grad_(False)}, ValueError, "model: expected parameters that require gradients"),
        ({"n": 0}, ValueError, "n: expected a finite number >= 1"),
        ({"epochs": 0}, ValueError, "epochs: expected a finite number >= 1"),
        ({"epochs": 1.5}, TypeError, "epochs: expected an integer"),
        ({"batch_size": 0}, ValueError, "batch_size: expected a finite number >= 1"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate: expected a finite number > 0"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay: expected a finite number >= 0"),
        ({"draw": lambda draws: torch.tensor([N])}, ValueError, "draw: expected indices from 0 to 19"),
        ({"draw": lambda draws: torch.zeros(0).long()}, ValueError, "draw: expected at least one index"),
        ({"draw": lambda draws: torch.zeros(3)}, ValueError, "draw: expected at least one index, a long tensor"),
        ({"step": lambda model, indices: model(INPUTS[indices])}, ValueError, r"step: expected a scalar.*\(5, 1\)"),
        ({"step": lambda model, indices: 1.0}, ValueError, r"step: expected a scalar.*got float"),
        ({"evaluate": lambda model: {"loss": 1.0}}, ValueError, "evaluate: expected names other than"),
    ],
)
def test_bad_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        trained(**options)


def test_a_missing_generator_is_refused():
    with pytest.raises(TypeError, match=r"generator: expected a torch\.Generator"):
        group_training(network(), squared_error, N, epochs=1, batch_size=4, learning_rate=0.1, generator=0)


def test_a_model_in_double_precision_stays_so():
    model = network().double()
    trained(model, lambda model, indices: F.mse_loss(model(INPUTS[indices].double()), TARGETS[indices].double()))
    assert model[0].weight.dtype == torch.float64
    assert torch.allclose(weights(model).float(), weights(trained().model), atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_states_lie_on_the_cpu_and_the_answer_is_that_of_the_cpu():
    inputs, targets = INPUTS.cuda(), TARGETS.cuda()
    state = torch.cuda.get_rng_state()
    result = trained(network().cuda(), lambda model, indices: F.mse_loss(model(inputs[indices]), targets[indices]))
    assert torch.equal(state, torch.cuda.get_rng_state())
    assert all(value.device.type == "cpu" for value in result.states[0].values())
    assert torch.allclose(weights(result.model).cpu(), weights(trained().model), atol=1e-4)
