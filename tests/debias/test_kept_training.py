"""Trainings that are kept: made once, the chosen epoch's weights, and anew where anything differs."""

import pytest
import torch

from blindspots.debias.bade import train_bade_teacher
from blindspots.debias.erm import erm
from blindspots.debias.group_evaluation import group_evaluator
from blindspots.debias.kept_training import kept_training
from blindspots.debias.select_epoch import select_epoch
from blindspots.debias.stamp_triggers import append_trigger
from blindspots.models import mlp
from blindspots.seeding import generator

ROWS = torch.randn(80, 3, generator=generator(0))
GROUPS = torch.arange(80) % 2
LABELS = (ROWS[:, 0] + 0.5 * GROUPS > 0.2).long()


@pytest.fixture
def calls(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))
    return []


def train(calls, *, seed=0, data="a", model_seed=0, **options):
    made = []

    def make(model):
        evaluate = group_evaluator({"validation": (ROWS, LABELS, GROUPS)})
        made.append(
            erm(model, ROWS, LABELS, GROUPS, epochs=4, batch_size=16, learning_rate=0.02, generator=generator(seed),
                evaluate=evaluate)
        )  # fmt: skip
        calls.append(seed)
        return made[0]

    model = mlp(3, 2, hidden=(8,), seed=model_seed)
    return kept_training(model, make, settings={"seed": seed}, data_sha256=data, **options), made


def test_the_second_call_trains_nothing_and_gives_the_same(calls):
    first, _ = train(calls)
    second, _ = train(calls)
    assert calls == [0]
    assert first.history == second.history and first.epoch == second.epoch
    assert torch.equal(first.model(ROWS), second.model(ROWS))
    assert not second.model.training


def test_the_weights_are_those_of_the_epoch_that_the_rule_picks(calls):
    for rule in ("least_odds_near_best_eacc", "last"):
        kept, made = train(calls, rule=rule)
        assert kept.epoch == select_epoch(made[0].history, rule=rule)
        chosen = made[0].states[kept.epoch - 1]
        assert all(torch.equal(value, chosen[name]) for name, value in kept.model.state_dict().items())


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"data": "b"}, {"model_seed": 1}, {"rule": "best_eacc"}, {"margin": 30}]
)
def test_anything_else_is_trained_anew(calls, other):
    train(calls)
    train(calls, **other)
    assert len(calls) == 2


def test_what_holds_a_training_will_do(calls):
    def make(model):
        return train_bade_teacher(
            model, ROWS, LABELS, GROUPS, stamp=append_trigger, epochs=2, batch_size=16, learning_rate=0.02,
            generator=generator(0),
        )  # fmt: skip

    kept = kept_training(mlp(4, 2, hidden=(8,), seed=0), make, settings={}, data_sha256="a", rule="last")
    assert kept.epoch == 2 and len(kept.history) == 2
