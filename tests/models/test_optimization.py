"""The training loop: schedules by definition, a quadratic with a known minimum, and no mark left behind."""

import io
import sys

import pytest
import torch
from torch import nn

from blindspots.models.optimization import SCHEDULES, fit, scheduled_learning_rate


class Point(nn.Module):
    """Two numbers to be trained."""

    def __init__(self):
        super().__init__()
        self.place = nn.Parameter(torch.zeros(2))


TARGETS = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0], [-1.0, -2.0]])


def fit_point(**options):
    point = Point()

    def loss(indices, draws):
        return (point.place - TARGETS[indices]).square().sum(1).mean()

    settings = {"epochs": 200, "batch_size": 4, "seed": 0, "weight_decay": 0.0, "progress": False} | options
    return point, fit(point, 4, loss, **settings)


@pytest.mark.parametrize("options", [{}, {"schedule": "cosine"}, {"optimizer": "adam", "learning_rate": 0.3}])
def test_the_mean_of_the_targets_is_found(options):
    point, history = fit_point(**options)
    assert torch.allclose(point.place, TARGETS.mean(0), atol=1e-3)
    # At the minimum the loss is the targets' variance, summed over the two coordinates.
    assert history[-1].loss == pytest.approx(TARGETS.var(0, correction=0).sum().item(), rel=1e-4)


def test_weight_decay_pulls_to_the_exact_penalized_minimum():
    point, _ = fit_point(weight_decay=2.0)
    # d/dp (|p - t|^2 + |p|^2) = 0 at p = t/2, the gradient of the penalty being 2 p.
    assert torch.allclose(point.place, TARGETS.mean(0) / 2, atol=1e-3)


def test_schedules_follow_their_definition():
    rates = {
        name: [scheduled_learning_rate(s, 100, peak=1.0, schedule=name) for s in range(100)] for name in SCHEDULES
    }
    assert rates["constant"] == [1.0] * 100
    assert rates["steps"] == [1.0] * 50 + [0.1] * 25 + [0.01] * 25
    assert rates["cosine"][0] > 0.999
    assert rates["cosine"] == sorted(rates["cosine"], reverse=True)
    assert rates["cosine"][49] + rates["cosine"][50] == pytest.approx(1.0)
    assert rates["one_cycle"][0] == pytest.approx(0.04, abs=0.02)
    assert max(rates["one_cycle"]) == pytest.approx(1.0, abs=0.02)
    assert rates["one_cycle"].index(max(rates["one_cycle"])) == 30
    assert 0 < rates["one_cycle"][-1] < 1e-3
    assert 0 < scheduled_learning_rate(0, 1, peak=1.0, schedule="one_cycle") <= 1


def test_the_schedule_is_followed_to_its_last_step():
    _, history = fit_point(schedule="steps", learning_rate=0.1, epochs=4)
    assert [record.learning_rate for record in history] == pytest.approx([0.1, 0.1, 0.01, 0.001])


def test_every_example_is_seen_once_an_epoch_in_near_equal_batches_and_a_new_order():
    seen, point = [], Point()

    def loss(indices, draws):
        seen.append(indices.tolist())
        return point.place.square().sum()

    fit(point, 10, loss, epochs=2, batch_size=4, seed=0, progress=False)
    assert [len(batch) for batch in seen] == [4, 3, 3] * 2
    epochs = [[index for batch in part for index in batch] for part in (seen[:3], seen[3:])]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 2
    assert epochs[0] != epochs[1]


def test_scores_are_recorded_after_each_epoch():
    scores = iter([0.25, 0.5])
    _, history = fit_point(epochs=2, after_epoch=lambda: next(scores))
    assert [record.score for record in history] == [0.25, 0.5]
    assert fit_point(epochs=1)[1][0].score is None


def test_the_same_seed_gives_the_same_bits_with_dropout_and_another_does_not():
    def trained(seed):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            model = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        fit(
            model,
            4,
            lambda i, g: model(TARGETS[i]).square().mean(),
            epochs=3,
            batch_size=2,
            seed=seed,
            progress=False,
        )
        return model[0].weight

    assert torch.equal(trained(0), trained(0))
    assert not torch.equal(trained(0), trained(1))


def test_modes_and_gradients_are_left_as_they_were():
    model = nn.Sequential(Point(), nn.Dropout())
    model[1].eval()
    modes = [part.training for part in model.modules()]
    fit(model, 2, lambda i, g: model[0].place.sum() * 0 + 1, epochs=1, batch_size=2, seed=0, progress=False)
    assert [part.training for part in model.modules()] == modes
    assert model[0].place.grad is None


def test_parameters_that_require_no_gradient_stay():
    model = nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2), requires_grad=False)])
    fit(model, 2, lambda i, g: (model[0] * model[1]).square().sum(), epochs=1, batch_size=2, seed=0, progress=False)
    assert not torch.equal(model[0], torch.ones(2))
    assert torch.equal(model[1], torch.ones(2))


def test_training_that_diverges_says_so_and_gives_the_first_weights_back():
    point = Point()

    def loss(indices, draws):
        return (1 + point.place.sum()).square().square()

    with pytest.raises(ValueError, match=r"learning_rate: training diverged in epoch .* with sgd at 1e"):
        fit(point, 4, loss, epochs=50, batch_size=1, seed=0, learning_rate=1e6, schedule="constant", progress=False)
    assert torch.equal(point.place, torch.zeros(2))
    assert point.training


def test_progress_shows_nothing_in_short_trainings_and_does_not_flood_a_log(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    fit_point(epochs=3, progress=True)
    assert log.getvalue() == ""
    clock = iter(range(0, 10**6))
    monkeypatch.setattr("tqdm.std.time", lambda: float(next(clock)))  # each look at the clock takes a second
    fit_point(epochs=100, progress=True)
    assert "training" in log.getvalue()
    assert log.getvalue().count("training") < 30


def test_progress_can_be_turned_off(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    clock = iter(range(0, 10**6))
    monkeypatch.setattr("tqdm.std.time", lambda: float(next(clock)))
    fit_point(epochs=100, progress=False)
    assert log.getvalue() == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: expected a finite number >= 1"),
        ({"batch_size": 0}, "batch_size: expected a finite number >= 1"),
        ({"learning_rate": 0.0}, "learning_rate: expected a finite number > 0"),
        ({"weight_decay": -1.0}, "weight_decay: expected a finite number >= 0"),
        ({"optimizer": "lbfgs"}, "optimizer: expected one of sgd, adam"),
        ({"schedule": "linear"}, "schedule: expected one of one_cycle"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        fit_point(**options)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(TypeError, match="model: expected a torch module"):
        fit(lambda images: images, 1, lambda i, g: torch.zeros(()), epochs=1, batch_size=1, seed=0)
    with pytest.raises(ValueError, match="model: expected parameters that require gradients"):
        fit(Point().requires_grad_(False), 1, lambda i, g: torch.zeros(()), epochs=1, batch_size=1, seed=0)
