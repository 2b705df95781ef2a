"""Models of a method are those of the kernels, judged as they stand, kept, and drawn in pairs."""

import pytest
import torch

from blindspots.data.planted.country_scenes import planted_scenes
from blindspots.fairness import dro_train_many, generate_adversarial_dataset, group_balanced
from blindspots.models import build_model, compute_logits
from blindspots.seeding import generator
from blindspots.studies.country_attacks import country_attack
from blindspots.studies.country_models import (
    CONTROLS,
    CountryTraining,
    country_models,
    country_models_together,
    robust_country_data,
)

COUNTRIES = ["Burundi", "India", "France"]
TRAINING = {"n_models": 3, "steps": 12, "learning_rate": 0.05, "batch_size": 2, "seed": 1, "progress": False}
ROUNDS = {"rounds": 2, "learning_rate": 0.05, "batch_size": 2, "seed": 3, "progress": False}


@pytest.fixture(scope="module")
def task():
    train, test = (planted_scenes(24, seed=seed, size=16, countries=COUNTRIES, weights=[1, 2, 5]) for seed in (0, 1))
    spec = {"name": "small_cnn", "in_channels": 3, "n_classes": 6, "width": 4, "norm": "group"}
    return build_model(spec, seed=0), train, test


def test_robust_data_are_those_of_the_algorithm_and_are_kept(task, tmp_path):
    model, train, _ = task
    attack = country_attack("pgd", step_size=0.05, steps=5)
    first = robust_country_data(model, train, attack, **ROUNDS, directory=tmp_path)
    options = {name: value for name, value in ROUNDS.items() if name != "seed"}
    direct = generate_adversarial_dataset(model, train, attack, **options, generator=generator(3, "robust data"))
    assert torch.equal(first.images, direct.images) and torch.equal(first.weights, direct.weights)
    assert all(torch.equal(first.state[name], direct.state[name]) for name in direct.state)
    again = robust_country_data(model, train, attack, **ROUNDS, directory=tmp_path)
    assert again.seconds == first.seconds and torch.equal(again.success, first.success)  # the kept one's


def test_an_interrupted_run_goes_on_after_its_last_round(task, tmp_path):
    model, train, _ = task
    attack = country_attack("pgd", step_size=0.05, steps=5)
    calls = 0

    def broken(*given):
        nonlocal calls
        calls += 1
        if calls > 15:  # 12 batches a round
            raise KeyboardInterrupt
        return attack.run(*given)

    cut = type(attack)(broken, attack.minimized, attack.settings)
    with pytest.raises(KeyboardInterrupt):
        robust_country_data(model, train, cut, **ROUNDS, directory=tmp_path)
    calls = -100
    resumed = robust_country_data(model, train, cut, **ROUNDS, directory=tmp_path)
    assert calls == -100 + 12
    whole = robust_country_data(model, train, attack, **ROUNDS, directory=tmp_path / "other")
    assert torch.equal(resumed.images, whole.images)
    assert not list(tmp_path.rglob("*.unfinished"))


def test_models_are_those_of_algorithm_4_2_and_their_answers_their_own(task, tmp_path):
    model, train, test = task
    robust = robust_country_data(model, train, country_attack("pgd", steps=5), **ROUNDS, directory=tmp_path)
    made = country_models(model, robust, judged_on={"test": test}, **TRAINING, directory=tmp_path)
    direct = dro_train_many(
        [model] * 3, robust, steps=12, learning_rate=0.05, batch_size=2,
        generators=[generator(1, "model", i) for i in range(3)],
    )  # fmt: skip
    assert torch.equal(made.losses, direct.losses)
    own = made.model(model, 2)
    assert all(torch.equal(value, direct.states[2][name]) for name, value in own.state_dict().items())
    answers = compute_logits(own, test.images).argmax(1)
    assert torch.equal(made.predictions["test"][2].long(), answers)
    shares = made.accuracies("test", test)
    assert shares.by_group.shape == (3, 3)
    assert shares.overall[2] == pytest.approx((answers == test.labels).double().mean().item())


@pytest.mark.parametrize("method", CONTROLS)
def test_a_control_is_kept_and_differs_from_plain_training(method, task, tmp_path):
    model, train, test = task
    options = {**TRAINING, "judged_on": {"test": test}, "directory": tmp_path}
    first = country_models(model, train, method=method, **options)
    again = country_models(model, train, method=method, **options)
    assert again.seconds == first.seconds  # the kept one's
    assert torch.equal(again.predictions["test"], first.predictions["test"])
    plain = country_models(model, train, method="plain", **options)
    assert torch.equal(plain.losses, first.losses) == (method == "plain")


def test_reweighting_draws_countries_equally_often(task, tmp_path):
    model, train, test = task
    made = country_models(model, train, method="balanced", judged_on={"test": test}, **TRAINING, directory=tmp_path)
    direct = dro_train_many(
        [model] * 3, group_balanced(train, train.groups["country"]), steps=12, learning_rate=0.05, batch_size=2,
        generators=[generator(1, "model", i) for i in range(3)],
    )  # fmt: skip
    assert torch.equal(made.losses, direct.losses)


def test_together_they_are_what_each_is_alone_and_are_kept_alone(task, tmp_path):
    model, train, test = task
    other = build_model({"name": "small_cnn", "in_channels": 3, "n_classes": 6, "width": 4, "norm": "group"}, seed=5)
    robust = robust_country_data(model, train, country_attack("pgd", steps=5), **ROUNDS, directory=tmp_path)
    trainings = {
        "robust": CountryTraining(model, robust), "plain": CountryTraining(other, train, "plain"),
        "balanced": CountryTraining(model, train, "balanced"), "group_dro": CountryTraining(model, train, "group_dro"),
    }  # fmt: skip
    options = {**TRAINING, "judged_on": {"test": test}}
    country_models(model, train, method="balanced", **options, directory=tmp_path)
    made = country_models_together(trainings, **options, directory=tmp_path)
    assert list(made) == list(trainings)
    for name, one in trainings.items():
        alone = country_models(one.model, one.data, method=one.method, **options, directory=tmp_path / "alone")
        torch.testing.assert_close(made[name].losses, alone.losses, rtol=0, atol=1e-4)  # float32, other sums
        again = country_models(one.model, one.data, method=one.method, **options, directory=tmp_path)
        assert again.seconds == made[name].seconds and torch.equal(again.losses, made[name].losses)


def test_a_diverged_model_keeps_its_first_weights_and_is_told(task, tmp_path):
    model, train, test = task
    robust = robust_country_data(model, train, country_attack("pgd", steps=5), **ROUNDS, directory=tmp_path)
    options = {**TRAINING, "learning_rate": 1e30, "weighting": "literal", "directory": tmp_path}
    made = country_models(model, robust, judged_on={"test": test}, on_divergence="record", **options)
    assert all(step is not None for step in made.diverged_at)
    assert all(torch.equal(values[0], model.state_dict()[name]) for name, values in made.states.items())
    with pytest.raises(ValueError, match="diverged"):
        country_models(model, robust, judged_on={"test": test}, **options)


def test_bad_arguments_are_named(task, tmp_path):
    model, train, test = task
    options = {**TRAINING, "judged_on": {"test": test}, "directory": tmp_path}
    with pytest.raises(TypeError, match="data: expected the WeightedImages"):
        country_models(model, train, method="robust", **options)
    with pytest.raises(ValueError, match="method: expected"):
        country_models(model, train, method="ours", **options)
    with pytest.raises(ValueError, match="attack: expected settings"):
        nameless = type(country_attack("pgd"))(country_attack("pgd").run)
        robust_country_data(model, train, nameless, **ROUNDS, directory=tmp_path)
