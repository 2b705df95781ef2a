"""Regimes of training: what each shows the model, when it stops, what it keeps."""

import copy
from importlib import import_module

import pytest
import torch

from blindspots.latent_models.train_regime import REGIMES, STARTS, RegimeTraining, noisy, train_regime
from blindspots.latent_models.unit_classifier import unit_classifier
from blindspots.seeding import generator

module = import_module("blindspots.latent_models.train_regime")  # the package has a function of this name


def bars(n=60, seed=0):
    """Class 0: an upright bar; class 1: a flat one."""
    labels = torch.arange(n) % 2
    images = torch.zeros(n, 1, 16, 16)
    for image, label, place in zip(images, labels, torch.randint(4, 10, (n,), generator=generator(seed)), strict=True):
        (image[0, 2:14, place : place + 2] if label == 0 else image[0, place : place + 2, 2:14]).fill_(1.0)
    return images, labels


IMAGES, LABELS = bars()
VALIDATION = bars(40, seed=1)


def built(seed=0):
    return unit_classifier(1, 2, side=16, widths=(4, 4), dropout=(0.1, 0.1), seed=seed)


def train(model, regime="plain", **options):
    settings = {"epochs": 2, "validation": VALIDATION, "batch_size": 10, "learning_rate": 2e-3, "seed": 0} | options
    return train_regime(model, IMAGES, LABELS, regime=regime, progress=False, **settings)


def accuracy(model, images, labels):
    with torch.no_grad():
        return (model(images).argmax(1) == labels).double().mean().item()


@pytest.mark.parametrize("regime", REGIMES)
def test_every_regime_learns_two_kinds_of_bars(regime):
    model = built()
    result = train(model, regime, epochs=8)
    assert len(result.history) == 1 if regime == "oneepoch" else len(result.history) > 1
    assert result.history[-1].loss < 0.7
    if regime != "oneepoch":
        assert accuracy(model, *VALIDATION) > 0.9
    assert RegimeTraining.from_dict(result.as_dict()) == result
    assert not model.training
    assert all(part.grad is None for part in model.parameters())


def test_training_on_noise_helps_on_noise():
    plain = built()
    train(plain, epochs=6)
    robust = copy.deepcopy(plain)
    train(robust, "robust", epochs=10, decay=1.0)
    images, labels = bars(200, seed=2)
    hidden = noisy(images, generator=generator(5))
    assert accuracy(robust, hidden, labels) > accuracy(plain, hidden, labels) + 0.05


def test_training_stops_at_the_first_drop_and_keeps_the_weights_before_it(monkeypatch):
    scores = iter([0.5, 0.7, 0.7, 0.6])
    monkeypatch.setattr(module, "_validate", lambda *_: next(scores))
    stopped, three = built(), built()
    result = train(stopped, epochs=8)
    assert result.stopped_early and result.kept_epoch == 3
    assert [record.score for record in result.history] == [0.5, 0.7, 0.7, 0.6]
    monkeypatch.setattr(module, "_validate", lambda *_: 1.0)
    result = train(three, epochs=3)
    assert not result.stopped_early and result.kept_epoch == 3
    assert torch.equal(stopped(IMAGES), three(IMAGES))


def test_the_learning_rate_falls_by_its_factor():
    monotone = train(built(), epochs=3, decay=0.5, validation=(IMAGES[:2], LABELS[:2]))
    rates = [record.learning_rate for record in monotone.history]
    assert rates == [2e-3 * 0.5**epoch for epoch in range(len(rates))]


def test_an_epoch_of_another_size_takes_as_many_steps():
    calls = []
    model = built()
    hook = model.register_forward_hook(
        lambda layer, inputs, _: calls.append(len(inputs[0])) if layer.training else None
    )
    train(model, "oneepoch", epoch_size=95)
    hook.remove()
    assert calls == [10] * 10


def test_noise_has_its_deviation_and_is_not_clipped():
    images = torch.full((4, 1, 50, 50), 0.5)
    result = noisy(images, sigma=0.4, generator=generator(0))
    assert (result - images).std().item() == pytest.approx(0.4, rel=0.03)  # 10,000 draws: five deviations are 3.5 %
    assert result.max() > 1 and result.min() < 0


def test_regimes_show_the_model_their_images(monkeypatch):
    seen = {}
    for regime in REGIMES:
        model, batches = built(), []
        hook = model.register_forward_hook(
            lambda layer, inputs, _, batches=batches: batches.append(inputs[0]) if layer.training else None
        )
        train(model, regime, epochs=1)
        hook.remove()
        seen[regime] = torch.cat(batches)
    assert set(seen["plain"].unique().tolist()) == {0.0, 1.0}
    assert torch.equal(seen["oneepoch"].sum(), seen["plain"].sum())
    assert len(seen["conventional"].unique()) > 10
    assert seen["conventional"].min() >= 0 and seen["conventional"].max() <= 1
    for regime in STARTS:
        assert seen[regime].min() < -0.5 and seen[regime].max() > 1.5
    assert sorted(STARTS) == ["both", "robust"]


def test_the_global_generator_is_untouched_and_the_same_seed_gives_the_same_bits():
    first, again, other = built(), built(), built()
    train(first)
    train(again)
    train(other, seed=1)
    assert torch.equal(first(IMAGES), again(IMAGES))
    assert not torch.equal(first(IMAGES), other(IMAGES))


@pytest.mark.parametrize(
    ("regime", "options"),
    [("plain", {"batch_size": 20}), ("plain", {"learning_rate": 1e-3}), ("plain", {"weight_decay": 0.1}),
     ("plain", {"decay": 0.1}), ("robust", {"sigma": 0.1}), ("conventional", {"augmentation": {"degrees": 90.0}}),
     ("plain", {"epoch_size": 30})],
)  # fmt: skip
def test_each_option_counts(regime, options, monkeypatch):
    monkeypatch.setattr(module, "_validate", lambda *_: 1.0)  # neither stops early
    usual, other = built(), built()
    train(usual, regime)
    train(other, regime, **options)
    assert not torch.equal(usual(IMAGES), other(IMAGES))


def test_a_training_that_diverges_gives_the_first_weights_back():
    model = built()
    before = model(IMAGES)
    with pytest.raises(ValueError, match="learning_rate: training diverged"):
        train(model, learning_rate=1e30)
    assert torch.equal(model(IMAGES), before)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="regime: expected one of oneepoch"):
        train(built(), "adversarial")
    with pytest.raises(TypeError, match="model: expected a torch module"):
        train(lambda images: images)
    with pytest.raises(TypeError, match="validation: expected a pair"):
        train(built(), validation=IMAGES)
    with pytest.raises(ValueError, match="validation labels"):
        train(built(), validation=(IMAGES, LABELS + 5))
    with pytest.raises(ValueError, match="augmentation: expected options among"):
        train(built(), augmentation={"turn": 1.0})
    for name, value in {"epochs": 0, "epoch_size": 0, "batch_size": 0, "learning_rate": 0.0, "weight_decay": -1.0,
                        "decay": 1.5, "sigma": -1.0}.items():  # fmt: skip
        with pytest.raises(ValueError, match=name):
            train(built(), **{name: value})
