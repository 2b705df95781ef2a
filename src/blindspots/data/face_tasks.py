"""The pictures of the debiasing pages: drawn or official faces, split in three, with a label and a group by task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_number
from blindspots.data.planted import planted_faces
from blindspots.data.registry import load
from blindspots.data.sets import ImageSet
from blindspots.seeding import derive_seed, generator

DATASETS = ("planted", "celeba", "utkface")
SPLITS = ("train", "validation", "test")

Examples = tuple[Tensor, Tensor, Tensor]
"""Images (N, 3, S, S), labels (N,) and groups (N,)."""


@dataclass(frozen=True)
class FaceTasks:
    """Faces in three parts and the tasks that are read from them.

    Attributes:
        sets: the pictures by part, before noise, for figures and `Record.add_data`.
        splits: by task, then by part: (images (N, 3, S, S) in [0, 1], labels (N,), groups (N,)), as `method_runs` takes
            them. Tasks share their images.
        thin: by task that was left out, why: the cell with too few training or test pictures.
    """

    sets: dict[str, ImageSet]
    splits: dict[str, dict[str, Examples]]
    thin: dict[str, str]


def face_tasks(
    dataset: str,
    tasks: Mapping[str, Mapping[str, Any]],
    n: Mapping[str, int | None],
    *,
    side: int,
    seed: int,
    noise: float | int = 0.0,
    smallest_cell: int = 1,
    data_root: str | Path | None = None,
) -> FaceTasks:
    """Read or draw faces, and pair each task's label with its bias variable.

    The same arguments give the same pictures whatever the page, so pages that agree on them share trainings.

    Args:
        dataset: "planted" (drawn), "celeba" or "utkface" (official, from the data root).
        tasks: by name, {"label": attribute, "group": attribute}. Of drawn faces also "phi", the correlation of the two
            in [-1, 1]; the pairs must form no loop. Of official faces an attribute may be "name=value": 1 where the
            group has that value, such as "race=0".
        n: pictures by "train", "validation" and "test"; None for all there are (official faces).
        side: of the pictures, pixels.
        seed: decides drawn faces and noise; official faces come in their fixed order.
        noise: standard deviation of Gaussian noise on drawn faces, in units of the [0, 1] range, so that an attribute
            is hard to read. Official faces get none.
        smallest_cell: leave a task out whose rarest label in a group has fewer pictures in any part.
        data_root: folder of official data; None for BLINDSPOTS_DATA.

    Raises:
        TypeError, ValueError: an unknown set, part, attribute or value; no task with cells large enough.
        FileNotFoundError: the official set is not in the data root.

    Differs from the paper: it has 202,599 CelebA and 23,705 UTKFace pictures at an unstated size.
    """
    check_choice(dataset, "dataset", DATASETS)
    check_number(smallest_cell, "smallest_cell", at_least=1, integer=True)
    check_number(noise, "noise", at_least=0)
    if set(n) != set(SPLITS):
        raise ValueError(f"n: expected numbers for {', '.join(SPLITS)}; got {', '.join(map(str, n)) or 'none'}")
    if not tasks:
        raise ValueError('tasks: expected at least one, such as {"male": {"label": "Attractive", "group": "Male"}}')
    for name, task in tasks.items():
        wanted = {"label", "group", "phi"} if dataset == "planted" else {"label", "group"}
        if set(task) != wanted:
            raise ValueError(f"tasks: expected {', '.join(sorted(wanted))} for {name!r}, got {', '.join(sorted(task))}")
    if dataset == "planted":
        correlations = {(task["group"], task["label"]): task["phi"] for task in tasks.values()}
        drawn = {
            part: planted_faces(count, seed=derive_seed(seed, "bade", part), size=side, correlations=correlations)
            for part, count in n.items()
        }
        sets = {part: drawn[part] for part in SPLITS}
    else:
        sets = {part: load(dataset, split=part, size=side, limit=n[part], data_root=data_root) for part in SPLITS}
    images = {part: _noisy(x.images, noise if dataset == "planted" else 0.0, seed, part) for part, x in sets.items()}
    splits, thin = {}, {}
    for name, task in tasks.items():
        made = {
            part: (images[part], _attribute(x, task["label"]), _attribute(x, task["group"])) for part, x in sets.items()
        }
        reason = _thin(made, smallest_cell)
        if reason:
            thin[name] = reason
        else:
            splits[name] = made
    if not splits:
        raise ValueError(f"tasks: expected one with every label in both groups, got {thin}; take more pictures")
    return FaceTasks(sets, splits, thin)


def _noisy(images: Tensor, noise: float, seed: int, part: str) -> Tensor:
    if not noise:
        return images
    grain = torch.randn(images.shape, generator=generator(seed, "grain", part), dtype=images.dtype)
    return (images + noise * grain).clamp(0, 1)


def _attribute(pictures: ImageSet, name: str) -> Tensor:
    column, _, value = str(name).partition("=")
    if column not in pictures.groups:
        raise ValueError(f"tasks: expected attributes among {', '.join(pictures.groups)}; got {column!r}")
    values = pictures.groups[column]
    if not value:
        return values
    if not value.isdecimal():
        raise ValueError(f"tasks: expected a whole number after {column}=, got {value!r}")
    return (values == int(value)).long()


def _thin(parts: Mapping[str, Examples], smallest: int) -> str:
    for part, (_, labels, groups) in parts.items():
        for name, values in (("label", labels), ("group", groups)):
            if not torch.isin(values, torch.tensor([0, 1])).all():
                raise ValueError(f"tasks: expected a {name} of 0 and 1; take one value of it, as in race=0")
        counts = torch.bincount(2 * labels.long() + groups.long(), minlength=4)
        at = int(counts.argmin())
        if counts[at] < smallest:
            return f"{int(counts[at])} pictures with label {at // 2} in group {at % 2} of {part}"
    return ""
