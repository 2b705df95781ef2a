"""Three trainings of one network: what they share, where they differ, and the cache."""

import pytest
import torch

from blindspots.data import load
from blindspots.studies.robust_trio import ball_attack, robust_trio

SPEC = {"name": "elu_perceptron", "n_features": 784, "n_classes": 10, "hidden": 6}


@pytest.fixture(scope="module")
def digits():
    found = load("digits", split="train", limit=80)
    return found.images, found.labels


@pytest.fixture
def options(monkeypatch, tmp_path):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))
    return dict(weight=0.4, epochs=2, batch_size=40, steps=3, seed=0)


def test_the_three_differ_by_what_they_were_trained_against(digits, options):
    trio = robust_trio(SPEC, *digits, **options)
    assert list(trio) == ["ordinary", "robust", "pgd"]
    heads = [one.model.classifier.weight for one in trio.values()]
    assert not torch.equal(heads[0], heads[1]) and not torch.equal(heads[1], heads[2])
    assert trio["ordinary"].squared_distance == 0 and trio["robust"].squared_distance > 0
    # Images near the edge of [0, 1] are cut short there, so the ball's attack can only stay below its budget.
    assert 0.3 * trio["robust"].squared_distance < trio["pgd"].squared_distance
    assert trio["pgd"].squared_distance <= trio["robust"].squared_distance * (1 + 1e-5)


def test_a_second_time_comes_from_the_cache_and_options_count(digits, options):
    first = robust_trio(SPEC, *digits, **options)
    again = robust_trio(SPEC, *digits, **options)
    for method, one in first.items():
        assert one.seconds == again[method].seconds
        for name, value in one.model.state_dict().items():
            assert torch.equal(value, again[method].model.state_dict()[name])
    for change in (dict(weight=1.0), dict(epochs=1), dict(batch_size=80), dict(steps=2), dict(seed=1),
                   dict(learning_rate=0.01)):  # fmt: skip
        other = robust_trio(SPEC, *digits, **(options | change))
        assert not torch.equal(other["robust"].model.classifier.weight, first["robust"].model.classifier.weight)


def test_the_ball_holds(digits, options):
    images, labels = digits
    model = robust_trio(SPEC, *digits, **options)["ordinary"].model
    moved = ball_attack(model, 0.7, 5)(images, labels)
    lengths = torch.linalg.vector_norm((moved - images).flatten(1), dim=1)
    assert lengths.max() <= 0.7 * (1 + 1e-5) and lengths.mean() > 0.5
    assert moved.min() >= 0 and moved.max() <= 1


def test_an_unknown_network_is_named(digits, options):
    with pytest.raises(ValueError, match="spec: expected a name among elu_cnn, elu_perceptron; got 'vgg'"):
        robust_trio({"name": "vgg"}, *digits, **options)
