"""Faces by task: what every page draws or reads alike."""

from __future__ import annotations

import sys

import pytest
import torch

from blindspots.data import face_tasks
from blindspots.data.sets import Card, ImageSet

N = {"train": 240, "validation": 80, "test": 80}
TASKS = {
    "male": {"label": "smile", "group": "long_hair", "phi": 0.6},
    "young": {"label": "smile", "group": "beard", "phi": 0.5},
}


def drawn(**options):
    return face_tasks("planted", TASKS, N, **({"side": 32, "seed": 3, "noise": 0.3} | options))


def test_tasks_share_pictures_and_have_the_correlation_that_was_asked_for():
    faces = drawn()
    for name, task in TASKS.items():
        images, labels, groups = faces.splits[name]["train"]
        assert images is faces.splits["male"]["train"][0]
        assert images.shape == (240, 3, 32, 32) and images.min() >= 0 and images.max() <= 1
        phi = torch.corrcoef(torch.stack([labels, groups]).double())[0, 1].item()
        assert phi == pytest.approx(task["phi"], abs=0.02)
    assert faces.thin == {}


def test_the_same_seed_gives_the_same_pictures_and_noise_is_in_splits_only():
    one, other, next_seed = drawn(), drawn(), drawn(seed=4)
    for part in N:
        assert torch.equal(one.splits["male"][part][0], other.splits["male"][part][0])
    assert not torch.equal(one.splits["male"]["test"][0], next_seed.splits["male"]["test"][0])
    assert not torch.equal(one.splits["male"]["test"][0], one.sets["test"].images)
    assert torch.equal(drawn(noise=0).splits["male"]["test"][0], one.sets["test"].images)


def test_parts_differ():
    faces = drawn(noise=0)
    assert not torch.equal(faces.sets["validation"].images, faces.sets["test"].images)


def test_a_task_with_a_rare_cell_is_left_out_and_says_why():
    faces = drawn(smallest_cell=9)
    rarest = {name: min(torch.bincount(2 * y + b, minlength=4).min() for _, y, b in parts.values())
              for name, parts in drawn().splits.items()}  # fmt: skip
    assert rarest["male"] < 9 <= rarest["young"], "the example has one task of each kind"
    assert list(faces.splits) == ["young"]
    assert "pictures with label" in faces.thin["male"]


def official(monkeypatch, **groups):
    def read(name, *, split, size, limit, data_root):
        n = limit or 40
        values = {key: value[:n] for key, value in groups.items()}
        shade = torch.linspace(0, 1, n).reshape(n, 1, 1, 1)
        card = Card(name, "A set", "nowhere", "none", "none", "official")
        return ImageSet(images=shade.expand(-1, 3, size, size), labels=torch.zeros(n).long(), class_names=("no", "yes"),
                        groups=values, card=card)  # fmt: skip

    monkeypatch.setattr(sys.modules["blindspots.data.face_tasks"], "load", read)


ROWS = torch.arange(40)


def test_a_value_of_an_attribute_makes_a_group(monkeypatch):
    official(monkeypatch, over_35=ROWS % 2, race=ROWS % 5)
    faces = face_tasks(
        "utkface", {"age": {"label": "over_35", "group": "race=0"}}, dict.fromkeys(N), side=8, seed=0, noise=0.5
    )
    _, labels, groups = faces.splits["age"]["test"]
    assert torch.equal(groups, (ROWS % 5 == 0).long()) and torch.equal(labels, ROWS % 2)
    assert torch.equal(faces.splits["age"]["test"][0], faces.sets["test"].images), "no noise on official pictures"


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({}, "at least one"),
        ({"a": {"label": "over_35"}}, "expected group, label"),
        ({"a": {"label": "over_35", "group": "nose"}}, "expected attributes among"),
        ({"a": {"label": "over_35", "group": "race"}}, "group of 0 and 1"),
        ({"a": {"label": "over_35", "group": "race=white"}}, "whole number"),
        ({"a": {"label": "over_35", "group": "race=9"}}, "every label in both groups"),
    ],
)
def test_a_bad_task_is_refused(monkeypatch, tasks, message):
    official(monkeypatch, over_35=ROWS % 2, race=ROWS % 5)
    with pytest.raises(ValueError, match=message):
        face_tasks("utkface", tasks, dict.fromkeys(N), side=8, seed=0)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="dataset"):
        face_tasks("faces", TASKS, N, side=32, seed=0)
    with pytest.raises(ValueError, match="expected numbers for train"):
        face_tasks("planted", TASKS, {"train": 3}, side=32, seed=0)
    with pytest.raises(ValueError, match="expected group, label, phi"):
        face_tasks("planted", {"a": {"label": "smile", "group": "beard"}}, N, side=32, seed=0)
    with pytest.raises(ValueError, match="smallest_cell"):
        drawn(smallest_cell=0)
