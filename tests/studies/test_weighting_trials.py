"""Trials differ by the length of their steps only, and what is lost is told."""

import pytest
import torch

from blindspots.data.planted.country_scenes import planted_scenes
from blindspots.fairness import WeightedImages
from blindspots.models import build_model
from blindspots.studies.weighting_trials import weighting_trials

OPTIONS = {"n_models": 2, "steps": 12, "seed": 1}


@pytest.fixture(scope="module")
def task():
    data = planted_scenes(24, seed=0, size=16, countries=["Burundi", "India", "France"])
    made = WeightedImages(data.images, data.labels, torch.arange(1.0, 25.0).double())
    spec = {"name": "small_cnn", "in_channels": 3, "n_classes": 6, "width": 4, "norm": "group"}
    return build_model(spec, seed=0), made, data


def test_literal_is_normalized_at_the_rate_times_the_mean_weight(task, tmp_path):
    model, made, data = task
    mean = made.weights.mean().item()
    (literal,) = weighting_trials(
        model, made, data, weightings=["literal"], rates=[1e-3], **OPTIONS, directory=tmp_path
    )
    (normalized,) = weighting_trials(
        model, made, data, weightings=["normalized"], rates=[1e-3 * mean], **OPTIONS, directory=tmp_path
    )
    assert literal.mean_step == pytest.approx(normalized.mean_step)
    torch.testing.assert_close(literal.losses, normalized.losses, rtol=0, atol=1e-4)


def test_mean_steps_are_by_the_items_drawn(task, tmp_path):
    model, made, data = task
    trials = {
        one.weighting: one for one in weighting_trials(model, made, data, rates=[0.01], **OPTIONS, directory=tmp_path)
    }
    weights = made.weights
    assert trials["sampling_only"].mean_step == pytest.approx(0.01)
    assert trials["literal"].mean_step == pytest.approx(0.01 * (weights.square().sum() / weights.sum()).item())
    assert len({one.losses.sum().item() for one in trials.values()}) == 3


def test_a_lost_training_says_where(task, tmp_path):
    model, made, data = task
    fine, lost = weighting_trials(
        model, made, data, weightings=["literal"], rates=[1e-5, 1e4], **OPTIONS, directory=tmp_path
    )
    bound = 10 * torch.tensor(6.0).log()
    assert fine.lost_at == (None, None) and fine.largest_loss < bound
    for row, step in zip(lost.losses, lost.lost_at, strict=True):
        assert not row[step - 1] < bound and (row[: step - 1] < bound).all()
