"""Runs with several bias variables: nested triggers, cached, chosen on validation, and a bias that inversion lowers."""

import sys

import pytest
import torch

from blindspots.debias.several_runs import several_runs
from blindspots.models import build_model
from blindspots.seeding import generator

MODULE = sys.modules[several_runs.__module__]
SPEC = {"name": "small_cnn", "in_channels": 3, "n_classes": 2, "width": 4}
TRAINING = {"size": 2, "epochs": 3, "batch_size": 32, "learning_rate": 0.01}


def make_part(n, seed):
    """Return pictures whose green says the label faintly and whose blue and red say two groups clearly."""
    draws = generator(seed, "several runs")
    labels = torch.arange(n) % 2
    same = torch.rand(n, 2, generator=draws) < torch.tensor([0.85, 0.8])
    groups = torch.where(same, labels[:, None], 1 - labels[:, None])
    levels = torch.stack([groups[:, 0], labels, groups[:, 1]], dim=1).float()
    noise = torch.randn(n, 3, 8, 8, generator=draws)
    faint = torch.tensor([0.3, 0.1, 0.3])
    return (0.35 + faint[:, None, None] * levels[..., None, None] + 0.25 * noise).clamp(0, 1), labels, groups


@pytest.fixture
def splits():
    return {name: make_part(n, k) for k, (name, n) in enumerate({"train": 400, "validation": 200, "test": 400}.items())}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))


def run(splits, **options):
    chosen = {"build": build_model, "stamped": [0, 1, 2], "seeds": [0], **TRAINING} | options
    return several_runs(splits, SPEC, **chosen)


def test_inverted_triggers_lower_the_bias_of_their_variable(splits):
    runs = run(splits)
    assert list(runs) == [(0, 0), (1, 0), (2, 0)]
    chosen = {count: made.history[made.epoch - 1] for (count, _), made in runs.items()}
    assert chosen[1]["test_odds_0"] < 0.6 * chosen[0]["test_odds_0"]
    assert [len(made.effects) for made in runs.values()] == [0, 1, 2]
    assert runs[1, 0].effects[0] > 0  # red goes with group 1, and that with label 1
    for made in runs.values():
        assert made.predictions.shape == (400,)
        near = max(record["validation_eacc"] for record in made.history) - 1
        best = min(record["validation_odds"] for record in made.history if record["validation_eacc"] >= near)
        assert made.history[made.epoch - 1]["validation_odds"] == best


def test_a_second_call_reads_the_cache_and_agrees(splits, monkeypatch):
    first = run(splits, stamped=[2])
    monkeypatch.setattr(MODULE, "erm", lambda *_, **__: pytest.fail("trained again"))
    again = run(splits, stamped=[2])
    assert torch.equal(first[2, 0].predictions, again[2, 0].predictions)
    assert first[2, 0].effects == again[2, 0].effects


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"stamped": [3]}, "stamped"),
        ({}, {"size": 5}, "size: expected at most half"),
        ({}, {"corners": ("top_left",)}, "corners: expected 2 or more"),
        ({"validation": None}, {}, "splits: expected train, validation, test"),
        ({"test": "single"}, {}, "test: groups: expected shape"),
    ],
)
def test_errors_come_before_any_training(splits, monkeypatch, change, options, message):
    monkeypatch.setattr(MODULE, "erm", lambda *_, **__: pytest.fail("trained"))
    for name, what in change.items():
        images, labels, groups = splits.pop(name)
        if what == "single":
            splits[name] = (images, labels, groups[:, 0])
    with pytest.raises(ValueError, match=message):
        run(splits, **options)
