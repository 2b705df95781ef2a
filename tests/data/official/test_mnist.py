"""MNIST in the idx format."""

import numpy as np
import pytest
import torch

from blindspots.data import load
from blindspots.data.official.mnist import read_mnist


def test_pixels_and_labels_are_those_in_the_files(mnist):
    test = load("mnist", split="test", data_root=mnist)
    stored = np.fromfile(mnist / "mnist/MNIST/raw/t10k-images-idx3-ubyte", np.uint8)[16:]
    pixels = torch.from_numpy(stored.reshape(12, 1, 28, 28))
    assert torch.equal((test.images * 255).round().to(torch.uint8), pixels)
    assert test.labels.tolist() == [n % 10 for n in range(12)]
    assert test.images.dtype == torch.float32
    assert test.class_names == tuple("0123456789")


def test_train_and_validation_part_the_training_digits(mnist):
    train = read_mnist("train", None, None, mnist)
    validation = read_mnist("validation", None, None, mnist)
    stored = np.fromfile(mnist / "mnist/MNIST/raw/train-images-idx3-ubyte", np.uint8)[16:].reshape(60, -1)
    seen = (torch.cat([train.images, validation.images]) * 255).round().int().flatten(1)
    assert (len(train), len(validation)) == (55, 5)
    assert sorted(seen.tolist()) == sorted(stored.tolist())


def test_limit_keeps_the_first_rows_and_size_resizes(mnist):
    whole, some = (read_mnist("train", None, limit, mnist) for limit in (None, 7))
    assert torch.equal(some.images, whole.images[:7])
    assert some.card.sha256 != whole.card.sha256
    assert read_mnist("test", 14, 3, mnist).images.shape == (3, 1, 14, 14)


def test_other_bytes_are_called_a_mirror_and_the_files_are_named(mnist):
    card = read_mnist("test", None, None, mnist).card
    assert card.origin == "mirror"
    assert "t10k-images-idx3-ubyte" in card.differs
    assert "train-images" not in card.differs


def test_a_truncated_file_is_named_with_the_bytes_it_should_have(mnist):
    file = mnist / "mnist/MNIST/raw/t10k-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"expected 9424 bytes .*t10k-images-idx3-ubyte, got 9324 bytes"):
        read_mnist("test", None, None, mnist)


def test_a_packed_file_is_recognized(mnist):
    (mnist / "mnist/MNIST/raw/t10k-labels-idx1-ubyte").write_bytes(b"\x1f\x8b\x08\x00packed")
    with pytest.raises(ValueError, match="run gunzip"):
        read_mnist("test", None, None, mnist)


def test_labels_that_do_not_fit_the_images_are_an_error(mnist):
    raw = mnist / "mnist/MNIST/raw"
    (raw / "t10k-labels-idx1-ubyte").write_bytes((raw / "train-labels-idx1-ubyte").read_bytes())
    with pytest.raises(ValueError, match="expected 12 labels, one per image"):
        read_mnist("test", None, None, mnist)
    content = bytearray((raw / "train-labels-idx1-ubyte").read_bytes())
    content[-1] = 10
    (raw / "train-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(ValueError, match=r"expected labels from 0 to 9 .* got 10"):
        read_mnist("train", None, None, mnist)


def test_a_missing_file_is_named(mnist):
    (mnist / "mnist/MNIST/raw/train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="expected MNIST/raw/train-labels-idx1-ubyte"):
        read_mnist("train", None, None, mnist)
    assert len(read_mnist("test", None, None, mnist)) == 12
