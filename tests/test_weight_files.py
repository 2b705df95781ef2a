"""Weights: where they are looked for, how they are checked, and what is said when they are missing."""

import hashlib
import os
from pathlib import Path

import pytest
import torch

from blindspots import weight_files
from blindspots.weight_files import KNOWN_WEIGHTS, Weight, describe_weight, find_weight, load_weight, read_weight


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty data root and an empty cache of torch hub."""
    root, hub = tmp_path / "root", tmp_path / "hub"
    (root / "weights").mkdir(parents=True)
    (hub / "checkpoints").mkdir(parents=True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(hub))
    monkeypatch.setenv("BLINDSPOTS_DATA", str(root))
    return root / "weights", hub / "checkpoints"


def test_the_data_root_comes_before_the_hub(places):
    for folder in places:
        torch.save({"a": torch.ones(1)}, folder / "mine.pth")
    assert find_weight("mine.pth") == places[0] / "mine.pth"
    (places[0] / "mine.pth").unlink()
    assert find_weight("mine.pth") == places[1] / "mine.pth"


def test_without_a_data_root_the_hub_is_enough(places, monkeypatch):
    torch.save({}, places[1] / "mine.pth")
    monkeypatch.delenv("BLINDSPOTS_DATA")
    assert find_weight("mine.pth") == places[1] / "mine.pth"
    with pytest.raises(FileNotFoundError, match="or set BLINDSPOTS_DATA"):
        find_weight("other.pth")


def test_a_data_root_that_was_named_must_exist(places, tmp_path, monkeypatch):
    torch.save({}, places[1] / "mine.pth")
    with pytest.raises(FileNotFoundError, match="expected an existing folder"):
        find_weight("mine.pth", data_root=tmp_path / "nowhere")
    monkeypatch.setenv("BLINDSPOTS_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="BLINDSPOTS_DATA: expected an existing folder"):
        find_weight("mine.pth")


def test_a_missing_file_says_what_to_get_how_large_and_where_to_put_it(places):
    with pytest.raises(FileNotFoundError) as caught:
        find_weight("vgg16-397923af.pth")
    message = str(caught.value)
    assert "https://download.pytorch.org/models/vgg16-397923af.pth" in message
    assert "527.8 MiB" in message
    assert "BSD-3-Clause" in message
    assert str(places[0] / "vgg16-397923af.pth") in message
    with pytest.raises(FileNotFoundError, match=r"unknown\.pth in .* got nothing there; put it at"):
        find_weight("unknown.pth")


def test_torchvision_names_carry_the_start_of_their_checksum():
    known = describe_weight("resnet50-0676ba61.pth")
    assert known.sha256 == "0676ba61"
    assert known.approximate_mb > 90
    assert describe_weight("nobody-knows.pth") is None


def test_a_half_written_or_exchanged_file_is_refused(places, monkeypatch):
    content = b"weights of a kind"
    digest = hashlib.sha256(content).hexdigest()
    for sha256 in (digest, digest[:8]):
        monkeypatch.setitem(
            KNOWN_WEIGHTS, "k.pth", Weight("k.pth", "t", "https://p", "l", len(content), sha256)
        )
        file = places[0] / "k.pth"
        file.write_bytes(content)
        assert find_weight("k.pth") == file
        file.write_bytes(content[:-1])
        with pytest.raises(ValueError, match=r"expected 17 bytes .* got 16; the file is half-written"):
            find_weight("k.pth")
        file.write_bytes(content[::-1])
        with pytest.raises(ValueError, match=f"expected SHA-256 {sha256}"):
            find_weight("k.pth")


@pytest.mark.parametrize("name", ["../k.pth", "a/b.pth", "", ".hidden", 3])
def test_a_path_is_no_file_name(name, places):
    with pytest.raises(ValueError, match="file_name: expected a plain file name"):
        find_weight(name)


def test_weights_load_as_saved(places):
    torch.save({"a": torch.arange(3)}, places[0] / "mine.pth")
    assert torch.equal(load_weight("mine.pth")["a"], torch.arange(3))


class _Harmful:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def test_a_file_that_wants_to_run_code_or_is_cut_off_is_refused(places, tmp_path):
    torch.save({"a": _Harmful(tmp_path / "ran")}, places[0] / "mine.pth")
    with pytest.raises(ValueError, match="does not load as weights only"):
        load_weight("mine.pth")
    assert not (tmp_path / "ran").exists()
    torch.save({"a": torch.arange(300)}, places[0] / "cut.pth")
    content = (places[0] / "cut.pth").read_bytes()
    (places[0] / "cut.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"expected tensors in .*cut\.pth"):
        load_weight("cut.pth")


def test_a_path_is_read_the_same_way(tmp_path):
    torch.save({"a": torch.arange(3)}, tmp_path / "mine.pth")
    assert torch.equal(read_weight(str(tmp_path / "mine.pth"))["a"], torch.arange(3))
    with pytest.raises(FileNotFoundError, match=r"weights: expected a file, got .*nowhere\.pth"):
        read_weight(tmp_path / "nowhere.pth")


@pytest.mark.parametrize(("name", "size"), [("PieAPPv0.1.pth", "260.8 MiB"), ("dists_weights.pt", "11 KiB")])
def test_small_and_large_sizes_are_readable(name, size, places):
    with pytest.raises(FileNotFoundError, match=size):
        find_weight(name)


def test_looking_up_a_known_file_does_not_ask_torchvision(places, monkeypatch):
    def refuse():
        raise AssertionError("asked")

    monkeypatch.setattr(weight_files, "_torchvision_weights", refuse)
    with pytest.raises(FileNotFoundError, match="akamaster"):
        find_weight("cifar10_resnet20.th")


@pytest.mark.skipif(not os.environ.get("BLINDSPOTS_DATA"), reason="BLINDSPOTS_DATA is not set")
@pytest.mark.parametrize("name", sorted(name for name in KNOWN_WEIGHTS if KNOWN_WEIGHTS[name].sha256))
def test_real_weights_have_their_checksum_and_load(name):
    if not (Path(os.environ["BLINDSPOTS_DATA"]) / "weights" / name).is_file():
        pytest.skip(f"{name} is not below BLINDSPOTS_DATA")
    loaded = load_weight(name)
    assert all(isinstance(value, torch.Tensor) for value in loaded.get("state_dict", loaded).values())
