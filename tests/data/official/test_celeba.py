"""CelebA: images, forty attributes, the publisher's split or a fixed one."""

import numpy as np
import pytest
import torch
from PIL import Image

from blindspots.data import load
from blindspots.data.official.celeba import read_celeba


def _all(root, **options):
    return [read_celeba(split, None, None, root, **options) for split in ("train", "validation", "test")]


def test_attributes_follow_their_images(celeba):
    train = load("celeba", split="train", data_root=celeba)
    folder = celeba / "celeba/img_align_celeba"
    files = {n: np.asarray(Image.open(folder / f"{n + 1:06d}.jpg")) for n in range(50)}
    for image, row in zip(train.images, range(len(train)), strict=True):
        pixels = (image * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        (n,) = [n for n, stored in files.items() if np.array_equal(stored, pixels)]
        assert train.groups["Male"][row] == ((n + 38) % 3 == 0)
        assert train.labels[row] == ((n + 39) % 3 == 0)
    assert len(train.groups) == 40
    assert train.class_names == ("not Smiling", "Smiling")


def test_any_attribute_may_be_the_label(celeba):
    male = read_celeba("train", None, None, celeba, label="Male")
    assert torch.equal(male.labels, male.groups["Male"])
    assert not torch.equal(male.labels, male.groups["Smiling"])
    with pytest.raises(ValueError, match="label: expected one of Attribute_0"):
        read_celeba("train", None, None, celeba, label="Beauty")


def test_without_a_partition_the_split_is_fixed_complete_and_said(celeba):
    parts = _all(celeba)
    assert sum(len(part) for part in parts) == 50
    assert all(len(part) > 0 for part in parts)
    assert len(torch.unique(torch.cat([part.images for part in parts]).flatten(1), dim=0)) == 50
    assert any("one person may be in two splits" in note for note in parts[0].card.notes)
    assert _all(celeba)[2].card.sha256 == parts[2].card.sha256


def test_the_publishers_partition_wins(celeba):
    lines = [f"{n + 1:06d}.jpg {0 if n < 30 else 1 if n < 40 else 2}" for n in range(50)]
    (celeba / "celeba/list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    parts = _all(celeba)
    assert [len(part) for part in parts] == [30, 10, 10]
    assert parts[1].labels.tolist() == [int((n + 39) % 3 == 0) for n in range(30, 40)]
    assert not any("two splits" in note for note in parts[0].card.notes)


def test_a_partition_that_is_cut_off_is_named(celeba):
    file = celeba / "celeba/list_eval_partition.txt"
    file.write_text("000001.jpg 0\n000002.jpg 0\n")
    with pytest.raises(ValueError, match=r"none for 48 images, 000003.jpg first"):
        read_celeba("train", None, None, celeba)
    file.write_text("000001.jpg 7\n")
    with pytest.raises(ValueError, match="a name and 0, 1 or 2 in line 1"):
        read_celeba("train", None, None, celeba)


def test_a_size_takes_the_central_square(celeba):
    images = read_celeba("train", 18, 1, celeba).images
    whole = read_celeba("train", None, 1, celeba).images
    assert whole.shape == (1, 3, 22, 18)
    assert torch.equal(images, whole[:, :, 2:20])


def test_a_truncated_image_is_named(celeba):
    for file in (celeba / "celeba/img_align_celeba").iterdir():
        file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"expected an image in .*\.jpg, got a truncated or damaged file"):
        read_celeba("test", None, None, celeba)


def test_missing_images_are_counted(celeba):
    (celeba / "celeba/img_align_celeba/000004.jpg").unlink()
    (celeba / "celeba/list_eval_partition.txt").write_text(
        "\n".join(f"{n + 1:06d}.jpg 0" for n in range(50)) + "\n"
    )
    with pytest.raises(FileNotFoundError, match=r"1 of 50 missing, 000004.jpg first"):
        read_celeba("train", None, None, celeba)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[1:], "the number of images, a line of names"),
        (lambda lines: lines[:20], "50 rows as line 1 says"),
        (lambda lines: [lines[0], "Male Smiling", *lines[2:]], "40 attribute names in line 2"),
        (lambda lines: [*lines[:2], lines[2].replace(" 1", " 0"), *lines[3:]], "-1 or 1 in line 3"),
    ],
    ids=["no count", "cut off", "two names", "a zero"],
)
def test_a_damaged_attribute_table_says_what_is_wrong(change, message, celeba):
    file = celeba / "celeba/list_attr_celeba.txt"
    file.write_text("\n".join(change(file.read_text().splitlines())))
    with pytest.raises(ValueError, match=message):
        read_celeba("train", None, None, celeba)


def test_a_smaller_copy_is_called_a_mirror(celeba):
    differs = read_celeba("train", None, 1, celeba).card.differs
    assert "50 of 202599 images" in differs
    assert "18x22 instead of 178x218" in differs
