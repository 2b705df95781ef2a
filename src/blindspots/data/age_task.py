"""Faces with an age in years and a group: UTKFace's, or an age that is planted in drawn faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from blindspots.checks import check_choice
from blindspots.data.face_tasks import face_tasks
from blindspots.data.sets import ImageSet

AGE_MARKS = ("beard", "glasses", "bushy_eyebrows", "blond_hair")
"""The drawn attributes of which each adds as many years; blond hair stands for gray."""

PLANTED_GROUP = "long_hair"
_SHADE = 13  # the variation that decides a drawn face's brightness
_OLDEST = {"planted": 80.0, "utkface": 116.0}


@dataclass(frozen=True)
class AgeTask:
    """Faces in three parts with ages and groups.

    Attributes:
        sets: the pictures by part, before noise, for figures and `Record.add_data`.
        splits: by part: (images (N, 3, S, S) in [0, 1], ages (N,) float32 in years, groups (N,) of 0 and 1).
        oldest: years by which ages are divided where 1 is to be the largest.
    """

    sets: dict[str, ImageSet]
    splits: dict[str, tuple[Tensor, Tensor, Tensor]]
    oldest: float


def age_task(
    dataset: str,
    n: Mapping[str, int | None],
    *,
    side: int,
    seed: int,
    noise: float | int = 0.0,
    phi: float = 0.3,
    data_root: str | Path | None = None,
) -> AgeTask:
    """Read or draw faces with an age that goes with the group.

    UTKFace's age is its publishers' estimate, and group 1 is race 0 ("White"). Drawn faces have no age, so one is
    planted: 16 years for each of `AGE_MARKS` that a face has, and 0 to 16 more by how brightly it is lit. Group 1
    has long hair; each mark goes with it by `phi`, so group 1 is older, and given all marks the group says
    nothing of the age.

    Args:
        dataset: "planted" or "utkface".
        n, side, seed, noise, data_root: as in `face_tasks`.
        phi: correlation of each mark with the group in [-1, 1]; drawn faces only.

    Raises:
        TypeError, ValueError: an unknown set, or what `face_tasks` refuses.
        FileNotFoundError: UTKFace is not in the data root.

    Source: P3, Sec. 5.5; "ages were normalized (age = age / maxage)".
    Differs from the paper: the largest age, 116 years, is the full set's, whatever part of it is there.
    """
    check_choice(dataset, "dataset", tuple(_OLDEST))
    options = {"side": side, "seed": seed, "noise": noise, "data_root": data_root}
    if dataset == "planted":
        tasks = {mark: {"label": mark, "group": PLANTED_GROUP, "phi": phi} for mark in AGE_MARKS}
    else:
        tasks = {"age": {"label": "over_35", "group": "race=0"}}
    faces = face_tasks(dataset, tasks, n, **options)
    parts = next(iter(faces.splits.values()))
    years = _planted_years if dataset == "planted" else _published_years
    splits = {part: (images, years(faces.sets[part]), groups) for part, (images, _, groups) in parts.items()}
    return AgeTask(faces.sets, splits, _OLDEST[dataset])


def _planted_years(faces: ImageSet) -> Tensor:
    marks = torch.stack([faces.groups[mark] for mark in AGE_MARKS]).sum(0)
    step = _OLDEST["planted"] / (len(AGE_MARKS) + 1)
    return (step * (marks + faces.extras["variations"][:, _SHADE])).float()


def _published_years(faces: ImageSet) -> Tensor:
    return faces.groups["age"].float()
