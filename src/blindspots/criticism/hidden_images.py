"""Images with some superpixels hidden, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.criticism.superpixels import check_image, check_segments


def hiding_fill(image: Tensor, segments: Tensor, hide: str | float | Tensor = "mean") -> Float[Tensor, "C H W"]:
    """Return what a hidden pixel shows: its superpixel's mean color, or one color everywhere.

    Args:
        image: (C, H, W) in [0, 1].
        segments: (H, W), superpixels 0 to D - 1.
        hide: "mean", or a color in [0, 1]: one number or (C,).

    Returns:
        (C, H, W) like the image.

    Raises:
        TypeError, ValueError: bad images, superpixels or color.

    Source: the lime package's default is the mean; P4 does not say how a superpixel is deactivated.
    """
    check_image(image)
    n_superpixels = check_segments(segments, *image.shape[1:])
    if isinstance(hide, str):
        checks.check_choice(hide, "hide", ("mean",))
        flat = segments.flatten()
        sums = image.new_zeros(image.shape[0], n_superpixels, dtype=torch.float64)
        sums.index_add_(1, flat, image.detach().flatten(1).double())
        return (sums / flat.bincount())[:, flat].view(image.shape).to(image.dtype).clamp(0, 1)
    if not isinstance(hide, Tensor):
        checks.check_number(hide, "hide", at_least=0.0, at_most=1.0)
        return torch.full_like(image, float(hide))
    if hide.shape != image.shape[:1] or not hide.is_floating_point() or not ((hide >= 0) & (hide <= 1)).all():
        raise ValueError(
            f"hide: expected {image.shape[0]} floats in [0, 1], a color, got {tuple(hide.shape)} {hide.dtype}; "
            "divide 8-bit colors by 255"
        )
    return hide.to(image)[:, None, None].expand_as(image).clone()


def hidden_images(
    image: Tensor, fill: Tensor, segments: Tensor, masks: Tensor, *, batch_size: int = 50
) -> Iterator[Float[Tensor, "B C H W"]]:
    """Yield the images in which the superpixels that a mask leaves out show the fill.

    Every shown pixel is the image's own to the bit and every hidden one the fill's.

    Args:
        image: (C, H, W).
        fill: (C, H, W), see `hiding_fill`.
        segments: (H, W), superpixels 0 to D - 1.
        masks: (n, D) bool, True = shown.
        batch_size: images at a time.

    Yields:
        (B, C, H, W), B = batch_size but for the last; on a CPU with the channels side by side in memory, the order
        in which convolutions read them fastest there. All batches share one memory: copy what is to be kept.
    """
    channels_last = image.device.type == "cpu"
    parts = [fill, image, segments.expand_as(image)]
    if channels_last:
        parts = [part.movedim(0, -1) for part in parts]
    shape = parts[0].shape
    hidden, whole, owners = (part.flatten() for part in parts)
    shown = masks.to(image.dtype)
    batch = image.new_empty(min(batch_size, len(masks)), whole.numel())
    for rows in shown.split(batch_size):
        images = batch[: len(rows)]
        torch.index_select(rows, 1, owners, out=images)
        # lerp gives its ends exactly, where fill + mask * (image - fill) rounds and may leave [0, 1].
        torch.lerp(hidden.expand_as(images), whole.expand_as(images), images, out=images)
        images = images.view(-1, *shape)
        yield images.movedim(-1, 1) if channels_last else images
