"""Images that hold a second, smaller image of another class at a known place: ambiguity that is planted."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class AmbiguousImages:
    """Images with an inset.

    Attributes:
        images: (N, C, H, W), the images with their insets.
        regions: (N, H, W), True inside the inset.
        classes: (N,), the class of the inset's image, never the image's own.
    """

    images: Float[Tensor, "N C H W"]
    regions: Bool[Tensor, "N H W"]
    classes: Int[Tensor, " N"]


def ambiguous_images(images: Tensor, labels: Tensor, *, side: int, generator: torch.Generator) -> AmbiguousImages:
    """Paste into each image the middle of another image of another class.

    The inset is as sharp as the image around it: it is cut out and not shrunk. Its image and its place are drawn
    for each image, all images of other classes and all places alike.

    Args:
        images: (N, C, H, W) in [0, 1].
        labels: (N,), at least two different ones.
        side: of the square inset in pixels, at least 1 and less than the image's.
        generator: a CPU generator.

    Returns:
        AmbiguousImages like the images; a classifier that is trained on them with `labels` learns the larger class.

    Raises:
        TypeError, ValueError: bad images or labels, a single class, a side that does not fit.

    Source: P4 Sec. 3.2 and Fig. 6 find that an attack's class is often in the picture. Differs from the paper: there
    people see it, here it is put there, so that it can be counted.
    """
    checks.check_images(images)
    checks.check_labels(labels, len(images))
    checks.check_generator(generator)
    height, width = images.shape[2:]
    checks.check_number(side, "side", at_least=1, at_most=min(height, width) - 1, integer=True)
    if bool((labels == labels[0]).all()):
        raise ValueError("labels: expected at least two classes, got one; an inset needs another class")
    n = len(images)
    # The place of a donor among the images of other classes, so that one draw for each image is enough.
    others = labels.cpu()[:, None] != labels.cpu()[None, :]
    donors = torch.multinomial(others.double(), 1, generator=generator)[:, 0].to(images.device)
    rows = torch.randint(height - side + 1, (n,), generator=generator).to(images.device)
    columns = torch.randint(width - side + 1, (n,), generator=generator).to(images.device)
    y, x = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    down, across = y[None, :] - rows[:, None], x[None, :] - columns[:, None]
    inside = ((down >= 0) & (down < side))[:, :, None] & ((across >= 0) & (across < side))[:, None, :]
    top, left = (height - side) // 2, (width - side) // 2
    sources = images[donors].detach()
    down, across = (down.clamp(0, side - 1) + top)[:, :, None], (across.clamp(0, side - 1) + left)[:, None, :]
    moved = sources[torch.arange(n, device=images.device)[:, None, None], :, down, across].permute(0, 3, 1, 2)
    return AmbiguousImages(torch.where(inside[:, None], moved, images.detach()), inside, labels[donors].long())
