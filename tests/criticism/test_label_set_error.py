"""The error against label sets, by hand and against the publisher's own two lines."""

import pytest
import torch

from blindspots.criticism import label_set_error


def test_a_label_of_the_set_is_right_and_an_empty_set_is_left_out():
    found = label_set_error(torch.tensor([1, 2, 3, 4]), [(1,), (5, 2), (4,), ()])
    assert found.error == pytest.approx(100 / 3) and (found.n_judged, found.n_unlabeled) == (3, 1)


def test_it_equals_the_publishers_definition():
    draws = torch.Generator().manual_seed(0)
    predictions = torch.randint(0, 6, (80,), generator=draws)
    sets = [torch.randperm(6, generator=draws)[: n % 4].tolist() for n in range(80)]
    right = [int(predictions[n]) in sets[n] for n in range(80) if sets[n]]
    found = label_set_error(predictions, sets)
    assert found.error == pytest.approx(100 - 100 * sum(right) / len(right))
    assert 0 < found.error < 100 and found.n_unlabeled == 20


@pytest.mark.parametrize(
    ("predictions", "sets", "message"),
    [
        (torch.tensor([1]), [(1,), (2,)], "predictions: expected shape"),
        (torch.tensor([1, 2]), [(1,), (-2,)], "label_sets: expected classes from 0"),
        (torch.tensor([1, 2]), [(), ()], "label_sets: expected a label for at least one image"),
        (torch.tensor([1.0]), [(1,)], "predictions: expected an integer tensor"),
    ],
)
def test_bad_input_is_named(predictions, sets, message):
    with pytest.raises((TypeError, ValueError), match=message):
        label_set_error(predictions, sets)
