"""A model of one number: a classifier's features and a small linear head."""

import pytest
import torch

from blindspots.models import build_model, regressor

IMAGES = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SPEC = {"name": "small_cnn", "in_channels": 3, "width": 4}


def test_it_answers_with_one_number_near_the_start():
    with torch.no_grad():
        outputs = regressor(SPEC, start=0.5, seed=0)(IMAGES)
    assert outputs.shape == (5, 1)
    # 0.1 / sqrt(D) times features of order 1 moves the answer by about 0.1.
    assert (outputs - 0.5).abs().max() < 0.3


def test_the_features_are_those_of_the_classifier():
    classifier = build_model(SPEC | {"n_classes": 2}, seed=3)
    with torch.no_grad():
        assert torch.equal(classifier.encode(IMAGES), regressor(SPEC, seed=3).encode(IMAGES))


def test_the_seed_decides_the_head():
    heads = [regressor(SPEC, seed=seed).classifier.weight for seed in (0, 0, 1)]
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])


def test_tables_have_one_too():
    model = regressor({"name": "mlp", "n_features": 3, "hidden": [4]}, seed=0)
    assert model(torch.zeros(2, 3)).shape == (2, 1) and not model.training


def test_a_head_that_is_not_linear_and_a_start_that_is_no_number_are_refused(monkeypatch):
    def build(spec, *, seed):
        model = build_model(spec, seed=seed)
        model.classifier = torch.nn.Sequential(model.classifier)
        return model

    with pytest.raises(ValueError, match="start"):
        regressor(SPEC, start=float("nan"), seed=0)
    monkeypatch.setitem(regressor.__globals__, "build_model", build)
    with pytest.raises(ValueError, match="expected a model with a linear head, got Sequential"):
        regressor(SPEC, seed=0)
