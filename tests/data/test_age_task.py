"""Faces with an age: planted in drawn ones as it is said to be, and UTKFace's own."""

import sys

import pytest
import torch

from blindspots.data.age_task import AGE_MARKS, age_task
from blindspots.data.sets import Card, ImageSet

N = {"train": 600, "validation": 60, "test": 80}
DRAWN = age_task("planted", N, side=16, seed=1, phi=0.3)


def test_sixteen_years_for_each_mark_and_the_rest_by_brightness():
    faces = DRAWN.sets["train"]
    _, ages, groups = DRAWN.splits["train"]
    marks = sum(faces.groups[mark] for mark in AGE_MARKS)
    assert torch.equal((ages / 16).long(), marks)
    assert torch.allclose(ages - 16 * marks, 16 * faces.extras["variations"][:, 13], atol=1e-4)
    assert ages.min() >= 0 and ages.max() <= DRAWN.oldest == 80
    assert torch.equal(groups, faces.groups["long_hair"])
    brightness = faces.images.mean((1, 2, 3))
    same = (marks == 2) & (groups == 1)
    lit = torch.corrcoef(torch.stack([brightness[same], ages[same]]))[0, 1]
    assert lit > 0.2, "the last years can be seen, behind skin and background"


def test_group_one_is_older_and_the_marks_say_all():
    _, ages, groups = DRAWN.splits["train"]
    # 4 marks of 16 years, each 0.3 more frequent: 19.2 years. The brightness adds noise of 16 / sqrt(12) years on
    # either mean of 300, and marks of one group vary independently: 16 sqrt(4 * 0.2275 + 1 / 12) = 16; three times
    # 16 sqrt(2 / 300) = 1.3 is allowed.
    assert (ages[groups == 1].mean() - ages[groups == 0].mean()).item() == pytest.approx(19.2, abs=3.9)
    none = age_task("planted", N, side=16, seed=1, phi=0.0).splits["train"]
    assert abs(none[1][none[2] == 1].mean() - none[1][none[2] == 0].mean()) < 3 * 1.6


def test_the_same_seed_gives_the_same_task():
    again = age_task("planted", N, side=16, seed=1, phi=0.3)
    for part in N:
        assert all(torch.equal(a, b) for a, b in zip(DRAWN.splits[part], again.splits[part], strict=True))


def test_utkface_has_its_own_ages_and_race_zero_is_group_one(monkeypatch):
    rows = torch.arange(30)

    def read(name, *, split, size, limit, data_root):
        groups = {"age": rows + 20, "over_35": (rows > 15).long(), "race": rows % 3}
        card = Card(name, "A set", "nowhere", "none", "none", "official")
        return ImageSet(torch.zeros(30, 3, size, size), groups["over_35"], ("no", "yes"), card, groups)

    monkeypatch.setattr(sys.modules["blindspots.data.face_tasks"], "load", read)
    task = age_task("utkface", dict.fromkeys(N), side=8, seed=0, noise=0.5)
    images, ages, groups = task.splits["test"]
    assert torch.equal(ages, (rows + 20).float()) and ages.dtype == torch.float32
    assert torch.equal(groups, (rows % 3 == 0).long())
    assert task.oldest == 116 and not images.any(), "no noise on official pictures"


@pytest.mark.parametrize(("dataset", "phi", "message"), [("celeba", 0.3, "dataset"), ("planted", 1.5, "phi|correlat")])
def test_bad_arguments_are_refused(dataset, phi, message):
    with pytest.raises(ValueError, match=message):
        age_task(dataset, N, side=16, seed=0, phi=phi)
