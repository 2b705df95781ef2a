"""The official readers on real data, where BLINDSPOTS_DATA points to some. Facts come from the publishers."""

import os
from pathlib import Path

import pytest
import torch

from blindspots.data import load
from blindspots.data.official import imagenet_val_files, read_celeba, read_utkface
from blindspots.data.published import PUBLISHED

ROOT = os.environ.get("BLINDSPOTS_DATA", "")

pytestmark = pytest.mark.skipif(not ROOT, reason="BLINDSPOTS_DATA is not set")


def _load(name, **options):
    folder = Path(ROOT) / PUBLISHED[name].folder
    if not folder.is_dir():
        pytest.skip(f"{name} is not below BLINDSPOTS_DATA")
    return load(name, **options)


def test_mnist_has_the_publishers_counts():
    test = _load("mnist", split="test")
    assert (len(test), len(_load("mnist", split="train")), len(_load("mnist", split="validation"))) == (
        10_000,
        55_000,
        5_000,
    )
    # The first test digits are a 7, a 2, a 1 and a 0, as on the publisher's page.
    assert test.labels[:4].tolist() == [7, 2, 1, 0]
    # Mean of the training pixels as printed in countless recipes: 0.1307.
    assert _load("mnist", split="train").images.mean().item() == pytest.approx(0.1307, abs=5e-4)


def test_cifar10_is_balanced_and_starts_with_a_cat():
    test = _load("cifar10", split="test")
    assert torch.bincount(test.labels).tolist() == [1_000] * 10
    assert test.class_names[int(test.labels[0])] == "cat"
    assert torch.bincount(_load("cifar10", split="validation").labels).sum() == 5_000
    if test.card.origin == "mirror":
        assert test.card.differs


def test_cifar10_lossless_agrees_with_cifar10_up_to_compression():
    part = _load("cifar10_lossless", split="test")
    whole = _load("cifar10", split="test").select(part.extras["index"])
    assert torch.equal(part.labels, whole.labels)
    # Strong compression keeps a picture within about 20 dB of the original; another picture is at 10 dB.
    assert ((part.images - whole.images) ** 2).mean() < 0.01


def test_cifar10h_is_aligned_with_the_test_images():
    people = _load("cifar10h", split="test")
    assert int(people.counts.sum()) == 511_000
    labels = _load("cifar10", split="test").labels
    # People agree with the labels on about 99 % of the images; rows out of order would agree on 10 %.
    assert (people.labels == labels).float().mean() > 0.98


def test_published_predictions_are_aligned_with_the_test_images():
    published = _load("cifar10_predictions", split="test")
    labels = _load("cifar10", split="test").labels
    # The weakest of these models is right on 81 %; columns out of order would be right on 10 %.
    assert ((published.predictions == labels).float().mean(dim=1) > 0.8).all()
    if published.checked is not None:
        images = torch.tensor(published.checked["image"].to_numpy())
        assert labels[images].tolist() == published.checked["given"].tolist()


def test_celeba_has_forty_attributes_and_small_images():
    train = _load("celeba", split="train", size=32, limit=64)
    assert train.images.shape == (64, 3, 32, 32)
    assert {"Smiling", "Male", "Young", "Attractive", "Gray_Hair", "Wavy_Hair"} <= set(train.groups)
    assert len(train.groups) == 40
    assert torch.equal(read_celeba("train", 32, 64, None, label="Male").labels, train.groups["Male"])


def test_utkface_names_are_all_read_or_reported():
    parts = [_load("utkface", split=split, size=8) for split in ("train", "validation", "test")]
    n_files = sum(file.suffix == ".jpg" for file in (Path(ROOT) / "utkface/UTKFace").iterdir())
    assert sum(len(part) for part in parts) + len(parts[0].extras["malformed"]) == n_files
    ages = torch.cat([part.groups["age"] for part in parts])
    assert ages.min() >= 1 and ages.max() <= 116
    assert set(read_utkface("test", 8, 200, None, label="race").labels.tolist()) <= set(range(5))


def test_adult_has_48842_rows():
    parts = [_load("adult", split=split) for split in ("train", "validation", "test")]
    assert sum(len(part) for part in parts) == 48_842
    assert len(parts[2]) == 16_281
    # The publisher states 23.93 % of incomes above 50,000 dollars, rows with unknown values included.
    rich = torch.cat([part.labels for part in parts]).float().mean().item()
    assert rich == pytest.approx(0.2393, abs=5e-5)


def test_meps_has_15675_people():
    parts = [_load("meps", split=split) for split in ("train", "validation", "test")]
    assert sum(len(part) for part in parts) == 15_675
    assert len({tuple(part.columns) for part in parts}) == 1


def test_imagenet_compatible_counts_from_zero():
    some = _load("imagenet_compatible", split="test", limit=4)
    assert some.images.shape[1:] == (3, 299, 299)
    # images.csv begins with class 306, counted from 1.
    assert some.labels[0] == 305


def test_imagenet_labels_give_the_published_numbers():
    labels = _load("imagenet_labels", split="validation")
    assert len(labels) == 50_000
    # The publishers evaluate on the 46,837 images for which some label fits.
    assert sum(bool(fitting) for fitting in labels.real) == 46_837
    asked = (labels.raters.answers >= 0).sum(dim=1)
    assert len(labels.raters) == 184_962
    assert asked.unique().tolist() == [5]
    if labels.predicted is not None:
        # 27.27 % top-1 error of the cross-validated network, the share that papers on these labels report.
        assert (labels.predicted != labels.original).float().mean().item() == pytest.approx(0.2727, abs=5e-5)
        wrong = [p not in fit for p, fit in zip(labels.predicted.tolist(), labels.real, strict=True) if fit]
        assert sum(wrong) / len(wrong) == pytest.approx(0.2239, abs=5e-5)


def test_imagenet_val_has_fifty_images_of_each_class():
    some = _load("imagenet_val", split="validation", size=64, limit=100)
    assert some.images.shape == (100, 3, 64, 64)
    # A limit takes a mixture: a hundred of a thousand classes' images rarely repeat a class more than thrice.
    assert torch.bincount(some.labels).max() <= 5
    files = imagenet_val_files(None, None)
    if len(files) == 50_000:
        assert torch.bincount(files.labels).tolist() == [50] * 1000
