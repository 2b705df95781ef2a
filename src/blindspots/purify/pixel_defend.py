"""PixelDefend: replace each pixel by the most likely one near it, given those already replaced."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blindspots import checks
from blindspots.purify.gated_pixel_cnn import GatedPixelCNN, bits_per_dimension, check_density_images
from blindspots.types import Images


@torch.no_grad()
def pixel_defend(
    images: Tensor,
    density: GatedPixelCNN,
    *,
    epsilon: float | int,
    likely_below: float | int | None = None,
    whole_images: bool = False,
) -> Images:
    r"""Move an image towards high probability, pixel by pixel, inside an l-infinity ball.

        q_i <- argmax p(q_i | q_1, ..., q_{i-1})     over values with |q_i - q0_i| <= epsilon (levels - 1),
    q0 the image at the density's levels, row by row and channel by channel, each pixel given the new values of those
    before it. Of equally likely values the smallest is taken.

    Args:
        images: (N, C, H, W) in [0, 1], of the density's channels.
        density: from `train_pixel_cnn`.
        epsilon: radius in units of the [0, 1] range, >= 0. The paper takes 16/255 on CIFAR-10 and 32/255 on
            Fashion-MNIST. Below 1 / (levels - 1) it only takes the image to the levels.
        likely_below: images of fewer bits per dimension than this are taken to be clean: they get epsilon 0, the
            paper's adaptive variant. None: every image gets epsilon.
        whole_images: evaluate the whole image for each pixel, instead of the window its answer depends on; the
            result is the same, the time grows with the image.

    Returns:
        (N, C, H, W), at the density's levels, in the dtype and on the device of images. No gradient flows through.

    Raises:
        TypeError, ValueError: bad images or options.

    Source: Song et al. (2018), Section 4, Algorithm 1.
    Differs from the paper: nothing for 256 levels. With fewer, the image is taken to the levels first, and that alone
    purifies (see `bit_depth`): report epsilon 0 beside it.
    """
    check_density_images(images, density.channels)
    checks.check_number(epsilon, "epsilon", at_least=0.0)
    if likely_below is not None:
        checks.check_number(likely_below, "likely_below")
    weight = density.answers[0].weight
    values = density.quantized(images).to(weight.device)
    channels, height, width = values.shape[1:]
    reach = torch.full((len(values), 1), math.floor(epsilon * (density.levels - 1) + 1e-6), device=values.device)
    if likely_below is not None:
        reach[bits_per_dimension(images, density).to(values.device) < likely_below] = 0
    candidates = torch.arange(density.levels, device=values.device)
    scaled = density.scaled(values)
    for row in range(height):
        for column in range(width):
            rows, columns = (slice(0, height), slice(0, width))
            if not whole_images:
                rows, columns = density.window(row, column, height, width)
            known = density.context(scaled[..., rows, columns])
            at = (slice(None), slice(None), slice(row - rows.start, row - rows.start + 1),
                  slice(column - columns.start, column - columns.start + 1))  # fmt: skip
            known = known[at]
            for channel in range(channels):
                here = scaled[..., row : row + 1, column : column + 1]
                logits = density.answer(known, here, channel)[..., 0, 0]
                near = (candidates - values[:, channel, row, column, None]).abs() <= reach
                best = logits.masked_fill(~near, float("-inf")).argmax(dim=1)
                values[:, channel, row, column] = best
                scaled[:, channel, row, column] = density.scaled(best)
    return (values.double() / (density.levels - 1)).to(images)
