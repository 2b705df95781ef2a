"""All methods trained alike: each is what its own function makes, kept by itself, chosen on validation."""

from dataclasses import fields

import pytest
import torch

from blindspots.debias.erm import erm
from blindspots.debias.group_evaluation import group_evaluator, group_outputs
from blindspots.debias.method_runs import METHODS, method_runs, trigger_stamp
from blindspots.debias.select_epoch import select_epoch
from blindspots.debias.stamp_triggers import append_trigger
from blindspots.debias.table_spec import table_spec
from blindspots.debias.trigger_assignment import inverted_triggers
from blindspots.models import build_model
from blindspots.seeding import generator

COLUMN = {"kind": "column"}
SETTINGS = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "trigger": COLUMN, "build": build_model, "seeds": [0]}


def biased_rows(n, seed):
    """Rows (signal, group), labels, groups: the label goes with a noisy signal, and with the group."""
    draws = generator(seed)
    labels = torch.arange(n) % 2
    groups = (torch.rand(n, generator=draws) < 0.2 + 0.6 * labels).long()
    signal = 2.0 * labels - 1 + torch.randn(n, generator=draws)
    return torch.stack([signal, groups.float()], dim=1), labels, groups


@pytest.fixture(scope="module")
def splits():
    return {"train": biased_rows(240, 0), "validation": biased_rows(160, 1), "test": biased_rows(200, 2)}


@pytest.fixture(scope="module")
def spec(splits):
    return table_spec(splits["train"][0], hidden=(8,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def runs(splits, spec, folder):
    return method_runs(list(METHODS), splits, spec, directory=folder, **SETTINGS)


def test_there_is_one_run_of_each_row_of_the_table_and_seed(runs):
    assert list(runs) == [(method, 0) for method in METHODS]
    assert len(METHODS) == 7
    for run in runs.values():
        assert len(run.history) == 3
        assert run.predictions["test"].shape == (3, 200)


def test_the_standard_row_is_standard_training_and_nothing_else(splits, spec, runs):
    model = build_model(spec, seed=0)
    training = erm(
        model, *splits["train"], epochs=3, batch_size=32, learning_rate=0.01,
        generator=generator(0, "debias", "standard"),
        evaluate=group_evaluator({name: splits[name] for name in ("validation", "test")}),
    )  # fmt: skip
    run = runs["standard", 0]
    epoch = select_epoch(training.history)
    assert run.epoch == epoch
    assert run.chosen["test_odds"] == training.history[epoch - 1]["test_odds"]
    for name, value in training.states[epoch - 1].items():
        assert torch.equal(run.state[name], value)


def test_weights_and_predictions_of_every_run_are_those_of_the_epoch_chosen_on_validation(splits, runs):
    for run in runs.values():
        assert run.epoch == select_epoch(run.history)
        predicted = group_outputs(run.model(build_model), splits["test"][0]).argmax(1)
        assert torch.equal(predicted, run.test_predictions), run.method


def test_the_teacher_is_measured_on_inverted_triggers_and_the_student_on_clean_rows(splits, runs):
    run = runs["bade", 0]
    rows, _, groups = splits["test"]
    assert run.teacher.spec["n_features"] == run.spec["n_features"] + 1
    answers = group_outputs(
        run.teacher.model(build_model), rows, stamp=append_trigger, assignment=inverted_triggers(groups)
    )
    assert torch.equal(answers.argmax(1), run.teacher.test_predictions)
    assert (run.teacher.assignment[splits["train"][1] == 0] == 0).sum() == (
        (splits["train"][2] == 0) & (splits["train"][1] == 0)
    ).sum()
    assert run.seconds == pytest.approx(sum(record["seconds"] for record in run.history) + run.teacher.seconds)


def test_the_choice_of_the_test_split_is_kept_beside_and_not_worse_by_its_rule(splits, runs):
    for run in runs.values():
        near = max(record["test_eacc"] for record in run.history) - 1.0
        if len(run.options) == 0:
            assert run.from_test["test_odds"] == min(r["test_odds"] for r in run.history if r["test_eacc"] >= near)
        missed = (run.from_test_predictions != splits["test"][1]).double().mean().item()
        assert run.from_test["test_accuracy"] == pytest.approx(100 - 100 * missed)


def test_a_second_call_reads_what_the_first_one_kept(splits, spec, folder, runs):
    again = method_runs(list(METHODS), splits, spec, directory=folder, **SETTINGS)
    for key, run in runs.items():
        for field in fields(run):
            ours, theirs = getattr(run, field.name), getattr(again[key], field.name)
            if isinstance(ours, int | float | str | dict | tuple) and field.name not in ("state", "predictions"):
                assert ours == theirs, field.name  # seconds too, which no second training would repeat


def test_other_rows_other_seeds_and_other_settings_are_trained_anew(splits, spec, folder, runs):
    before = len(list(folder.rglob("*.pt")))
    method_runs(["standard"], splits, spec, directory=folder, **SETTINGS)
    assert len(list(folder.rglob("*.pt"))) == before
    method_runs(["standard"], splits, spec, directory=folder, **SETTINGS | {"seeds": [1]})
    method_runs(["standard"], splits, spec, directory=folder, **SETTINGS | {"epochs": 2})
    method_runs(["standard"], splits | {"test": biased_rows(200, 3)}, spec, directory=folder, **SETTINGS)
    assert len(list(folder.rglob("*.pt"))) == before + 3


def test_among_candidates_the_rule_picks_one_on_validation_and_all_are_paid_for(splits, spec, folder, runs):
    options = {"rnf": [{"smoothing": 0.0, "epochs": 20}, {"smoothing": 100.0, "epochs": 1}]}
    run = method_runs(["rnf"], splits, spec, directory=folder, options=options, **SETTINGS)["rnf", 0]
    # So much smoothing leaves a constant head: Odds 0 at EAcc 50, which is not near the other's EAcc.
    assert run.options == options["rnf"][0]
    assert run.chosen["validation_eacc"] > 60
    assert run.search_seconds > run.seconds > runs["standard", 0].seconds


def test_options_of_the_student_and_of_the_teacher_are_told_apart(splits, spec, folder):
    options = {"bade": [{"rates": [0.5, 0.5], "loss": "mse"}]}
    run = method_runs(["bade"], splits, spec, directory=folder, options=options, **SETTINGS)["bade", 0]
    assert run.options == options["bade"][0]
    assert run.teacher.options == {"rates": [0.5, 0.5]}
    assert run.teacher.assignment.double().mean().item() == 0.5


def test_two_processes_give_what_one_gives(splits, spec, folder, tmp_path):
    two = method_runs(["undersampling"], splits, spec, directory=tmp_path, processes=2, **SETTINGS | {"seeds": [0, 1]})
    one = method_runs(["undersampling"], splits, spec, directory=folder, **SETTINGS | {"seeds": [0, 1]})
    for key, run in one.items():
        assert torch.equal(run.predictions["test"], two[key].predictions["test"])


def test_images_take_a_stamped_trigger_and_a_teacher_of_the_same_shape(tmp_path):
    def faces(n, seed):
        images = torch.rand(n, 3, 8, 8, generator=generator(seed))
        return images, torch.arange(n) % 2, torch.arange(n) // 2 % 2

    splits = {"train": faces(16, 0), "validation": faces(8, 1), "test": faces(8, 2)}
    spec = {"name": "small_cnn", "n_classes": 2, "in_channels": 3, "width": 2}
    settings = SETTINGS | {"trigger": {"kind": "block", "size": 2}, "epochs": 1}
    run = method_runs(["bade"], splits, spec, directory=tmp_path, **settings)["bade", 0]
    assert run.teacher.spec == run.spec == spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["reweighting"]}, "methods: expected one of standard"),
        ({"options": {"mfd": [{"smoothing": 1.0}]}}, "options: expected those of mfd.*got smoothing"),
        ({"options": {"rnf": {"smoothing": 1.0}}}, "options: expected a list of candidates for 'rnf'"),
        ({"options": {"erm": [{}]}}, "options: expected one of standard"),
        ({"epochs": 0}, "epochs: expected"),
        ({"processes": 0}, "processes: expected"),
    ],
)
def test_bad_settings_are_named_before_any_training(splits, spec, tmp_path, change, message):
    given = {"methods": ["standard"], "splits": splits, "spec": spec, **SETTINGS, "directory": tmp_path} | change
    methods, parts, shape = (given.pop(name) for name in ("methods", "splits", "spec"))
    with pytest.raises(ValueError, match=message):
        method_runs(methods, parts, shape, **given)
    assert not list(tmp_path.rglob("*.pt"))


def test_a_split_that_misses_a_cell_is_named(splits, spec, tmp_path):
    rows, labels, groups = splits["test"]
    keep = ~((labels == 1) & (groups == 0))
    short = splits | {"test": (rows[keep], labels[keep], groups[keep])}
    with pytest.raises(ValueError, match="test: "):
        method_runs(["standard"], short, spec, directory=tmp_path, **SETTINGS)
    with pytest.raises(ValueError, match="splits: expected train, validation, test"):
        method_runs(["standard"], {"train": splits["train"]}, spec, directory=tmp_path, **SETTINGS)


def test_a_column_trigger_takes_no_options():
    with pytest.raises(ValueError, match="trigger: expected no options"):
        trigger_stamp({"kind": "column", "size": 3})
