"""Checkpoints: what is saved comes back, and every way a file can be wrong is told apart."""

import errno
import os

import pytest
import torch
from torch import nn

from blindspots.models.autoencoder import autoencoder
from blindspots.models.checkpoint import load_checkpoint, load_model, save_checkpoint
from blindspots.models.small_cnn import small_cnn

IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def network(seed=0, **options):
    return small_cnn(1, 3, **({"width": 4} | options), seed=seed)


@pytest.fixture
def saved(tmp_path):
    return save_checkpoint(network(), tmp_path / "model.pt", metadata={"accuracy": 0.5, "data": "digits"})


def test_tensors_and_metadata_come_back(saved):
    other = network(seed=1)
    assert load_checkpoint(saved, other) == {"accuracy": 0.5, "data": "digits"}
    assert torch.equal(other(IMAGES), network()(IMAGES))


@pytest.mark.parametrize("model", [network(), network(norm="none"), autoencoder(1, side=8, width=4, seed=0)])
def test_the_model_is_rebuilt_from_the_file_alone(model, tmp_path):
    rebuilt, metadata = load_model(save_checkpoint(model, tmp_path / "folder" / "model.pt"))
    assert metadata == {}
    assert rebuilt.spec == model.spec
    assert not rebuilt.training
    assert torch.equal(rebuilt(IMAGES), model(IMAGES))


def test_running_statistics_are_saved_too(tmp_path):
    model = network().train()
    model(IMAGES)
    model.eval()
    rebuilt, _ = load_model(save_checkpoint(model, tmp_path / "model.pt"))
    assert torch.equal(rebuilt(IMAGES), model(IMAGES))
    assert not torch.equal(rebuilt(IMAGES), network()(IMAGES))


def test_a_model_in_double_precision_comes_back_in_double_precision(tmp_path):
    model = network().double()
    rebuilt, _ = load_model(save_checkpoint(model, tmp_path / "model.pt"))
    assert torch.equal(rebuilt(IMAGES.double()), model(IMAGES.double()))


def test_a_module_without_a_spec_is_loaded_into_but_not_rebuilt(tmp_path):
    modules = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            modules.append(nn.Linear(2, 2))
    path = save_checkpoint(modules[0], tmp_path / "linear.pt")
    load_checkpoint(path, modules[1])
    assert torch.equal(modules[0].weight, modules[1].weight)
    with pytest.raises(ValueError, match="expected a checkpoint with a spec"):
        load_model(path)


def test_saving_leaves_the_model_and_no_other_file(saved):
    assert [file.name for file in saved.parent.iterdir()] == ["model.pt"]


@pytest.mark.parametrize("options", [{"width": 8}, {"norm": "group"}, {"mean": (0.1,)}])
def test_another_architecture_is_refused_and_left_as_it_was(saved, options):
    other = network(**options)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(ValueError, match=r"model: expected the architecture stored in .*small_cnn.*got"):
        load_checkpoint(saved, other)
    assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())


def test_a_module_of_other_shapes_is_refused_by_name(saved):
    with torch.random.fork_rng(devices=[]):
        other = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="missing in the file"):
        load_checkpoint(saved, other)


def test_a_file_that_is_not_ours_is_refused(tmp_path):
    torch.save(network().state_dict(), tmp_path / "weights.pth")
    for content in (None, b"", b"GIF89a, a picture"):
        if content is not None:
            (tmp_path / "weights.pth").write_bytes(content)
        message = "written by save_checkpoint in .*got another file" if content is None else "truncated, damaged"
        with pytest.raises(ValueError, match=message):
            load_checkpoint(tmp_path / "weights.pth", network())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="truncated, damaged"):
        load_model(saved)


def test_changed_tensors_are_noticed(saved):
    stored = torch.load(saved, weights_only=True)
    stored["state"]["classifier.bias"][0] += 1
    torch.save(stored, saved)
    with pytest.raises(ValueError, match="expected intact tensors"):
        load_model(saved)


def test_another_version_of_the_format_is_named(saved):
    stored = torch.load(saved, weights_only=True)
    torch.save(stored | {"version": 99}, saved)
    with pytest.raises(ValueError, match=r"expected checkpoint version 1 .*got 99"):
        load_model(saved)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.pt"):
        load_model(tmp_path / "absent.pt")


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, OSError), (errno.EACCES, PermissionError), (errno.EROFS, OSError)]
)
def test_a_full_disk_or_a_forbidden_folder_keeps_the_old_checkpoint_and_leaves_nothing(
    saved, monkeypatch, number, kind
):
    before = saved.read_bytes()

    def refuse(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)  # where a full disk may answer last
    with pytest.raises(
        kind, match=r"cannot write the checkpoint .*free space there, or choose another folder"
    ) as raised:
        save_checkpoint(network(seed=1), saved)
    assert raised.value.errno == number
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["model.pt"]


def test_a_folder_that_is_a_file_is_refused(saved):
    with pytest.raises(OSError, match="cannot write the checkpoint"):
        save_checkpoint(network(), saved / "model.pt")


@pytest.mark.parametrize("metadata", [{"a": torch.zeros(1)}, {"a": float("nan")}, {"a": {1, 2}}])
def test_metadata_that_json_cannot_hold_is_refused_before_writing(tmp_path, metadata):
    with pytest.raises(TypeError, match="metadata: expected values JSON can hold"):
        save_checkpoint(network(), tmp_path / "model.pt", metadata=metadata)
    assert not (tmp_path / "model.pt").exists()


def test_what_is_no_module_is_refused(saved):
    with pytest.raises(TypeError, match="model: expected a torch module"):
        save_checkpoint({}, saved)
    with pytest.raises(TypeError, match="model: expected a torch module"):
        load_checkpoint(saved, {})
