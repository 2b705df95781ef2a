"""The crop ensemble: ask the model about many random crops and average."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.attacks.model import judged
from blindspots.types import Classifier, Images

Probabilities = Float[Tensor, "N K"]


def _crops(images: Images, offsets: Float[Tensor, "N 2"], height: int, width: int) -> Float[Tensor, "N C h w"]:
    """Return one crop of each image, its upper left corner at the given shares of what room there is."""
    room = torch.tensor([images.shape[-2] - height + 1, images.shape[-1] - width + 1], dtype=torch.float64)
    corners = (offsets * room).long().tolist()
    crops = [
        image[:, top : top + height, left : left + width]
        for image, (top, left) in zip(images, corners, strict=True)
    ]
    return torch.stack(crops)


def crop_ensemble(
    images: Tensor,
    model: Classifier,
    *,
    n_crops: int = 30,
    crop_share: float | int = 90 / 224,
    generator: torch.Generator,
) -> Probabilities:
    """Average a model's probabilities over random crops, each enlarged to the size of the image.

    Unlike the other purifiers this one returns probabilities, since there is no image that stands for the
    crops; their logarithm can be used as logits.

    Args:
        images: (N, C, H, W) in [0, 1].
        model: images in [0, 1] -> logits (N, K); asked `n_crops` times about N crops of H x W pixels.
        n_crops: crops per image, at least 1.
        crop_share: side of a crop as a share of the image's side, in (0, 1]; at least one pixel. 1 leaves the
            model's own probabilities.
        generator: CPU generator for the crops' places, uniform over where they fit. The first image of a batch
            gets what it would get alone.

    Returns:
        (N, K), in [0, 1], each row summing to 1, in the dtype of the logits. No gradient flows through.

    Raises:
        TypeError, ValueError: bad images or options; a generator that is not on the CPU; a model that returns
            no finite logits (N, K).

    Source: Guo et al. (2018), Section 4.1: 30 crops of 90 x 90 of 224 x 224 pixels.
    Differs from the paper: the side of a crop is a share, so that other sizes of image can be used. It does
    not name the interpolation; ours is bilinear.
    """
    checks.check_images(images)
    checks.check_number(n_crops, "n_crops", at_least=1, integer=True)
    checks.check_number(crop_share, "crop_share", above=0.0, at_most=1.0)
    checks.check_generator(generator)
    images = images.detach()
    n, _, height, width = images.shape
    crop_height, crop_width = (max(1, round(crop_share * side)) for side in (height, width))
    offsets = torch.rand(n, n_crops, 2, generator=generator, dtype=torch.float64)
    total = None
    with judged(model), torch.no_grad():
        for index in range(n_crops):
            crops = _crops(images, offsets[:, index], crop_height, crop_width)
            if crops.shape != images.shape:
                crops = torch.nn.functional.interpolate(
                    crops, size=(height, width), mode="bilinear", align_corners=False
                )
            logits = model(crops.clamp(0.0, 1.0))
            checks.check_logits(logits, n)
            probabilities = logits.softmax(dim=1)
            total = probabilities if total is None else total + probabilities
    return total / n_crops
