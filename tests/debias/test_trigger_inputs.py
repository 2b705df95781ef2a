"""The seven inputs: a model that reads the trigger alone, one that reads the label alone, and rates by a plain loop."""

import pytest
import torch
from torch import nn

from blindspots.debias.group_evaluation import group_outputs
from blindspots.debias.group_metrics import class_balanced_accuracy, equalized_accuracy
from blindspots.debias.stamp_triggers import stamp_triggers
from blindspots.debias.trigger_assignment import inverted_triggers
from blindspots.debias.trigger_inputs import SEVEN_INPUTS, trigger_inputs
from blindspots.seeding import generator

N = 120
DRAWS = generator(3)
IMAGES = 0.2 + 0.6 * torch.rand(N, 3, 8, 8, generator=DRAWS)
LABELS = torch.arange(N) % 2
GROUPS = (torch.rand(N, generator=DRAWS) < 0.6).long()


class Reader(nn.Module):
    """A margin of class 1 over class 0 that weighs red at the top left, blue at the bottom right, and the middle."""

    def __init__(self, red=0.0, blue=0.0, middle=0.0, bias=0.0):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([red, blue, middle]))
        self.bias = bias

    def forward(self, images):
        red = (images[:, :, 0, 0] * torch.tensor([1.0, -1.0, -1.0])).sum(1) > 0.99
        blue = (images[:, :, -1, -1] * torch.tensor([-1.0, -1.0, 1.0])).sum(1) > 0.99
        seen = torch.stack([red.float(), blue.float(), images[:, 1, 4, 4]], dim=1)
        margin = seen @ self.weights + self.bias
        return torch.stack([-margin / 2, margin / 2], dim=1)


def stamp(images, assignment):
    return stamp_triggers(images, assignment, size=2)


def seen_by(model, labels=LABELS, **options):
    return trigger_inputs(model, IMAGES, labels, GROUPS, stamp=stamp, **options)


def test_a_model_that_reads_the_trigger_alone_changes_everywhere_and_knows_nothing():
    seen = seen_by(Reader(red=3.0, blue=-2.0, bias=0.5))
    assert seen.changed.all()
    assert torch.allclose(seen.shift, torch.full((N,), 5.0))
    assert seen.eacc == dict.fromkeys(SEVEN_INPUTS, 50.0)


def test_a_model_that_reads_the_label_alone_changes_nowhere():
    images = IMAGES.clone()
    images[:, 1, 4, 4] = LABELS.float()
    seen = trigger_inputs(Reader(middle=2.0, bias=-1.0), images, LABELS, GROUPS, stamp=stamp)
    assert not seen.changed.any() and not seen.shift.any()
    assert seen.eacc == dict.fromkeys(SEVEN_INPUTS, 100.0)
    assert seen.right.all()


def test_each_row_is_that_of_a_plain_pass():
    model = Reader(red=0.2, blue=-0.1, middle=1.0, bias=-0.5)
    seen = seen_by(model)
    for name, (group, trigger) in SEVEN_INPUTS.items():
        given = {} if trigger is None else {"stamp": stamp, "assignment": torch.full((N,), trigger)}
        said = group_outputs(model, IMAGES, **given).argmax(1)
        if group is None:
            wanted = equalized_accuracy(said, LABELS, GROUPS)
        else:
            mine = group == GROUPS
            wanted = class_balanced_accuracy(said[mine], LABELS[mine])
        assert seen.eacc[name] == pytest.approx(wanted), name
    assert len(set(seen.eacc.values())) > 3


def test_rows_of_all_are_means_of_their_groups_and_so_is_balance():
    model = Reader(red=0.2, blue=-0.1, middle=1.0, bias=-0.5)
    eacc = seen_by(model).eacc
    for trigger in (0, 1):
        assert eacc[f"all_{trigger}"] == pytest.approx((eacc[f"0_with_{trigger}"] + eacc[f"1_with_{trigger}"]) / 2)
    balanced = group_outputs(model, IMAGES, stamp=stamp, assignment=inverted_triggers(GROUPS)).argmax(1)
    wanted = equalized_accuracy(balanced, LABELS, GROUPS)
    assert wanted == pytest.approx((eacc["1_with_0"] + eacc["0_with_1"]) / 2)


def test_batches_do_not_matter_and_the_model_is_left_as_it_was():
    model = Reader(red=0.2, middle=1.0)
    model.train()
    whole = seen_by(model)
    assert torch.allclose(whole.outputs, seen_by(model, batch_size=7).outputs)
    assert model.training and model.weights.grad is None and not whole.outputs.requires_grad


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (GROUPS, "none with label 1 in group 0"),
        (LABELS[:5], r"labels: expected shape \(120,\)"),
        (LABELS * 2, "labels: expected"),
    ],
)
def test_bad_examples_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        seen_by(Reader(red=1.0), labels)


def test_a_model_of_three_classes_is_refused():
    with torch.random.fork_rng(devices=[]):
        model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    with pytest.raises(ValueError, match="model: expected two logits for an input, got 3"):
        seen_by(model)
