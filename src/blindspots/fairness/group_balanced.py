"""Reweighting by group: every country is drawn equally often."""

from __future__ import annotations

import torch
from torch import Tensor

from blindspots import checks
from blindspots.fairness.weighted_images import LabeledImages, WeightedImages


def group_balanced(data: LabeledImages, groups: Tensor, *, n_groups: int | None = None) -> WeightedImages:
    r"""Return a set whose items weigh the inverse of their group's size, so that draws are uniform over groups.

        P_i = N / (G n_{group of i}),     mean(P) = 1
    Trained on by `dro_train` with "sampling_only", this is reweighting by resampling; the plain set with weights of 1
    is standard training, with the same steps.

    Args:
        data: its .images (N, C, H, W) in [0, 1] and .labels (N,).
        groups: (N,) integers 0 to G - 1, for instance countries.
        n_groups: G; None for one more than the largest.

    Returns:
        WeightedImages with the same tensors.

    Raises:
        TypeError, ValueError: bad images, labels or groups; fewer than two groups; a group without images.

    Source: a control that P0 does not have; Kamiran and Calders (2012) for two groups and labels.
    """
    checks.check_images(data.images, "data.images")
    checks.check_labels(data.labels, len(data.images), name="data.labels")
    sizes = group_sizes(groups, len(data.images), n_groups=n_groups)
    own = sizes.double()[groups.long().cpu()]
    weights = len(groups) / (len(sizes) * own)
    return WeightedImages(data.images, data.labels, weights.to(data.images.device))


def group_sizes(groups: Tensor, n_images: int, *, n_groups: int | None = None) -> Tensor:
    """Return how many images each group has, (G,) long on the CPU, or raise if one has none.

    Args:
        groups: (N,) integers 0 to G - 1.
        n_images: N.
        n_groups: G; None for one more than the largest.
    """
    if n_groups is not None:
        checks.check_number(n_groups, "n_groups", at_least=2, integer=True)
    checks.check_labels(groups, n_images, n_classes=n_groups, name="groups")
    sizes = torch.bincount(groups.long().cpu(), minlength=n_groups or 0)
    if len(sizes) < 2:
        raise ValueError("groups: expected at least two groups, got group 0 only; one country has nothing to balance")
    empty = (sizes == 0).nonzero().squeeze(1).tolist()
    if empty:
        raise ValueError(
            f"groups: expected images of every group from 0 to {len(sizes) - 1}, got none of group "
            f"{', '.join(map(str, empty))}; number the groups that have images from 0"
        )
    return sizes
