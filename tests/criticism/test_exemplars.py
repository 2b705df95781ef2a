"""Exemplars within classes: indices count within the whole, errors name the class."""

import pytest
import torch

from blindspots.criticism import Exemplars, exemplars_by_class

LABELS = torch.tensor([3, 0, 3, 0, 3, 3])


def ends(rows):
    return Exemplars(torch.tensor([0]), torch.tensor([len(rows) - 1]), 1, 0)


def test_indices_count_within_all_examples():
    chosen = exemplars_by_class(LABELS, ends)
    assert list(chosen) == [0, 3]
    assert chosen[0].shown.tolist() == [1, 3] and chosen[3].shown.tolist() == [0, 5]
    assert chosen[3].prototypes.tolist() == [0] and chosen[3].criticisms.tolist() == [5]
    assert chosen[3].n_literal_prototypes == 1 and chosen[3].n_literal_criticisms == 0


def test_each_class_is_asked_about_its_own_rows():
    asked = []

    def choose(rows):
        asked.append(rows.tolist())
        return ends(rows)

    exemplars_by_class(LABELS, choose)
    assert asked == [[1, 3], [0, 2, 4, 5]]


def test_errors_name_the_class():
    def choose(rows):
        raise ValueError("n: too many")

    with pytest.raises(ValueError, match=r"class 0 \(2 examples\): n: too many"):
        exemplars_by_class(LABELS, choose)


def test_bad_labels_are_named():
    with pytest.raises(ValueError, match=r"labels: expected classes \(N,\) with N >= 1"):
        exemplars_by_class(torch.tensor([]).long(), ends)
    with pytest.raises(TypeError, match="labels: expected an integer tensor"):
        exemplars_by_class(torch.tensor([0.5]), ends)
    with pytest.raises(ValueError, match="labels: expected classes from 0"):
        exemplars_by_class(torch.tensor([-1]), ends)
