"""The validation images of ImageNet: both layouts, labels from two places, the crop, a part of the set."""

import gzip

import numpy as np
import pytest
import torch
from PIL import Image

from blindspots.data import describe, load
from blindspots.data.official import imagenet_val_files, read_imagenet_val
from blindspots.data.official.imagenet_val import central_crop

SYNSETS = ("n01440764", "n01443537", "n02504458", "n07753592")
LABELS = (0, 1, 386, 954)


def picture(number, width=40, height=30):
    draws = np.random.default_rng(number)
    return Image.fromarray(draws.integers(0, 256, (height, width, 3), dtype=np.uint8))


def name_of(number):
    return f"ILSVRC2012_val_{number:08d}.JPEG"


@pytest.fixture
def flat(tmp_path):
    """Twenty-four images, numbers 1 to 24, of four classes in turn, in one folder, with the table of labels."""
    folder, labels = tmp_path / "imagenet" / "val", tmp_path / "imagenet_labels"
    folder.mkdir(parents=True)
    labels.mkdir()
    with gzip.open(labels / "imagenet_val_labels_and_cv_pred.csv.gz", "wt") as stream:
        stream.write("val_id,wnid,label,cleanlab_cv_pred\n")
        for number in range(1, 25):
            picture(number).save(folder / name_of(number), quality=95)
            stream.write(f"{number},{SYNSETS[number % 4]},{LABELS[number % 4]},0\n")
    return tmp_path


@pytest.fixture
def sorted_by_synset(flat):
    """The same images in torchvision's synset folders."""
    folder = flat / "imagenet" / "val"
    for number in range(1, 25):
        (folder / SYNSETS[number % 4]).mkdir(exist_ok=True)
        (folder / name_of(number)).rename(folder / SYNSETS[number % 4] / name_of(number))
    return flat


def remove_table(root):
    (root / "imagenet_labels" / "imagenet_val_labels_and_cv_pred.csv.gz").unlink()


def read(root, **options):
    return load("imagenet_val", split="validation", data_root=root, **options)


def test_both_layouts_give_the_same_set(flat, request):
    first = read(flat, size=64)
    second = read(request.getfixturevalue("sorted_by_synset"), size=64)
    assert first.card.sha256 == second.card.sha256
    numbers = first.extras["image"]
    assert sorted(numbers.tolist()) == list(range(24))
    assert first.labels.tolist() == [LABELS[(number + 1) % 4] for number in numbers.tolist()]
    assert first.class_names[0] == "tench" and first.class_names[954] == "banana"


@pytest.mark.parametrize("size", [64, 128, 224])
@pytest.mark.parametrize("shape", [(300, 200), (200, 301), (73, 73), (400, 90)])
def test_the_crop_is_torchvisions(size, shape):
    from torchvision.transforms import CenterCrop, Compose, Resize

    whole = picture(3, *shape)
    peer = Compose([Resize(round(size * 256 / 224)), CenterCrop(size)])(whole)
    assert np.array_equal(np.asarray(central_crop(whole, size)), np.asarray(peer))


def test_the_published_sizes_are_those_of_torchvisions_presets():
    from torchvision.models import Inception_V3_Weights, ResNet101_Weights

    for weights in (ResNet101_Weights.IMAGENET1K_V1, Inception_V3_Weights.IMAGENET1K_V1):
        preset = weights.transforms()
        assert preset.resize_size == [round(preset.crop_size[0] * 256 / 224)]
        assert preset.crop_size[0] in describe("imagenet_val").sizes


def test_images_are_those_of_the_files(flat):
    loaded = read(flat, limit=5)
    assert loaded.images.shape == (5, 3, 224, 224) and loaded.images.dtype == torch.float32
    number = int(loaded.extras["image"][2]) + 1
    with Image.open(flat / "imagenet" / "val" / name_of(number)) as stored:
        pixels = np.asarray(central_crop(stored.convert("RGB"), 224))
    assert np.array_equal((loaded.images[2] * 255).round().byte().permute(1, 2, 0).numpy(), pixels)


def test_a_limit_is_a_mixture_in_a_fixed_order(flat):
    whole, part = read(flat, size=64), read(flat, size=64, limit=12)
    assert torch.equal(part.labels, whole.labels[:12])
    assert len(part.labels.unique()) == 4
    assert not torch.equal(whole.extras["image"], whole.extras["image"].sort().values)


def test_a_part_of_the_set_stands_in_the_order_of_the_whole(flat):
    before = read(flat, size=64).extras["image"].tolist()
    for number in (3, 8):
        (flat / "imagenet" / "val" / name_of(number)).unlink()
    after = read(flat, size=64)
    assert after.extras["image"].tolist() == [image for image in before if image not in (2, 7)]
    assert after.card.origin == "mirror" and "22 of 50000 images" in after.card.differs


def test_classes_can_be_chosen_and_only_their_images_are_read(flat):
    (flat / "imagenet" / "val" / name_of(4)).write_bytes(b"no image, of label 0")
    some = read_imagenet_val("validation", 64, None, flat, classes=[954, 386])
    assert sorted(some.labels.tolist()) == [386] * 6 + [954] * 6
    with pytest.raises(ValueError, match=r"got none of \[5\]"):
        read_imagenet_val("validation", 64, None, flat, classes=[5])
    with pytest.raises(ValueError, match="classes"):
        read_imagenet_val("validation", 64, None, flat, classes=[1000])
    with pytest.raises(ValueError, match="at least one"):
        read_imagenet_val("validation", 64, None, flat, classes=[])


def test_batches_are_the_same_images_in_the_same_order(flat):
    files = imagenet_val_files(10, flat)
    loaded = read(flat, size=64, limit=10)
    parts = list(files.batches(64, 4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert torch.equal(torch.cat(parts), loaded.images)
    assert files.card.differs == loaded.card.differs and files.card.sha256 != loaded.card.sha256
    assert torch.equal(files.labels, loaded.labels) and torch.equal(files.numbers, loaded.extras["image"])


def test_all_synset_folders_need_no_table(sorted_by_synset):
    """The thousand folders in alphabetical order are the labels, as torchvision counts them."""
    remove_table(sorted_by_synset)
    folder = sorted_by_synset / "imagenet" / "val"
    with pytest.raises(ValueError, match=r"4 of 1000 synset folders and no table of labels"):
        read(sorted_by_synset, size=64)
    for n in range(996):
        (folder / f"n9{n:07d}").mkdir()
    assert sorted(read(sorted_by_synset, size=64).labels.unique().tolist()) == [0, 1, 2, 3]


def test_a_flat_folder_needs_the_table(flat):
    remove_table(flat)
    with pytest.raises(
        ValueError, match=r"0 of 1000 synset folders and no table of labels; get it from https"
    ):
        read(flat, size=64)


def test_an_image_in_the_wrong_folder_is_named(sorted_by_synset):
    folder = sorted_by_synset / "imagenet" / "val"
    (folder / SYNSETS[1] / name_of(5)).rename(folder / SYNSETS[2] / name_of(5))
    with pytest.raises(
        ValueError, match=r"expected label 1 of .*n02504458.*00000005.JPEG by its number, got 386"
    ):
        read(sorted_by_synset, size=64)


def test_what_does_not_fit_is_an_error_that_says_which(sorted_by_synset):
    folder = sorted_by_synset / "imagenet" / "val"
    twice = folder / name_of(7)
    twice.write_bytes((folder / SYNSETS[3] / name_of(7)).read_bytes())
    with pytest.raises(ValueError, match=r"each image once, got .*00000007.JPEG and .*00000007.JPEG"):
        read(sorted_by_synset, size=64)
    twice.rename(folder / name_of(50_001))
    with pytest.raises(ValueError, match=r"images 1 to 50000, got .*00050001.JPEG"):
        read(sorted_by_synset, size=64)


def test_a_truncated_image_is_named(flat):
    file = flat / "imagenet" / "val" / name_of(9)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"00000009.JPEG, got a truncated or damaged file"):
        read(flat, size=64)


def test_a_missing_or_empty_folder_is_an_error(tmp_path, flat):
    with pytest.raises(FileNotFoundError, match=r"imagenet_val: expected the folder .*imagenet"):
        read(tmp_path / "imagenet")
    for file in (flat / "imagenet" / "val").iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"expected ILSVRC2012_val_00000001.JPEG"):
        read(flat)
    (flat / "imagenet" / "val").rmdir()
    with pytest.raises(FileNotFoundError, match=r"imagenet_val: expected an existing folder, got .*val"):
        read(flat)


def test_unknown_sizes_are_refused(flat):
    with pytest.raises(ValueError, match="size: expected one of 64, 128, 224, 299"):
        read(flat, size=100)
