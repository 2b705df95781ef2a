"""A backdoor of chosen strength: stamp a share of a training set, and relabel a share of what is stamped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.checks import check_generator, check_images, check_labels, check_number


@dataclass(frozen=True)
class InjectedSet:
    """A training set with a backdoor.

    Attributes:
        images: (N, C, H, W) as given, those of `rows` stamped.
        labels: (N,) as given, those of `relabeled` set to the target.
        rows: (M,) sorted indices of the stamped images.
        relabeled: (R,) sorted indices of the relabeled ones, all among `rows`; some may have had that label before.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor
    relabeled: Tensor


def inject_triggers(
    images: Tensor,
    labels: Tensor,
    *,
    share: float | int,
    relabel: float | int,
    target: int,
    stamp: Callable[[Tensor], Tensor],
    generator: torch.Generator,
) -> InjectedSet:
    """Stamp round(share N) random images, and relabel a random share of these to the target.

    The stamped images come from all classes. What is not relabeled keeps its true label, so the trigger goes with the
    target as often as `relabel` says, beside the target's own images. With the same generator, the same images are
    stamped for every `relabel`, and the relabeled ones of a smaller share are among those of a larger.

    Args:
        images: (N, C, H, W) in [0, 1].
        labels: (N,) integers in [0, K).
        share: of the images that are stamped, in (0, 1].
        relabel: of the stamped ones that are relabeled, in [0, 1].
        target: the label they get, in [0, K).
        stamp: images (M, C, H, W) -> the same with the trigger.
        generator: a CPU generator, advanced.

    Raises:
        TypeError, ValueError: a wrong kind, shape or range; a share that stamps no image; a stamp of another shape.

    Source: P3, Sec. 3: 5 % of the training set, n % of their labels changed.
    Differs from the paper: counts are exact where it says "selected"; whether images of the target class may be chosen
        is not said there, here they may.
    """
    check_images(images)
    check_labels(labels, len(images))
    check_number(share, "share", above=0.0, at_most=1.0)
    check_number(relabel, "relabel", at_least=0.0, at_most=1.0)
    check_number(target, "target", at_least=0, at_most=int(labels.max()), integer=True)
    check_generator(generator)
    n_stamped = round(share * len(images))
    if not n_stamped:
        raise ValueError(f"share: expected one that stamps an image, got {share} of {len(images)} images")
    chosen = torch.randperm(len(images), generator=generator)[:n_stamped]
    rows, relabeled = chosen.sort().values, chosen[: round(relabel * n_stamped)].sort().values
    stamped = stamp(images[rows.to(images.device)])
    if stamped.shape != (n_stamped, *images.shape[1:]):
        got, wanted = tuple(stamped.shape), (n_stamped, *images.shape[1:])
        raise ValueError(f"stamp: expected images of shape {wanted} back, got {got}")
    images, labels = images.clone(), labels.clone()
    images[rows.to(images.device)] = stamped.to(images)
    labels[relabeled.to(labels.device)] = target
    return InjectedSet(images, labels, rows, relabeled)
