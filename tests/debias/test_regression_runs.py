"""Regressions with one rate and with several: the one learns nothing of the trigger, the other what the group says."""

import sys

import pytest
import torch

from blindspots.debias import quantile_edges, regression_runs
from blindspots.models import regressor
from blindspots.seeding import generator

MODULE = sys.modules["blindspots.debias.regression_runs"]
SPEC = {"name": "mlp", "n_features": 2, "hidden": [16]}
COLUMN = {"kind": "column"}


def aged_rows(n, seed):
    """Rows (noisy reading of the target, group), targets about 0.5, groups that go with them."""
    draws = generator(seed, "aged rows")
    targets = 0.5 + 0.2 * torch.randn(n, generator=draws)
    groups = (torch.rand(n, generator=draws) < (4 * (targets - 0.5)).sigmoid()).long()
    seen = targets + 0.3 * torch.randn(n, generator=draws)
    return torch.stack([seen, groups.float()], dim=1), targets, groups


SPLITS = {"train": aged_rows(1500, 0), "validation": aged_rows(400, 1), "test": aged_rows(1000, 2)}
EDGES = quantile_edges(SPLITS["train"][1], 6)


@pytest.fixture
def runs_of(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path))

    def run(methods, splits=SPLITS, edges=EDGES, **options):
        settings = {"seeds": [0], "epochs": 8, "batch_size": 64, "learning_rate": 0.01} | options
        return regression_runs(methods, splits, SPEC, build=regressor, trigger=COLUMN, edges=edges, **settings)

    return run


def test_one_rate_leaves_the_trigger_without_effect_and_rates_by_stratum_make_it_one(runs_of):
    runs = runs_of(["one_rate", "rates"])
    effects = {name: run.teacher.triggered.diff(dim=1).mean().item() for (name, _), run in runs.items()}
    # By chance alone a trigger goes with the target by 0.2 / sqrt(1500 / 4) = 0.010; three times that.
    assert abs(effects["one_rate"]) < 0.031
    # The groups' mean targets differ by about 0.15, of which the reading leaves some.
    assert effects["rates"] > 0.05


def test_a_teacher_is_reported_on_inverted_triggers_and_a_student_on_clean_rows(runs_of):
    run = runs_of(["rates"])["rates", 0]
    groups = SPLITS["test"][2]
    teacher = run.teacher
    assert torch.equal(teacher.outputs, teacher.triggered[torch.arange(1000), 1 - groups])
    assert run.triggered is None and run.outputs.shape == (1000,) and teacher.teacher is None
    assert run.seconds > teacher.seconds > 0


def test_the_control_learns_the_standard_models_answers(runs_of):
    runs = runs_of(["standard", "distilled"])
    standard, control = runs["standard", 0].outputs, runs["distilled", 0].outputs
    assert torch.equal(runs["distilled", 0].teacher.outputs, standard)
    spread = standard.std()
    assert 0 < (control - standard).abs().mean() < 0.3 * spread


def test_the_second_call_trains_nothing(runs_of, monkeypatch):
    first = runs_of(["standard", "rates"])
    for name in ("erm", "train_bade_teacher", "distill_student"):
        monkeypatch.setattr(MODULE, name, None)
    again = runs_of(["standard", "rates"])
    assert all(torch.equal(first[key].outputs, again[key].outputs) for key in first)


def test_strata_renew_what_depends_on_them_only(runs_of, monkeypatch):
    runs_of(["standard", "one_rate", "rates"], epochs=1)
    trained = []
    real = MODULE.kept_training

    def listen(model, make, **options):
        def made(model):
            trained.append(options["settings"]["stage"])
            return make(model)

        return real(model, made, **options)

    monkeypatch.setattr(MODULE, "kept_training", listen)
    runs_of(["standard", "one_rate", "rates"], epochs=1, edges=EDGES[2:3])
    assert trained == ["rates_teacher", "rates"]


def test_the_chosen_epoch_is_the_least_gap_near_the_least_error(runs_of):
    run = runs_of(["standard"], margin=20.0)["standard", 0]
    least = min(record["validation_mse"] for record in run.history)
    near = [r for r in run.history if r["validation_mse"] <= 1.2 * least]
    gaps = [abs(r["validation_mse_0"] - r["validation_mse_1"]) for r in near]
    assert run.epoch == near[gaps.index(min(gaps))]["epoch"]


def test_two_processes_train_what_one_does(runs_of, tmp_path, monkeypatch):
    options = {"seeds": [0, 1], "epochs": 1}
    alone = runs_of(["rates"], **options)
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path / "other"))
    shared = runs_of(["rates"], processes=2, **options)
    assert alone.keys() == shared.keys()
    assert all(torch.equal(alone[key].outputs, shared[key].outputs) for key in alone)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["erm"]}, "methods"),
        ({"edges": ()}, "edges"),
        ({"edges": (0.5, 9.0)}, "every class"),
        ({"epochs": 0}, "epochs"),
        ({"margin": -1}, "margin"),
        ({"processes": 0}, "processes"),
        ({"splits": {"train": SPLITS["train"]}}, "splits: expected train, validation, test"),
        ({"splits": SPLITS | {"test": (*SPLITS["test"][:1], SPLITS["test"][2], SPLITS["test"][2])}}, "test: .*floats"),
    ],
)
def test_bad_arguments_are_refused_before_training(runs_of, change, message):
    with pytest.raises(ValueError, match=message):
        runs_of(change.pop("methods", ["standard"]), **change)
