"""Predictions on ImageNet's validation images: the definition, chunks, and a run that goes on."""

import numpy as np
import pytest
import torch
from PIL import Image

from blindspots.data import Card
from blindspots.data.official import ImageFiles
from blindspots.models import compute_logits
from blindspots.seeding import generator
from blindspots.studies.imagenet_predictions import imagenet_predictions


class Colors(torch.nn.Module):
    """Logits that are a linear map of the mean color; counts the images that it sees."""

    def __init__(self, seed):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(3, 9, generator=generator(seed)))
        self.seen = 0

    def forward(self, images):
        self.seen += len(images)
        return images.mean(dim=(2, 3)) @ self.weight


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINDSPOTS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def files(tmp_path):
    paths = []
    for n in range(7):
        pixels = np.random.default_rng(n).integers(0, 256, (1, 1, 3), dtype=np.uint8)
        paths.append(tmp_path / f"ILSVRC2012_val_{n + 1:08d}.JPEG")
        Image.fromarray(pixels.repeat(80, 0).repeat(90, 1)).save(paths[-1])
    card = Card("imagenet_val", "seven", "here", "none", "nobody", "planted")
    return ImageFiles(tuple(paths), torch.arange(7), torch.arange(7), card)


def test_the_five_likeliest_classes_of_every_network(files):
    networks = {"a": Colors(0), "b": Colors(1)}
    found = imagenet_predictions(files, networks, size=64)
    (images,) = files.batches(64, 7)
    for name, network in networks.items():
        assert found[name].shape == (7, 5)
        assert torch.equal(found[name], compute_logits(network, images).argsort(dim=1, descending=True)[:, :5])
    assert not torch.equal(found["a"], found["b"])


def test_chunks_and_batches_change_nothing(files):
    whole = imagenet_predictions(files, {"a": Colors(0)}, size=64)["a"]
    assert torch.equal(imagenet_predictions(files, {"a": Colors(0)}, size=64, chunk=3, batch_size=2)["a"], whole)


def test_an_interrupted_run_goes_on(files):
    network = Colors(0)
    content = files.files[5].read_bytes()
    files.files[5].write_bytes(content[:100])
    with pytest.raises(ValueError, match=r"00000006.JPEG, got a truncated"):
        imagenet_predictions(files, {"a": network}, size=64, chunk=3)
    assert network.seen == 3
    files.files[5].write_bytes(content)
    imagenet_predictions(files, {"a": network}, size=64, chunk=3)
    assert network.seen == 7


def test_other_weights_sizes_and_bytes_are_judged_anew(files):
    first = Colors(0)
    imagenet_predictions(files, {"a": first}, size=64)
    second = Colors(1)
    imagenet_predictions(files, {"a": second}, size=64)
    assert second.seen == 7
    imagenet_predictions(files, {"a": first}, size=128)
    assert first.seen == 14
    Image.new("RGB", (80, 80), (255, 0, 0)).save(files.files[0])
    imagenet_predictions(files, {"a": first}, size=64)
    assert first.seen == 21


def test_no_network_is_an_error(files):
    with pytest.raises(ValueError, match="networks: expected at least one"):
        imagenet_predictions(files, {})
    with pytest.raises(ValueError, match="chunk"):
        imagenet_predictions(files, {"a": Colors(0)}, chunk=0)
