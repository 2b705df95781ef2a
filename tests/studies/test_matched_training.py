"""A point of the comparison is what the algorithms give, and tells the strength that was met."""

import pytest
import torch

from blindspots.data.planted.country_scenes import planted_scenes
from blindspots.fairness import group_slope_test
from blindspots.models import build_model
from blindspots.perception import ssim_distance
from blindspots.studies.country_attacks import matched_attack
from blindspots.studies.country_models import country_models, robust_country_data
from blindspots.studies.matched_training import matched_training

COUNTRIES = ["Burundi", "India", "France"]
INCOME = torch.tensor([5.5, 7.6, 10.6], dtype=torch.float64)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    data, test = (planted_scenes(24, seed=seed, size=16, countries=COUNTRIES) for seed in (0, 1))
    spec = {"name": "small_cnn", "in_channels": 3, "n_classes": 6, "width": 4, "norm": "group"}
    directory = tmp_path_factory.mktemp("cache")
    shared = {"learning_rate": 0.05, "batch_size": 2, "directory": directory, "progress": False}
    options = {"generation": shared, "training": {"n_models": 3, "steps": 10, **shared}, "seed": 3}
    return build_model(spec, seed=0), data, test, options


def test_it_is_both_algorithms_one_after_the_other(task):
    model, data, test, options = task
    attack = matched_attack("pgd", strength=0.2, step_size=0.05)
    made = matched_training(model, data, test, INCOME, attack=attack, rounds=2, **options)
    robust = robust_country_data(model, data, attack, rounds=2, seed=3, **options["generation"])
    judged = {"data": data, "test": test}
    models = country_models(model, robust, judged_on=judged, seed=3, **options["training"])
    shares = models.accuracies("test", test)
    assert torch.equal(made.accuracy, shares.overall) and torch.equal(made.worst, shares.worst)
    assert torch.equal(made.slope, group_slope_test(shares.by_group, INCOME, shares.counts).slope)
    assert made.data_accuracy.shape == made.data_slope.shape == (3,) and made.by_country.shape == (3, 3)
    assert not torch.equal(made.data_accuracy, made.accuracy)


def test_the_strength_that_was_met_is_told(task):
    model, data, test, options = task
    made = matched_training(
        model, data, test, INCOME, attack=matched_attack("pgd", strength=0.2, step_size=0.05), rounds=2, **options
    )
    assert made.met["l2"] == pytest.approx(0.2, rel=0.01)
    robust = made.robust_data
    change, parents = robust.images[24:], robust.images[robust.parents[24:]]
    assert made.met["distance"] == pytest.approx(ssim_distance(change, parents, window_size=7).mean().item(), rel=1e-5)
    # Some items of round two descend from attacked ones, so they lie further from their originals.
    assert made.met["l2"] < made.met["l2 from original"] < 0.4
    weights = robust.weights
    assert made.met["share of originals"] == pytest.approx(24 / weights.sum().item()) == pytest.approx(24 / 1200)
    assert 0 <= made.met["flipped"] <= 1


def test_equal_draws_give_the_originals_their_share(task):
    model, data, test, options = task
    attack = matched_attack("pgd", strength=0.2, step_size=0.05)
    late, equal = (
        matched_training(model, data, test, INCOME, attack=attack, draws=d, **options) for d in ("late", "equal")
    )
    assert equal.met["share of originals"] == pytest.approx(1 / 3)
    assert torch.equal(late.robust_data.images, equal.robust_data.images)
    assert not torch.equal(late.models.losses, equal.models.losses)


@pytest.mark.parametrize("control", ["plain", "balanced", "group_dro"])
def test_a_control_has_no_attack(control, task):
    model, data, test, options = task
    made = matched_training(model, data, test, INCOME, control=control, **options)
    assert made.met == {} and made.robust_data is None
    direct = country_models(
        model, data, method=control, judged_on={"data": data, "test": test}, seed=3, **options["training"]
    )
    assert torch.equal(made.models.losses, direct.losses)


def test_bad_arguments_are_named(task):
    model, data, test, options = task
    with pytest.raises(ValueError, match="draws: expected one of"):
        matched_training(model, data, test, INCOME, draws="early", **options)
    with pytest.raises(ValueError, match="control: expected one of"):
        matched_training(model, data, test, INCOME, control="robust", **options)
