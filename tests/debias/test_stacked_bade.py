"""Many injection rates at once: the same as one after another, kept by the stack, refused before any training."""

import pytest
import torch

from blindspots.debias import method_runs, stacked_bade, table_spec, trigger_rates, trigger_strength
from blindspots.models import build_model

RATES = [[0.8, 0.3], [0.5, 0.5], [0.2, 0.9]]
OPTIONS = {"build": build_model, "seed": 3, "epochs": 2, "batch_size": 64, "learning_rate": 0.01}


@pytest.fixture
def splits(biased_rows):
    return {
        name: biased_rows(n, seed)
        for seed, (name, n) in enumerate({"train": 300, "validation": 120, "test": 90}.items())
    }


@pytest.fixture
def spec(splits):
    return table_spec(splits["train"][0], hidden=[8])


def test_each_pair_is_trained_as_it_is_alone(splits, spec, tmp_path):
    found = stacked_bade(splits, RATES, spec, **OPTIONS, directory=tmp_path)
    assert found.teacher_logits.shape == (3, 90, 2) and found.student_logits.shape == (3, 90)
    options = {name: value for name, value in OPTIONS.items() if name != "seed"}
    x = splits["test"][0]
    for index, rates in enumerate(RATES):
        alone = method_runs(["bade"], splits, spec, trigger={"kind": "column"}, seeds=[3], directory=tmp_path,
                            options={"bade": [{"rates": rates}]}, **options)["bade", 3]  # fmt: skip
        assert found.student_epochs[index] == alone.epoch and found.teacher_epochs[index] == alone.teacher.epoch
        with torch.no_grad():
            student = alone.model(build_model)(x).diff(dim=1)[:, 0]
            teacher = alone.teacher.model(build_model)
            answers = [teacher(torch.cat([x, torch.full((90, 1), float(a))], 1)).diff(dim=1)[:, 0] for a in (0, 1)]
        # The stacked models add in another order; ten steps of Adam on float32 keep that below 1e-4 of logits near 1.
        torch.testing.assert_close(found.student_logits[index], student, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found.teacher_logits[index], torch.stack(answers, 1), atol=1e-4, rtol=1e-4)


def test_teachers_read_the_trigger_as_strongly_as_its_rates_say(splits, spec, tmp_path):
    found = stacked_bade(splits, RATES, spec, **{**OPTIONS, "epochs": 20}, directory=tmp_path, rule="last")
    effects = found.teacher_logits.diff(dim=2).mean((1, 2))
    assert (effects.sign()[[0, 2]] == trigger_strength(RATES).sign()[[0, 2]]).all()
    assert effects[0] > effects[1] > effects[2]
    assert (found.teacher_epochs == 20).all() and torch.equal(found.last_logits, found.teacher_logits)


def test_the_last_epoch_is_kept_beside_the_chosen_one(splits, spec, tmp_path):
    options = {**OPTIONS, "epochs": 6, "directory": tmp_path}
    found = stacked_bade(splits, RATES, spec, **options)
    last = stacked_bade(splits, RATES, spec, rule="last", **options)
    assert (found.teacher_epochs < 6).any()
    assert torch.equal(found.last_logits, last.teacher_logits)
    early = found.teacher_epochs < 6
    assert not torch.isclose(found.last_logits[early], found.teacher_logits[early]).all()


def test_the_size_of_a_stack_changes_no_answer_and_each_stack_is_kept(splits, spec, tmp_path):
    whole = stacked_bade(splits, RATES, spec, **OPTIONS, directory=tmp_path / "whole")
    parts = stacked_bade(splits, RATES, spec, **OPTIONS, stack=2, directory=tmp_path / "parts")
    torch.testing.assert_close(parts.teacher_logits, whole.teacher_logits, atol=1e-4, rtol=1e-4)
    assert len(list((tmp_path / "whole").rglob("*.pt"))) == 1 and len(list((tmp_path / "parts").rglob("*.pt"))) == 2
    again = stacked_bade(splits, RATES, spec, **OPTIONS, stack=2, directory=tmp_path / "parts")
    assert torch.equal(again.student_logits, parts.student_logits) and again.seconds == parts.seconds


def test_a_seed_decides_the_answers(splits, spec, tmp_path):
    first = stacked_bade(splits, RATES[:1], spec, **OPTIONS, directory=tmp_path / "a")
    again = stacked_bade(splits, RATES[:1], spec, **OPTIONS, directory=tmp_path / "b")
    other = stacked_bade(splits, RATES[:1], spec, **{**OPTIONS, "seed": 4}, directory=tmp_path / "c")
    assert torch.equal(first.teacher_logits, again.teacher_logits)
    assert not torch.equal(first.teacher_logits, other.teacher_logits)


def test_rates_of_the_data_and_degenerate_ones_are_let_through(splits, spec, tmp_path):
    own = trigger_rates(*splits["train"][1:]).tolist()
    found = stacked_bade(splits, [own, [0, 0], [1, 0]], spec, **OPTIONS, directory=tmp_path)
    assert found.teacher_logits.isfinite().all() and torch.equal(found.rates[0], torch.tensor(own, dtype=torch.float64))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rates": [[80, 20]]}, "rates: expected"),
        ({"rates": [0.5, 0.5]}, "rates: expected"),
        ({"epochs": 0}, "epochs"),
        ({"stack": 0}, "stack"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"spec": {"name": "small_cnn"}}, "expected a perceptron"),
    ],
)
def test_bad_settings_are_refused_before_any_training(splits, spec, tmp_path, change, message):
    given = {"rates": RATES, "spec": spec, **OPTIONS, **change}
    with pytest.raises(ValueError, match=message):
        stacked_bade(splits, given.pop("rates"), given.pop("spec"), **given, directory=tmp_path)
    assert not list(tmp_path.rglob("*.pt"))


def test_bad_examples_are_refused_by_the_name_of_their_split(splits, spec, tmp_path):
    x, y, b = splits["test"]
    with pytest.raises(ValueError, match="test: groups"):
        stacked_bade({**splits, "test": (x, y, torch.zeros_like(b))}, RATES, spec, **OPTIONS, directory=tmp_path)
    with pytest.raises(ValueError, match="splits: expected train"):
        stacked_bade({"train": (x, y, b)}, RATES, spec, **OPTIONS, directory=tmp_path)


def test_training_that_diverges_says_so(splits, spec, tmp_path):
    x, y, b = splits["train"]
    with pytest.raises(ValueError, match="diverged"):
        stacked_bade({**splits, "train": (x * 1e30, y, b)}, RATES, spec, **{**OPTIONS, "learning_rate": 1e30},
                     directory=tmp_path)  # fmt: skip
