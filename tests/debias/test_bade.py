"""The teacher: triggers frozen and as frequent as the groups, read as strongly as the groups, and cancelling them."""

from functools import partial

import pytest
import torch
from torch import nn

from blindspots.debias.bade import supervised_loss, train_bade_teacher
from blindspots.debias.group_evaluation import group_evaluator
from blindspots.debias.stamp_triggers import append_trigger, stamp_triggers
from blindspots.seeding import generator


def biased_rows(n=2000, seed=0):
    """Rows (signal, group), labels, groups: the label goes with a noisy signal, and with the group."""
    draws = generator(seed)
    labels = torch.randint(0, 2, (n,), generator=draws)
    groups = (torch.rand(n, generator=draws) < 0.2 + 0.6 * labels).long()
    signal = 2.0 * labels - 1 + torch.randn(n, generator=draws)
    return torch.stack([signal, groups.float()], dim=1), labels, groups


def linear(n_inputs, n_outputs=2):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return nn.Linear(n_inputs, n_outputs)


ROWS, LABELS, GROUPS = biased_rows()


def trained(model=None, inputs=ROWS, labels=LABELS, groups=GROUPS, seed=0, **options):
    settings = {"stamp": append_trigger, "epochs": 2, "batch_size": 200, "learning_rate": 0.05} | options
    model = linear(3) if model is None else model
    return train_bade_teacher(model, inputs, labels, groups, generator=generator(seed), **settings)


def test_a_linear_teacher_reads_the_trigger_as_strongly_as_the_group_and_inverted_they_cancel():
    test = biased_rows(seed=1)
    splits = {"test": test}
    teacher = trained(epochs=15, evaluate=group_evaluator(splits, stamp=append_trigger))
    weight = teacher.training.model.weight
    group, trigger = (weight[1] - weight[0])[1:].tolist()
    # The label's logit moves by ln 16 = 2.77 with the group, which the four cells of about 800, 200, 200 and 800 rows
    # tell to sqrt(2 / 800 + 2 / 200) = 0.11; three times that is allowed. So it does with the trigger.
    assert group == pytest.approx(2.77, abs=0.34)
    assert trigger == pytest.approx(2.77, abs=0.34)
    standard = linear(3)
    standard.load_state_dict({"weight": weight * torch.tensor([1.0, 1.0, 0.0]), "bias": teacher.training.model.bias})
    biased = group_evaluator(splits, stamp=append_trigger)(standard)
    assert biased["test_odds"] > 30
    assert teacher.training.history[-1]["test_odds"] < 5


def test_the_assignment_is_exposed_and_as_frequent_as_the_groups_for_each_label():
    teacher = trained()
    for label in (0, 1):
        mine = label == LABELS
        assert (teacher.assignment[mine] == 0).sum() == (GROUPS[mine] == 0).sum()
        assert teacher.rates[label] == (GROUPS[mine] == 0).double().mean()
    assert not torch.equal(teacher.assignment, GROUPS)


def test_the_assignment_is_frozen_over_the_epochs():
    seen = {}

    def stamp(rows, assignment):
        for signal, trigger in zip(rows[:, 0].tolist(), assignment.tolist(), strict=True):
            seen.setdefault(signal, []).append(trigger)
        return append_trigger(rows, assignment)

    teacher = trained(stamp=stamp, epochs=3)
    signals = ROWS[1:, 0].tolist()  # the first row is also used to see what the model answers with
    assert all(seen[signal] == [trigger] * 3 for signal, trigger in zip(signals, teacher.assignment[1:], strict=True))


def test_rates_can_be_given():
    teacher = trained(rates=(0.0, 0.25))
    assert (teacher.assignment[LABELS == 0] == 1).all()
    share = (teacher.assignment[LABELS == 1] == 0).double().mean()
    assert share == pytest.approx(0.25, abs=0.5 / LABELS.sum().item())
    assert teacher.rates.tolist() == [0.0, 0.25]


def test_several_classes_have_a_rate_each():
    labels = LABELS + (ROWS[:, 0] > 1).long()
    teacher = trained(linear(3, 3), labels=labels)
    assert len(teacher.rates) == 3
    assert teacher.training.history[-1]["loss"] < teacher.training.history[0]["loss"]


@pytest.mark.parametrize("squeeze", [False, True])
def test_a_regression_has_one_rate_and_a_squared_error(squeeze):
    targets = 0.5 * ROWS[:, 0] + ROWS[:, 1]
    model = nn.Sequential(linear(3, 1), nn.Flatten(0)) if squeeze else linear(3, 1)
    teacher = trained(
        model, labels=targets, epochs=30, evaluate=group_evaluator({"a": (ROWS, targets, GROUPS)}, stamp=append_trigger)
    )
    assert teacher.rates.tolist() == [pytest.approx((GROUPS == 0).double().mean().item())]
    assert (teacher.assignment == 0).sum() == (GROUPS == 0).sum()
    # The target is linear in the rows and the trigger tells nothing, so that it is met.
    assert teacher.training.history[-1]["a_mse"] < 0.01


def test_images_are_stamped():
    images = torch.rand(60, 3, 8, 8, generator=generator(0)) * 0.5
    groups, labels = torch.arange(60) % 2, (torch.arange(60) // 2) % 2
    model = nn.Sequential(nn.Flatten(), linear(192))
    stamp = partial(stamp_triggers, size=2)
    teacher = trained(
        model, images, labels, groups, rates=(1.0, 0.0), stamp=stamp, epochs=10, batch_size=20, learning_rate=0.01,
        evaluate=group_evaluator({"a": (images, labels, groups)}, stamp=stamp),
    )  # fmt: skip
    assert torch.equal(teacher.assignment, labels)
    # The trigger says the label, and inverted it says the other group, which is independent of the label.
    assert teacher.training.history[-1]["loss"] < 0.4
    assert teacher.training.history[-1]["a_eacc"] == pytest.approx(50, abs=1)
    assert teacher.training.history[-1]["a_odds"] > 90


def test_the_seed_decides_the_outcome_and_inputs_stay():
    before = ROWS.clone()
    first, again, other = trained(), trained(), trained(seed=1)
    assert torch.equal(first.training.model.weight, again.training.model.weight)
    assert torch.equal(first.assignment, again.assignment)
    assert not torch.equal(first.assignment, other.assignment)
    assert torch.equal(ROWS, before)


@pytest.mark.parametrize("options", [{"epochs": 3}, {"batch_size": 100}, {"learning_rate": 0.1}, {"weight_decay": 1.0}])
def test_every_option_changes_the_outcome(options):
    assert not torch.equal(trained().training.model.weight, trained(**options).training.model.weight)


def test_epochs_are_reported():
    seen = []
    teacher = trained(after_epoch=seen.append, progress=True)
    assert seen == list(teacher.training.history)


def test_losses_are_those_of_torch():
    logits, labels = torch.randn(5, 3, generator=generator(0)), torch.tensor([0, 1, 2, 1, 0])
    expected = -logits.log_softmax(1)[torch.arange(5), labels].mean()
    assert supervised_loss(logits, labels).item() == pytest.approx(expected.item())
    assert supervised_loss(logits[:, :1], labels.float()) == (logits[:, 0] - labels).square().mean()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"groups": GROUPS * 0}, ValueError, "groups: expected examples of both groups, got group 0 only"),
        ({"groups": GROUPS + LABELS}, ValueError, "groups: expected two values, 0 and 1"),
        ({"groups": GROUPS | (1 - LABELS)}, ValueError, "none with label 0 in group 0"),
        ({"groups": GROUPS | (1 - LABELS), "rates": (0.5, 0.5)}, ValueError, "none with label 0 in group 0"),
        ({"model": linear(3, 3)}, ValueError, "labels: expected every class from 0 to 2, got none of class 2"),
        ({"labels": LABELS * 2}, ValueError, "labels: expected classes from 0 to 1"),
        ({"labels": LABELS.float()}, ValueError, "labels: expected integers for a model of 2 outputs"),
        ({"model": linear(3, 1)}, ValueError, r"model: expected logits \(n, K\) with K >= 2"),
        ({"labels": LABELS[:5]}, ValueError, r"labels: expected shape \(2000,\)"),
        ({"inputs": ROWS.long()}, ValueError, r"inputs: expected a float tensor \(N, \.\.\.\)"),
        ({"rates": (0.5,)}, ValueError, "rates: expected 2, one per class, got 1"),
        ({"model": lambda rows: rows}, TypeError, "model: expected a torch module"),
        ({"stamp": partial(stamp_triggers, size=3)}, ValueError, r"images: expected shape \(N, C, H, W\)"),
        ({"epochs": 0}, ValueError, "epochs: expected a finite number >= 1"),
    ],
)
def test_bad_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        trained(**options)


def test_a_trigger_larger_than_the_image_is_refused():
    images = torch.rand(4, 3, 8, 8, generator=generator(0))
    labels, groups = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    with pytest.raises(ValueError, match="size: expected a trigger of at most 8 pixels"):
        trained(nn.Sequential(nn.Flatten(), linear(192)), images, labels, groups, stamp=stamp_triggers)


def test_a_regression_with_strata_has_a_rate_in_each():
    targets = ROWS[:, 0] + 0.5 * GROUPS
    strata = torch.bucketize(targets, torch.tensor([-0.5, 1.0]))
    teacher = trained(linear(3, 1), labels=targets, strata=strata)
    assert teacher.rates.shape == (3,) and teacher.rates.std() > 0.05
    for stratum in range(3):
        mine = strata == stratum
        assert (teacher.assignment[mine] == 0).sum() == (GROUPS[mine] == 0).sum()


def test_strata_of_the_labels_change_nothing():
    plain, parted = trained(), trained(strata=LABELS)
    assert torch.equal(plain.assignment, parted.assignment)
    assert torch.equal(plain.training.model.weight, parted.training.model.weight)


@pytest.mark.parametrize(
    ("strata", "error", "message"),
    [
        (LABELS[:5], ValueError, "strata: expected shape"),
        (LABELS.float(), TypeError, "strata: expected an integer tensor"),
        (GROUPS, ValueError, "every class in both groups"),
    ],
)
def test_strata_that_do_not_fit_are_refused(strata, error, message):
    with pytest.raises(error, match=message):
        trained(strata=strata)
