"""How much of an image's energy lies at which spatial frequency, whatever its direction."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


def radial_spectrum(
    images: Tensor, *, n_bins: int = 12, taper: bool = False
) -> tuple[Float[Tensor, " K"], Float[Tensor, "N K"]]:
    """Return the mean energy of a frequency in rings around the constant part.

    Args:
        images: (N, C, H, W), any finite values; the mean of each channel is taken out.
        n_bins: rings of equal width from 0 to the largest frequency along an axis, 0.5 cycles per pixel, at least 1.
            The corners beyond count into the last one.
        taper: fade images out toward their borders (Hann windows, the mean energy kept). Without it the jump from one
            border to the opposite one, which the transform sees and nobody else, hides what is faint.

    Returns:
        frequencies (K,), the middle of each ring that holds a frequency of this image size, in cycles per pixel, and
        energies (N, K): mean of |X|^2 / (H W) over the ring's frequencies and the channels. White noise of variance v
        has energy v everywhere.

    Raises:
        TypeError, ValueError: not finite float images, or n_bins out of range.

    Source: ours; P1 speaks of frequencies and shows no spectrum.
    """
    checks.check_images(images, unit_range=False)
    checks.check_number(n_bins, "n_bins", at_least=1, integer=True)
    height, width = images.shape[-2:]
    wide = images.to(torch.promote_types(images.dtype, torch.float32))
    if taper:
        down, right = (
            torch.hann_window(side + 2, periodic=False, dtype=wide.dtype, device=wide.device)[1:-1]
            for side in (height, width)
        )
        window = down[:, None] * right
        wide = (wide - wide.mean(dim=(2, 3), keepdim=True)) * (window / window.square().mean().sqrt())
    power = torch.fft.fft2(wide).abs().square().mean(dim=1).flatten(1) / (height * width)
    rows, columns = (torch.fft.fftfreq(side, dtype=torch.float64, device=images.device) for side in (height, width))
    radius = (rows[:, None].square() + columns.square()).sqrt().flatten()
    ring = (radius / 0.5 * n_bins).long().clamp_max(n_bins - 1)
    inside = radius > 0
    counts = torch.bincount(ring[inside], minlength=n_bins)
    sums = power.new_zeros(len(power), n_bins).index_add_(1, ring[inside], power[:, inside])
    held = counts > 0
    middles = (torch.arange(n_bins, dtype=torch.float64, device=images.device) + 0.5) * (0.5 / n_bins)
    return middles[held].to(wide.dtype), sums[:, held] / counts[held]
