"""Weight files: what is wrong with one is said, and a model that does not fit is left as it was."""

import hashlib

import pytest
import torch

from blindspots.models.small_cnn import small_cnn
from blindspots.models.weights import load_matching, read_weights


@pytest.fixture
def file(tmp_path):
    torch.save({"weight": torch.arange(3)}, tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


def test_tensors_come_back_as_saved(file):
    assert read_weights(file)["weight"].tolist() == [0, 1, 2]


def test_the_checksum_is_compared_before_unpacking(file):
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert set(read_weights(file, sha256_prefix=digest[:8])) == {"weight"}
    wrong = "0" * 8 if digest[0] != "0" else "1" * 8
    with pytest.raises(ValueError, match=f"SHA-256 that begins with {wrong}, got {digest[:16]}"):
        read_weights(file, sha256_prefix=wrong)


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_truncated_file_says_so(file, kept):
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"{kept} bytes\), got one that is truncated, damaged"):
        read_weights(file)


def test_an_object_that_would_run_code_is_not_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(ValueError, match="holds more than tensors"):
        read_weights(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


def test_missing_folders_and_unreadable_files_name_the_path(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.pth"):
        read_weights(tmp_path / "absent.pth")
    with pytest.raises(IsADirectoryError, match="expected a file, got the folder"):
        read_weights(tmp_path)

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    # A test run by root can read everything, so the refusal is planted.
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(PermissionError, match=r"no permission to read .*shut\.pth"):
        read_weights(tmp_path / "shut.pth")


def test_a_state_that_fits_is_copied_and_batch_counts_may_be_missing():
    source, target = small_cnn(1, 2, width=4, seed=0), small_cnn(1, 2, width=4, seed=1)
    state = {name: value for name, value in source.state_dict().items() if "num_batches" not in name}
    load_matching(target, state, "file")
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(target(images), source(images))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("classifier.bias"), r"1 missing in the file \(classifier.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), r"1 unknown to the model \(extra"),
        (
            lambda state: state.update({"classifier.bias": torch.zeros(7)}),
            r"classifier.bias is \(7,\) in the file and \(2,\)",
        ),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    source, target = small_cnn(1, 2, width=4, seed=0), small_cnn(1, 2, width=4, seed=1)
    before = {name: value.clone() for name, value in target.state_dict().items()}
    state = dict(source.state_dict())
    change(state)
    with pytest.raises(ValueError, match=message):
        load_matching(target, state, "file")
    assert all(torch.equal(before[name], value) for name, value in target.state_dict().items())
