"""The perceptron's statistics are the training rows', and a teacher leaves its trigger as it is."""

import pytest
import torch

from blindspots.debias.table_spec import spec_of_teacher, table_spec
from blindspots.models import build_model
from blindspots.seeding import generator

ROWS = torch.cat([3.0 + 2.0 * torch.randn(50, 2, generator=generator(0)), torch.ones(50, 1)], dim=1)


def test_inputs_are_standardized_by_the_training_rows_and_a_constant_column_stays_finite():
    spec = table_spec(ROWS)
    assert spec["hidden"] == [512, 512]
    assert spec["mean"] == pytest.approx(ROWS.double().mean(0).tolist())
    assert spec["std"][:2] == pytest.approx(ROWS.double().std(0, correction=0)[:2].tolist())
    assert spec["std"][2] == 1.0
    assert build_model(spec, seed=0)(ROWS).isfinite().all()


def test_the_teacher_has_one_input_more_that_is_not_standardized():
    teacher = spec_of_teacher(table_spec(ROWS), {"kind": "column"})
    assert (teacher["n_features"], teacher["mean"][3], teacher["std"][3]) == (4, 0.0, 1.0)
    assert build_model(teacher, seed=0)(torch.cat([ROWS, ROWS[:, 2:]], dim=1)).shape == (50, 2)


def test_images_teachers_are_built_as_their_students_and_a_column_needs_a_perceptron():
    spec = {"name": "small_cnn", "n_classes": 2}
    assert spec_of_teacher(spec, {"kind": "block", "size": 3}) == spec
    with pytest.raises(ValueError, match="trigger: expected a perceptron"):
        spec_of_teacher(spec, {"kind": "column"})
