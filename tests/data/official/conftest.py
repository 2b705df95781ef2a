"""Tiny data sets in their publishers' layouts, drawn by the tests: no published byte is kept here."""

import gzip
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ATTRIBUTES = [f"Attribute_{number}" for number in range(38)] + ["Male", "Smiling"]


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_idx(file: Path, array: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    file.write_bytes(head + array.astype(np.uint8).tobytes())


@pytest.fixture
def mnist(tmp_path):
    """Sixty training and twelve test digits; label n is n mod 10."""
    raw = tmp_path / "mnist" / "MNIST" / "raw"
    for part, n, seed in (("train", 60, 1), ("t10k", 12, 2)):
        write_idx(raw / f"{part}-images-idx3-ubyte", noise(seed, n, 28, 28))
        write_idx(raw / f"{part}-labels-idx1-ubyte", np.arange(n) % 10)
    return tmp_path


@pytest.fixture
def cifar10(tmp_path):
    """Five batches of eight images and a test batch of eight, binary version."""
    folder = tmp_path / "cifar10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for seed, name in enumerate([f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]):
        records = np.concatenate([(np.arange(8) + seed)[:, None] % 10, noise(seed, 8, 3072)], axis=1)
        records.astype(np.uint8).tofile(folder / f"{name}.bin")
    return tmp_path


@pytest.fixture
def cifar10_python(cifar10):
    """The images of `cifar10` in the Python version as well, as the publisher's Python 2 wrote them."""
    folder = cifar10 / "cifar10" / "cifar-10-batches-py"
    folder.mkdir()
    for file in (cifar10 / "cifar10" / "cifar-10-batches-bin").iterdir():
        records = np.fromfile(file, np.uint8).reshape(-1, 3073)
        batch = {"data": np.ascontiguousarray(records[:, 1:]), "labels": records[:, 0].tolist()}
        (folder / file.stem).write_bytes(pickle.dumps(batch, protocol=2))
    return cifar10


@pytest.fixture
def cifar10_lossless(cifar10):
    """The first four test images of `cifar10` and four training images, channels last."""
    folder = cifar10 / "cifar10"
    for name, source, index in (
        ("cifar10_lossless_test_first1017", "test_batch", np.arange(4)),
        ("cifar10_lossless_train_8068", "data_batch_1", np.array([0, 3, 5, 6])),
    ):
        records = np.fromfile(folder / "cifar-10-batches-bin" / f"{source}.bin", np.uint8).reshape(-1, 3073)
        images = records[index, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        labels = records[index, 0]
        np.savez(folder / f"{name}.npz", images=images, labels=labels, index=index.astype(np.int32))
    return cifar10


@pytest.fixture
def cifar10h(tmp_path):
    folder = tmp_path / "cifar10h"
    folder.mkdir()
    counts = np.zeros((5, 10), np.int64)
    counts[np.arange(5), np.arange(5)] = 40
    counts[:, 9] = 10
    np.save(folder / "cifar10h-counts.npy", counts)
    return tmp_path


@pytest.fixture
def celeba(tmp_path):
    """Fifty images of 18x22 pixels (height 22); attribute k of image n is bit (n + k) mod 3 == 0."""
    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    lines = ["50", " ".join(ATTRIBUTES) + " "]
    for n in range(50):
        name = f"{n + 1:06d}.jpg"
        Image.fromarray(noise(n, 22, 18, 3)).save(folder / name)
        lines.append(name + " " + " ".join(" 1" if (n + k) % 3 == 0 else "-1" for k in range(40)))
    (tmp_path / "celeba" / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def utkface(tmp_path):
    """Sixty images of 20x20 pixels, ages 1 to 60, gender n mod 2, race n mod 5."""
    folder = tmp_path / "utkface" / "UTKFace"
    folder.mkdir(parents=True)
    for n in range(60):
        name = f"{n + 1}_{n % 2}_{n % 5}_201701{n:011d}.jpg.chip.jpg"
        Image.fromarray(noise(n, 20, 20, 3)).save(folder / name)
    return tmp_path


@pytest.fixture
def adult(tmp_path):
    """Forty training rows and four test rows, with a header and final stops in the test file as published."""
    folder = tmp_path / "adult"
    folder.mkdir()

    def line(n: int, income: str) -> str:
        work = "?" if n % 7 == 0 else ("Private", "State-gov")[n % 2]
        race = ("White", "Black", "Other")[n % 3]
        sex = ("Male", "Female")[n % 2]
        return (
            f"{20 + n}, {work}, {1000 + n}, Bachelors, {n % 5 + 9}, Divorced, Sales, Husband, {race}, {sex}, "
            f"{100 * n}, 0, 40, United-States, {income}"
        )

    incomes = ("<=50K", "<=50K", ">50K")
    train = [line(n, incomes[n % 3]) for n in range(40)]
    test = [line(n, incomes[n % 3] + ".") for n in range(3)]
    test.append(line(3, "<=50K.").replace("United-States", "Atlantis"))
    (folder / "adult.data").write_text("\n".join(train) + "\n\n")
    (folder / "adult.test").write_text("\n".join(["|1x3 Cross validator", *test]) + "\n\n")
    return tmp_path


@pytest.fixture
def meps(tmp_path):
    """Eighty people, the last ten with the features of the first ten."""
    folder = tmp_path / "meps"
    folder.mkdir()
    rows = ["PERWT16F,MCS42,PCS42,K6SUM42,REGION,SEX,HIBPDX,UTILIZATION,RACE"]
    for n in range(80):
        k = n % 70
        codes = f"{k % 9},{k % 4 + 1},{k % 2 + 1},{-1 + k % 3}"
        rows.append(f"{1000 + n}.5,{50 + k / 3:.2f},{40 + k},{codes},{n % 2},{n % 3 % 2}")
    (folder / "meps_panel21_fy2016.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def imagenet_compatible(tmp_path):
    """A table of five photographs, three of which are there, of 23x23 pixels."""
    folder = tmp_path / "imagenet_compatible" / "images"
    folder.mkdir(parents=True)
    rows = ["ImageId,URL,x1,y1,x2,y2,TrueLabel,TargetClass,OriginalLandingURL,License,Author,Profile"]
    for n, label in enumerate((1, 306, 1000, 5, 6)):
        rows.append(f"id{n},u,0,0,1,1,{label},{n + 1},page{n},CC BY 2.0,author{n},profile")
        if n != 1 and n != 4:
            Image.fromarray(noise(n, 23, 23, 3)).save(folder / f"id{n}.png")
    (tmp_path / "imagenet_compatible" / "images.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def imagenet_labels(tmp_path):
    """Four images, three questions, three raters; the optional files as well."""
    folder = tmp_path / "imagenet_labels"
    folder.mkdir()
    (folder / "real.json").write_text(json.dumps([[], [970, 795], [3], [4, 5]]))
    tensor = np.zeros((3, 3, 3))
    tensor[0, 0, 2] = tensor[1, 0, 1] = tensor[2, 1, 0] = tensor[0, 2, 2] = tensor[1, 2, 2] = 1
    names = [f"ILSVRC2012_val_{n:08d}.JPEG" for n in (2, 2, 4)]
    info = np.array([[names[0], "970"], [names[1], "3"], [names[2], "5"]])
    arrays = {"tensor": tensor, "info": info, "ids": np.array([7, 8, 9])}
    np.savez_compressed(folder / "raters.npz", **arrays)
    with gzip.open(folder / "imagenet_val_labels_and_cv_pred.csv.gz", "wt") as stream:
        stream.write("val_id,wnid,label,cleanlab_cv_pred\n1,n1,65,57\n2,n2,970,795\n3,n3,3,3\n4,n4,9,4\n")
    item = {
        "id": 2,
        "url": "https://labelerrors.com/static/imagenet/val/n01440764/ILSVRC2012_val_00000002.JPEG",
        "given_original_label": 970,
        "our_guessed_label": 795,
        "mturk": {"given": 3, "guessed": 1, "neither": 0, "both": 1},
    }
    (folder / "cleanlab_imagenet_mturk.json").write_text(json.dumps([item]))
    (folder / "timm_results-imagenet.csv").write_text(
        "model,img_size,top1_err,top5_err\na,224,10.5,3.0\na,288,9.5,2.5\nb,224,20.0,5.0\n"
    )
    (folder / "timm_results-imagenet-real.csv").write_text(
        "model,img_size,top1_err,top5_err\nb,224,15.0,4.0\na,288,6.25,1.5\na,224,7.25,2.0\n"
    )
    return tmp_path
