"""Bad data by group is refused with a message that names the cell; good data is handed out batch by batch."""

import pytest
import torch

from blindspots.debias.group_examples import check_group_examples
from blindspots.models import mlp, small_cnn
from blindspots.seeding import generator


def test_batches_come_by_index_in_the_dtype_of_the_model(biased_rows):
    rows, labels, groups = biased_rows(20)
    examples = check_group_examples(mlp(3, 2, hidden=(4,), seed=0), rows.double(), labels.int(), groups.short())
    indices = torch.tensor([7, 3, 3])
    inputs, targets, members = examples.batch(indices)
    assert len(examples) == 20 and examples.n_classes == 2
    assert inputs.dtype == torch.float32 and targets.dtype == members.dtype == torch.long
    assert torch.equal(inputs, rows[indices])
    assert torch.equal(targets, labels[indices]) and torch.equal(members, groups[indices])


def test_applying_a_function_is_in_evaluation_mode_and_leaves_no_mark():
    images = torch.rand(1030, 1, 4, 4, generator=generator(0))
    labels, groups = torch.arange(1030) % 2, torch.arange(1030) // 2 % 2
    model = small_cnn(1, 2, width=2, seed=0).train()
    means = model.features[1].running_mean.clone()
    examples = check_group_examples(model, images, labels, groups)
    features = examples.apply(model, model.encode)
    assert model.training and torch.equal(means, model.features[1].running_mean)
    assert not features.requires_grad
    with torch.no_grad():
        assert torch.allclose(features, model.eval().encode(images), atol=1e-6)


def test_features_are_counted_and_a_model_that_hides_them_is_refused():
    assert (
        check_group_examples(mlp(3, 2, hidden=(4, 6), seed=0), ROWS, LABELS, GROUPS).count_features(
            mlp(3, 2, hidden=(4, 6), seed=0)
        )
        == 6
    )
    plain = torch.nn.Sequential(mlp(3, 2, hidden=(4,), seed=0))
    examples = check_group_examples(plain, ROWS, LABELS, GROUPS)
    with pytest.raises(TypeError, match=r"model: expected one with \.encode\(inputs\) and .* without \.encode"):
        examples.count_features(plain)


ROWS = torch.rand(8, 3, generator=generator(1))
LABELS, GROUPS = torch.arange(8) % 2, torch.arange(8) // 2 % 2


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"model": lambda rows: rows}, TypeError, "model: expected a torch module"),
        ({"inputs": ROWS.tolist()}, ValueError, "inputs: expected a float tensor"),
        ({"inputs": (ROWS * 9).long()}, ValueError, r"inputs: expected a float tensor .* got torch.int64"),
        ({"inputs": ROWS[:0]}, ValueError, "inputs: expected a float tensor .* of at least one"),
        ({"inputs": ROWS / 0}, ValueError, "inputs: expected finite"),
        ({"inputs": ROWS[:5]}, ValueError, r"labels: expected shape \(5,\)"),
        ({"labels": LABELS * 2}, ValueError, "labels: expected classes from 0 to 1, got values from 0 to 2"),
        (
            {"labels": torch.ones_like(LABELS)},
            ValueError,
            "labels: expected every class from 0 to 1, got none of class 0",
        ),
        ({"labels": LABELS.float()}, TypeError, "labels: expected an integer tensor"),
        ({"groups": GROUPS.bool()}, TypeError, "groups: expected an integer tensor"),
        ({"groups": GROUPS[:5]}, ValueError, r"groups: expected shape \(8,\)"),
        (
            {"groups": torch.zeros_like(GROUPS)},
            ValueError,
            "groups: expected examples of both groups, got group 0 only",
        ),
        ({"groups": torch.arange(8) % 3}, ValueError, "groups: expected two values, 0 and 1, got values from 0 to 2"),
        ({"groups": GROUPS - 1}, ValueError, "groups: expected two values, 0 and 1, got values from -1"),
        ({"groups": LABELS}, ValueError, "got none with label 1 in group 0 and none with label 0 in group 1"),
        ({"groups": 1 - LABELS * GROUPS}, ValueError, "got none with label 0 in group 0"),
    ],
)
def test_bad_examples_are_refused(changed, error, message):
    arguments = {"model": mlp(3, 2, hidden=(4,), seed=0), "inputs": ROWS, "labels": LABELS, "groups": GROUPS} | changed
    with pytest.raises(error, match=message):
        check_group_examples(**arguments)


def test_a_model_with_a_class_too_many_is_refused():
    with pytest.raises(ValueError, match="labels: expected every class from 0 to 2, got none of class 2"):
        check_group_examples(mlp(3, 3, hidden=(4,), seed=0), ROWS, LABELS, GROUPS)


def test_a_method_without_groups_checks_the_rest():
    model = mlp(3, 2, hidden=(4,), seed=0)
    examples = check_group_examples(model, ROWS, LABELS, None)
    assert examples.groups is None and examples.batch(torch.tensor([2]))[2] is None
    with pytest.raises(ValueError, match="labels: expected every class from 0 to 1, got none of class 1"):
        check_group_examples(model, ROWS, 0 * LABELS, None)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_batches_lie_beside_the_model_on_a_gpu():
    examples = check_group_examples(mlp(3, 2, hidden=(4,), seed=0).cuda(), ROWS, LABELS, GROUPS)
    assert all(part.device.type == "cuda" for part in examples.batch(torch.tensor([1, 2])))
