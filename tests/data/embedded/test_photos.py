"""Patches of ten photographs."""

import numpy as np
import pytest
import torch

from blindspots.data import load
from blindspots.data.embedded import PHOTOGRAPHS, photograph
from blindspots.data.embedded.photos import blocks

SPLITS = ("train", "validation", "test")
SIZES = (32, 64, 128)


def painted(boxes):
    """Return by photograph a mask of the pixels that any box covers."""
    masks = [np.zeros(photograph(name).shape[1:], dtype=bool) for name in PHOTOGRAPHS]
    for photo, top, left, height, width in boxes.tolist():
        masks[photo][top : top + height, left : left + width] = True
    return masks


@pytest.mark.parametrize("size", SIZES)
def test_no_pixel_of_one_split_is_seen_in_another(size):
    masks = {split: painted(load("photos", split=split, size=size).extras["boxes"]) for split in SPLITS}
    for first, second in (("train", "test"), ("train", "validation"), ("validation", "test")):
        for mine, other in zip(masks[first], masks[second], strict=True):
            assert mine.any() and other.any()
            assert not (mine & other).any()


@pytest.mark.parametrize("size", SIZES)
def test_the_boxes_are_where_the_patches_come_from(size):
    photos = load("photos", split="test", size=size, limit=40)
    assert photos.extras["boxes"].shape == (40, 5)
    for patch, label, box in zip(
        photos.images, photos.labels, photos.extras["boxes"].tolist(), strict=True
    ):
        photo, top, left, height, width = box
        assert (photo, height, width) == (label.item(), size, size)
        assert torch.equal(
            patch, photograph(PHOTOGRAPHS[photo])[:, top : top + height, left : left + width]
        )


@pytest.mark.parametrize("size", SIZES)
def test_every_patch_lies_inside_one_block_of_its_split(size):
    for split in SPLITS:
        own = {name: [box for kind, box in blocks(name, size) if kind == split] for name in PHOTOGRAPHS}
        for photo, top, left, height, width in (
            load("photos", split=split, size=size).extras["boxes"].tolist()
        ):
            assert any(
                t <= top and left >= x and top + height <= t + h and left + width <= x + w
                for t, x, h, w in own[PHOTOGRAPHS[photo]]
            )


@pytest.mark.parametrize("size", SIZES)
def test_blocks_tile_each_photograph_once(size):
    for name in PHOTOGRAPHS:
        times = np.zeros(photograph(name).shape[1:], dtype=int)
        for _, (top, left, height, width) in blocks(name, size):
            times[top : top + height, left : left + width] += 1
        assert (times == 1).all(), name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("split", SPLITS)
def test_classes_are_balanced_even_at_the_start_and_no_patch_repeats(split, size):
    photos = load("photos", split=split, size=size)
    counts = torch.bincount(photos.labels)
    assert len(counts) == 10 and len(counts.unique()) == 1
    assert torch.bincount(photos.labels[:20]).tolist() == [2] * 10
    assert len(photos.extras["boxes"].unique(dim=0)) == len(photos)


def test_no_patch_is_plain():
    for size in SIZES:
        images = load("photos", split="test", size=size).images
        assert (images.flatten(2).std(dim=2).amax(dim=1) >= 3.9 / 255).all()


def test_the_default_size_is_32():
    assert torch.equal(
        load("photos", split="test", limit=9).images, load("photos", split="test", size=32, limit=9).images
    )


def test_a_whole_photograph_keeps_its_shape_or_becomes_a_square():
    assert photograph("cat").shape == (3, 300, 451)
    square = photograph("cat", size=75)
    assert square.shape == (3, 75, 75)
    # anti-aliased: the resized square keeps the mean of the central one, up to rounding to 8 bits
    assert abs(square.mean() - photograph("cat")[:, :, 75:375].mean()) < 0.005


def test_an_unknown_photograph_is_refused():
    with pytest.raises(ValueError, match=r"name: expected one of astronaut, .*; got 'dog'"):
        photograph("dog")


@pytest.mark.slow
def test_a_small_network_tells_test_patches_apart():
    """About ninety percent after some more epochs; eight short ones already reach three quarters."""
    train, test = load("photos", split="train"), load("photos", split="test")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = []
        for before, after in ((3, 16), (16, 32), (32, 64)):
            layers += [torch.nn.Conv2d(before, after, 3, padding=1), torch.nn.BatchNorm2d(after)]
            layers += [torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        network = torch.nn.Sequential(
            *layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 10)
        )
    draws = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(8):
        for batch in torch.randperm(len(train), generator=draws).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(
                network(train.images[batch] - 0.5), train.labels[batch]
            ).backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        accuracy = (network(test.images - 0.5).argmax(1) == test.labels).float().mean().item()
    assert accuracy > 0.75
