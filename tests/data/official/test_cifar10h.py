"""CIFAR-10H: counts of human judgements."""

import numpy as np
import pytest
import torch

from blindspots.data import load
from blindspots.data.official.cifar10h import read_cifar10h


def test_counts_become_labels_shares_and_agreement(cifar10h):
    people = load("cifar10h", split="test", data_root=cifar10h)
    assert people.labels.tolist() == [0, 1, 2, 3, 4]
    assert people.agreement.tolist() == pytest.approx([0.8] * 5)
    assert torch.allclose(people.probabilities.sum(dim=1), torch.ones(5))
    assert people.counts.sum() == 250
    assert "250 judgements of 5 images" in people.card.notes
    assert people.card.origin == "mirror"


def test_limit_keeps_the_first_images(cifar10h):
    assert len(read_cifar10h("test", None, 2, cifar10h)) == 2


@pytest.mark.parametrize(
    "counts",
    [np.zeros((5, 9), np.int64), np.ones((5, 10)), -np.ones((5, 10), np.int64), np.zeros((5, 10), np.int64)],
    ids=["nine classes", "fractions", "negative", "no judgement"],
)
def test_other_arrays_are_refused(counts, cifar10h):
    np.save(cifar10h / "cifar10h/cifar10h-counts.npy", counts)
    with pytest.raises(ValueError, match="at least one judgement in each row"):
        read_cifar10h("test", None, None, cifar10h)


def test_a_truncated_array_is_half_written(cifar10h):
    file = cifar10h / "cifar10h/cifar10h-counts.npy"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ValueError, match="half-written"):
        read_cifar10h("test", None, None, cifar10h)


def test_a_size_makes_no_sense(cifar10h):
    with pytest.raises(ValueError, match="'cifar10h' has no image size"):
        read_cifar10h("test", 32, None, cifar10h)
