"""Messages of the checks that features and indices pass."""

import pytest
import torch

from blindspots.criticism.inputs import check_features, check_indices


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (torch.zeros(3), ValueError, r"points: expected shape \(N, D\)"),
        (torch.zeros(0, 3), ValueError, r"points: expected shape \(N, D\) with N, D >= 1"),
        (torch.zeros(3, 2).long(), TypeError, "points: expected a float tensor"),
        (torch.tensor([[float("nan")], [1.0]]), ValueError, "points: expected finite values"),
    ],
)
def test_bad_features_are_named(features, error, message):
    with pytest.raises(error, match=message):
        check_features(features, "points")


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        (torch.tensor([]).long(), ValueError, r"rows: expected a tensor .* got \(0,\)"),
        (torch.tensor([[0]]), ValueError, r"rows: expected a tensor .* got \(1, 1\)"),
        (torch.tensor([0.0]), TypeError, "rows: expected integer indices, got torch.float32"),
        (torch.tensor([True, False]), TypeError, "rows: expected integer indices, got torch.bool; turn a mask into"),
        (torch.tensor([0, 5]), ValueError, "rows: expected indices from 0 to 4, got values from 0 to 5"),
        (torch.tensor([-1]), ValueError, "rows: expected indices from 0 to 4, got values from -1"),
        (torch.tensor([1, 2, 1]), ValueError, "rows: expected each example once, got an index twice"),
    ],
)
def test_bad_indices_are_named(indices, error, message):
    with pytest.raises(error, match=message):
        check_indices(indices, 5, "rows")


def test_good_ones_pass():
    check_features(torch.zeros(2, 3))
    check_indices(torch.tensor([4, 0], dtype=torch.int32), 5, "rows")
