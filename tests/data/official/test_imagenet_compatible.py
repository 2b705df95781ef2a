"""The ImageNet-compatible images: 1-based classes, a part of the set, credits."""

import numpy as np
import pytest
import torch
from PIL import Image

from blindspots.data import load
from blindspots.data.official.imagenet_compatible import read_imagenet_compatible


def test_published_classes_count_from_one_and_ours_from_zero(imagenet_compatible):
    loaded = load("imagenet_compatible", split="test", data_root=imagenet_compatible)
    assert loaded.labels.tolist() == [0, 999, 4]
    assert loaded.extras["target"].tolist() == [0, 2, 3]
    assert len(loaded.class_names) == 1000
    assert loaded.class_names[0] == "tench"
    stored = np.array(Image.open(imagenet_compatible / "imagenet_compatible/images/id2.png"))
    pixels = torch.from_numpy(stored).permute(2, 0, 1)
    assert torch.equal((loaded.images[1] * 255).round().to(torch.uint8), pixels)


def test_a_part_of_the_set_says_how_many(imagenet_compatible):
    card = read_imagenet_compatible("test", None, None, imagenet_compatible).card
    assert card.origin == "mirror"
    assert "3 of 5 images" in card.differs


def test_credits_follow_the_rows(imagenet_compatible):
    loaded = read_imagenet_compatible("test", None, None, imagenet_compatible).select(torch.tensor([2]))
    row = int(loaded.extras["row"][0])
    assert loaded.extras["credits"]["Author"][row] == "author3"


def test_limit_and_size(imagenet_compatible):
    assert read_imagenet_compatible("test", 16, 2, imagenet_compatible).images.shape == (2, 3, 16, 16)


def test_no_images_at_all_is_an_error(imagenet_compatible):
    for file in (imagenet_compatible / "imagenet_compatible/images").iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"got none of the 5 that images.csv lists"):
        read_imagenet_compatible("test", None, None, imagenet_compatible)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",306,", ",0,", r"TrueLabel from 1 to 1000 .* got .*0.* in line 3"),
        (",306,", ",1001,", "TrueLabel from 1 to 1000"),
        ("TargetClass", "Target", "the columns TargetClass"),
        ("id3", "../id3", "image ids of letters and digits"),
    ],
)
def test_a_damaged_table_says_what_is_wrong(old, new, message, imagenet_compatible):
    file = imagenet_compatible / "imagenet_compatible/images.csv"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_imagenet_compatible("test", None, None, imagenet_compatible)
