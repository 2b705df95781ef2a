"""Face and non-face crops that come with scikit-image."""

import pytest
import torch

from blindspots.data import load

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize(("split", "n"), [("train", 120), ("validation", 40), ("test", 40)])
def test_every_split_holds_as_many_faces_as_others(split, n):
    faces = load("faces-25", split=split)
    assert faces.images.shape == (n, 1, 25, 25)
    assert torch.bincount(faces.labels).tolist() == [n // 2, n // 2]


def test_the_splits_share_no_row_and_use_all():
    rows = torch.cat([load("faces-25", split=split).extras["rows"] for split in SPLITS])
    assert torch.equal(rows.sort().values, torch.arange(200))


def test_a_linear_probe_tells_faces_from_the_rest():
    # the labels point at the right rows: 40 test crops, chance is 50 %
    train, test = load("faces-25", split="train"), load("faces-25", split="test")
    inputs = torch.cat([train.images.flatten(1), torch.ones(120, 1)], 1).double()
    weights = torch.linalg.solve(
        inputs.T @ inputs + 10 * torch.eye(626, dtype=torch.float64),
        inputs.T @ (2.0 * train.labels - 1).double(),
    )
    scores = torch.cat([test.images.flatten(1), torch.ones(40, 1)], 1).double() @ weights
    assert ((scores > 0) == test.labels.bool()).float().mean() >= 0.8


def test_the_card_forbids_showing_them():
    assert any("never shown on a page" in note for note in load("faces-25", split="test").card.notes)
