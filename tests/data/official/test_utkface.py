"""UTKFace: everything known stands in the file names."""

import pytest
import torch

from blindspots.data import load
from blindspots.data.official.utkface import read_utkface


def test_names_become_groups(utkface):
    parts = [load("utkface", split=split, data_root=utkface) for split in ("train", "validation", "test")]
    ages = torch.cat([part.groups["age"] for part in parts])
    assert sorted(ages.tolist()) == list(range(1, 61))
    for part in parts:
        n = part.groups["age"] - 1
        assert torch.equal(part.groups["gender"], n % 2)
        assert torch.equal(part.groups["race"], n % 5)
        assert torch.equal(part.labels, (part.groups["age"] > 35).long())
    assert parts[0].group_names["race"][4] == "other"


def test_rows_do_not_stand_in_order_of_age(utkface):
    ages = read_utkface("train", None, None, utkface).groups["age"]
    assert not torch.equal(ages, ages.sort().values)


def test_a_part_of_the_set_splits_like_the_whole(utkface):
    before = set(read_utkface("train", None, None, utkface).groups["age"].tolist())
    removed = {10, 20, 30, 40}
    for age in removed:
        (file,) = (utkface / "utkface/UTKFace").glob(f"{age}_*")
        file.unlink()
    assert set(read_utkface("train", None, None, utkface).groups["age"].tolist()) == before - removed


@pytest.mark.parametrize("label", ["gender", "race"])
def test_the_label_can_be_chosen(label, utkface):
    loaded = read_utkface("train", None, None, utkface, label=label)
    assert torch.equal(loaded.labels, loaded.groups[label])
    assert loaded.class_names == loaded.group_names[label]


def test_an_unknown_label_is_refused(utkface):
    with pytest.raises(ValueError, match="label: expected one of over_35, gender, race; got 'age'"):
        read_utkface("train", None, None, utkface, label="age")


def test_names_that_cannot_be_read_are_reported(utkface):
    folder = utkface / "utkface/UTKFace"
    first = next(folder.iterdir()).read_bytes()
    for name in ("61_1_20170109142408075", "30_2_0_20170109", "40_1_9_2017"):
        (folder / f"{name}.jpg.chip.jpg").write_bytes(first)
    loaded = read_utkface("train", None, None, utkface)
    assert len(loaded.extras["malformed"]) == 3
    assert any(note.startswith("3 files left out") and "61_1_2017" in note for note in loaded.card.notes)


def test_a_folder_without_readable_names_is_an_error(utkface):
    folder = utkface / "utkface/UTKFace"
    for number, file in enumerate(folder.iterdir()):
        file.rename(folder / f"face{number}.jpg")
    with pytest.raises(ValueError, match="got 60 other images"):
        read_utkface("train", None, None, utkface)


def test_a_missing_folder_is_named(tmp_path):
    (tmp_path / "utkface").mkdir()
    with pytest.raises(FileNotFoundError, match=r"utkface: expected an existing folder, got .*UTKFace"):
        read_utkface("train", None, None, tmp_path)
