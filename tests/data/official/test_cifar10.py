"""CIFAR-10: binary version, Python version, lossless part."""

import pickle

import numpy as np
import pytest
import torch

from blindspots.data import load
from blindspots.data.official.cifar10 import read_cifar10, read_lossless


def test_a_record_is_a_label_and_three_planes(cifar10):
    test = load("cifar10", split="test", data_root=cifar10)
    records = np.fromfile(cifar10 / "cifar10/cifar-10-batches-bin/test_batch.bin", np.uint8).reshape(8, 3073)
    assert test.labels.tolist() == records[:, 0].tolist()
    # The second plane of a record is green, its first row the first 32 bytes.
    green = torch.from_numpy(records[2, 1 + 1024 : 1 + 1024 + 32])
    assert torch.equal((test.images[2, 1, 0] * 255).round().to(torch.uint8), green)


def test_train_and_validation_part_the_five_batches(cifar10):
    parts = [read_cifar10(split, None, None, cifar10) for split in ("train", "validation")]
    assert [len(part) for part in parts] == [36, 4]
    images = torch.cat([part.images for part in parts]).flatten(1)
    assert len(torch.unique(images, dim=0)) == 40


def test_the_python_version_gives_the_same_images(cifar10_python):
    binary = [read_cifar10(split, None, None, cifar10_python) for split in ("train", "test")]
    folder = cifar10_python / "cifar10/cifar-10-batches-bin"
    folder.rename(folder.parent / "elsewhere")
    for first, split in zip(binary, ("train", "test"), strict=True):
        second = read_cifar10(split, None, None, cifar10_python)
        assert torch.equal(first.images, second.images)
        assert torch.equal(first.labels, second.labels)
        assert first.card.sha256 == second.card.sha256
        assert "cifar-10-batches-py" in second.card.differs


class _Harmful:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def test_a_pickle_that_wants_to_run_code_is_refused(cifar10_python, tmp_path):
    (cifar10_python / "cifar10/cifar-10-batches-bin").rename(cifar10_python / "cifar10/elsewhere")
    file = cifar10_python / "cifar10/cifar-10-batches-py/test_batch"
    file.write_bytes(pickle.dumps({"data": _Harmful(tmp_path / "ran"), "labels": []}))
    with pytest.raises(ValueError, match=r"test_batch, got it asks for (io|_io)\.open"):
        read_cifar10("test", None, None, cifar10_python)
    assert not (tmp_path / "ran").exists()


def test_a_truncated_pickle_is_half_written(cifar10_python):
    (cifar10_python / "cifar10/cifar-10-batches-bin").rename(cifar10_python / "cifar10/elsewhere")
    file = cifar10_python / "cifar10/cifar-10-batches-py/test_batch"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(ValueError, match="half-written"):
        read_cifar10("test", None, None, cifar10_python)


@pytest.mark.parametrize(("cut", "message"), [(10, "records of 3073"), (3073, "8 images as in .*1.bin")])
def test_a_truncated_batch_is_named(cut, message, cifar10):
    file = cifar10 / "cifar10/cifar-10-batches-bin/data_batch_4.bin"
    file.write_bytes(file.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=rf"{message}.* in .*data_batch_4.bin"):
        read_cifar10("train", None, None, cifar10)


def test_a_missing_batch_and_missing_folders_are_named(cifar10):
    folder = cifar10 / "cifar10/cifar-10-batches-bin"
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"data_batch_3\.bin.*only a part"):
        read_cifar10("train", None, None, cifar10)
    folder.rename(folder.parent / "elsewhere")
    with pytest.raises(FileNotFoundError, match="blindspots data fetch cifar10"):
        read_cifar10("test", None, None, cifar10)


def test_labels_above_nine_are_refused(cifar10):
    file = cifar10 / "cifar10/cifar-10-batches-bin/test_batch.bin"
    content = bytearray(file.read_bytes())
    content[0] = 17
    file.write_bytes(content)
    with pytest.raises(ValueError, match="expected labels from 0 to 9"):
        read_cifar10("test", None, None, cifar10)


def test_the_lossless_part_keeps_its_places_in_the_original(cifar10_lossless):
    part = load("cifar10_lossless", split="train", data_root=cifar10_lossless)
    assert part.extras["index"].tolist() == [0, 3, 5, 6]
    assert part.select(torch.tensor([1, 3])).extras["index"].tolist() == [3, 6]
    test = read_lossless("test", None, None, cifar10_lossless)
    whole = read_cifar10("test", None, None, cifar10_lossless)
    assert torch.equal(test.images, whole.images[:4])
    assert torch.equal(test.labels, whole.labels[:4])
    assert len(read_lossless("test", None, 2, cifar10_lossless)) == 2


def test_a_mirror_tells_its_distance_from_the_lossless_images(cifar10_lossless):
    same = read_cifar10("test", None, None, cifar10_lossless).card.differs
    assert "ratio no difference, 4 labels agree" in same
    file = cifar10_lossless / "cifar10/cifar-10-batches-bin/test_batch.bin"
    records = np.fromfile(file, np.uint8).reshape(8, 3073)
    pixels = records[:, 1:]
    # Every pixel is off by one, so the mean squared error is 1 and the ratio 20 log10 255 = 48.1 dB.
    pixels[:] = np.where(pixels < 255, pixels + 1, pixels - 1)
    records.tofile(file)
    assert "ratio 48.1 dB" in read_cifar10("test", None, None, cifar10_lossless).card.differs


def test_a_damaged_lossless_file_is_named(cifar10_lossless):
    file = cifar10_lossless / "cifar10/cifar10_lossless_test_first1017.npz"
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"expected a NumPy archive .*first1017\.npz"):
        read_lossless("test", None, None, cifar10_lossless)
