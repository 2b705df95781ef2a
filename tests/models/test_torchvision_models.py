"""torchvision's classifiers: the split is exact, normalization is inside, and nothing is ever downloaded."""

import csv
import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models

from blindspots.models.evaluation import evaluate_classifier
from blindspots.models.registry import build_model
from blindspots.models.split import IMAGENET_MEAN, IMAGENET_STD
from blindspots.models.torchvision_models import (
    architecture_names,
    find_official_weights,
    official_weights,
    torchvision_classifier,
)

REAL = os.environ.get("BLINDSPOTS_DATA")
SPLITS = {"resnet18": 512, "squeezenet1_1": 512 * 3 * 3, "mobilenet_v3_small": 1024, "shufflenet_v2_x0_5": 1024}


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """Make any connection an error, and the torch hub cache an empty folder."""

    def refuse(*arguments, **options):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    if REAL is None:
        monkeypatch.delenv("BLINDSPOTS_DATA", raising=False)


def some_images(n=2, side=64):
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def saved_network(path, name="squeezenet1_1", **options):
    """Write random weights in torchvision's own layout and return the network."""
    with torch.random.fork_rng(devices=[]):
        network = models.get_model(name, weights=None, **options).eval()
    torch.save(network.state_dict(), path)
    return network


@pytest.mark.parametrize("name", SPLITS)
def test_the_split_gives_the_features_and_the_laws_hold(name):
    model = torchvision_classifier(name, n_classes=7, seed=0).double()
    images = some_images().double()
    features = model.encode(images)
    assert features.shape == (2, SPLITS[name])
    assert torch.equal(model.head(features), model(images))
    assert model(images).shape == (2, 7)
    assert torch.allclose(model(images[:1]), model(images)[:1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["squeezenet1_1", "shufflenet_v2_x0_5"])
def test_weights_from_a_path_answer_like_torchvision_on_normalized_images(name, tmp_path):
    network = saved_network(tmp_path / "weights.pth", name)
    model = torchvision_classifier(name, weights=tmp_path / "weights.pth")
    assert torch.allclose(model(some_images()), network(normalized(some_images())), atol=1e-5)


def normalized(images):
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (images - mean) / std


def test_densenet_files_with_old_names_load(tmp_path):
    network = saved_network(tmp_path / "weights.pth", "densenet121")
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): value
        for key, value in network.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "weights.pth")
    model = torchvision_classifier("densenet121", weights=tmp_path / "weights.pth")
    assert torch.allclose(model(some_images(1)), network(normalized(some_images(1))), atol=1e-5)


def test_heads_used_in_training_only_are_left_out(tmp_path):
    network = saved_network(
        tmp_path / "weights.pth", "googlenet", aux_logits=True, init_weights=False, transform_input=True
    )
    model = torchvision_classifier("googlenet", weights=tmp_path / "weights.pth")
    assert any(key.startswith("aux1.") for key in network.state_dict())
    assert torch.allclose(model(some_images(1)), network(normalized(some_images(1))), atol=1e-5)


def test_a_fresh_head_keeps_the_pretrained_features(tmp_path):
    saved_network(tmp_path / "weights.pth")
    whole = torchvision_classifier("squeezenet1_1", weights=tmp_path / "weights.pth")
    tuned = torchvision_classifier("squeezenet1_1", weights=tmp_path / "weights.pth", n_classes=3, seed=0)
    assert tuned(some_images()).shape == (2, 3)
    assert torch.equal(tuned.encode(some_images()), whole.encode(some_images()))


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (
        torchvision_classifier("squeezenet1_1", n_classes=3, seed=seed)(some_images()) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_spec_rebuilds_the_architecture():
    model = torchvision_classifier("squeezenet1_1", n_classes=3, seed=4)
    assert torch.equal(build_model(model.spec, seed=4)(some_images()), model(some_images()))


def test_random_weights_need_a_seed(tmp_path):
    with pytest.raises(ValueError, match="seed: expected an integer, because weights are drawn at random"):
        torchvision_classifier("squeezenet1_1")
    with pytest.raises(ValueError, match="seed: expected an integer"):
        torchvision_classifier("squeezenet1_1", weights=tmp_path / "weights.pth", n_classes=2)


def test_missing_official_weights_are_not_downloaded_but_named_with_the_remedy(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        torchvision_classifier("resnet50", weights="official", data_root=tmp_path)
    message = str(raised.value)
    for part in (
        "resnet50-0676ba61.pth", "https://download.pytorch.org/models/", "98 MB", "BSD-3-Clause",
        "SHA-256 begins with 0676ba61", str(tmp_path / "weights"), "nothing is downloaded",
    ):  # fmt: skip
        assert part in message


def test_without_a_data_root_the_error_says_how_to_set_one(monkeypatch):
    monkeypatch.delenv("BLINDSPOTS_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="set BLINDSPOTS_DATA"):
        find_official_weights("resnet18")


@pytest.mark.parametrize("place", ["argument", "variable", "hub"])
def test_official_weights_are_found_in_each_place_and_their_checksum_is_checked(place, tmp_path, monkeypatch):
    described = official_weights("squeezenet1_1")
    monkeypatch.setenv("BLINDSPOTS_DATA", str(tmp_path / "variable"))
    folder = {
        "argument": tmp_path / "argument" / "weights",
        "variable": tmp_path / "variable" / "weights",
        "hub": tmp_path / "torch" / "hub" / "checkpoints",
    }[place]
    folder.mkdir(parents=True)
    (folder / described.file_name).write_bytes(b"other bytes")
    root = tmp_path / "argument" if place == "argument" else None
    assert find_official_weights("squeezenet1_1", data_root=root) == folder / described.file_name
    with pytest.raises(ValueError, match=f"SHA-256 that begins with {described.sha256_prefix}"):
        torchvision_classifier("squeezenet1_1", weights="official", data_root=root)


def test_every_architecture_is_described_without_building_it():
    for name in architecture_names():
        described = official_weights(name)
        assert described.n_classes == 1000
        assert described.url.endswith(described.file_name)
        assert int(described.sha256_prefix, 16) > 0
        assert described.megabytes > 1


def test_unknown_architectures_and_other_weights_are_refused(tmp_path):
    with pytest.raises(ValueError, match="name: expected one of alexnet"):
        torchvision_classifier("resnet51", seed=0)
    saved_network(tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=r"model: expected the architecture stored in .*missing in the file"):
        torchvision_classifier("resnet18", weights=tmp_path / "weights.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="weights: expected a dictionary of tensors"):
        torchvision_classifier("resnet18", weights=tmp_path / "list.pth")
    with pytest.raises(FileNotFoundError, match="no file"):
        torchvision_classifier("resnet18", weights=tmp_path / "absent.pth")


def test_images_smaller_than_the_architecture_takes_are_refused():
    with pytest.raises(ValueError, match="sides of at least 17 pixels"):
        torchvision_classifier("squeezenet1_1", n_classes=2, seed=0)(some_images(side=16))


@pytest.mark.skipif(REAL is None, reason="needs BLINDSPOTS_DATA with imagenet_compatible and SqueezeNet's weights")
def test_squeezenet_recognizes_two_thirds_of_the_imagenet_compatible_images():
    root = Path(REAL)
    weights, table = (
        root / "weights" / "squeezenet1_1-imagenet-onnxzoo.pth",
        root / "imagenet_compatible" / "images.csv",
    )
    if not (weights.is_file() and table.is_file()):
        pytest.skip(f"no {weights.name} or {table.name} under BLINDSPOTS_DATA")
    with table.open(newline="") as rows:
        label_of = {row["ImageId"]: int(row["TrueLabel"]) - 1 for row in csv.DictReader(rows)}
    files = sorted((table.parent / "images").glob("*.png"))[:80]
    images = torch.stack([torch.from_numpy(np.array(Image.open(file).convert("RGB"))) for file in files])
    labels = torch.tensor([label_of[file.stem] for file in files])
    model = torchvision_classifier("squeezenet1_1", weights=weights)
    result = evaluate_classifier(model, images.permute(0, 3, 1, 2).float() / 255, labels, batch_size=16)
    # All 300 images give 69.3 %; for 80 of them one standard error is 5.2 points, and three are allowed. Labels read as
    # 0-based give 0 %.
    assert result.accuracy == pytest.approx(0.693, abs=0.155)
