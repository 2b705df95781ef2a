"""The same images under coarser classes: what a filter with two answers is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from blindspots.data.sets import ImageSet


def regrouped_classes(images: ImageSet, groups: Mapping[str, Sequence[str]]) -> ImageSet:
    """Join classes into groups and label each image by its group; images of classes in no group are left out.

    Args:
        images: a labeled set.
        groups: class names by the group's name, at least two groups and one class in each, no class in two. The
            order of the groups gives the labels 0, 1, ...

    Returns:
        ImageSet of the images that are left, in their order. `class_names` are the groups, the class of old is
        `groups["class"]` with `group_names["class"]`; the card keeps the fingerprint of the whole and says in its
        notes what was joined.

    Raises:
        ValueError: fewer than two groups, an empty one, an unknown class or one named twice, no image left, or a set
            that has a group named "class" already.
    """
    if len(groups) < 2 or not all(groups.values()):
        raise ValueError(f"groups: expected two or more, each with a class; got {dict(groups)}")
    if any(isinstance(members, str) for members in groups.values()):
        raise ValueError(f"groups: expected a list of class names for each group; got {dict(groups)}")
    named = Counter(name for members in groups.values() for name in members)
    twice = [name for name, times in named.items() if times > 1]
    unknown = [name for name in named if name not in images.class_names]
    if twice or unknown:
        problem = f"{', '.join(twice)} more than once" if twice else f"the unknown {', '.join(unknown)}"
        raise ValueError(f"groups: expected each class once, of {', '.join(images.class_names)}; got {problem}")
    if "class" in images.groups:
        raise ValueError('images: expected a set without a group named "class", got one; rename it')
    group_of = torch.full((len(images.class_names),), -1, dtype=torch.long)
    for label, members in enumerate(groups.values()):
        group_of[[images.class_names.index(name) for name in members]] = label
    labels = group_of.to(images.labels.device)[images.labels]
    kept = images.select((labels >= 0).nonzero().flatten())
    if not len(kept):
        raise ValueError(f"images: expected some of the classes {', '.join(named)}, got none; load more rows")
    joined = "; ".join(f"{name} = {', '.join(members)}" for name, members in groups.items())
    return replace(
        kept,
        labels=labels[labels >= 0],
        class_names=tuple(groups),
        card=replace(kept.card, notes=(*kept.card.notes, f"classes joined: {joined}")),
        groups=kept.groups | {"class": kept.labels},
        group_names=kept.group_names | {"class": images.class_names},
    )
