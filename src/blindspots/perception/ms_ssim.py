"""Multi-scale structural similarity as a distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from blindspots import checks
from blindspots.perception.encoded import EncodedDistance, Encoding
from blindspots.perception.ssim import local_moments, working_dtype
from blindspots.perception.ssim_prepared import in_one_dtype, ssim_factors
from blindspots.perception.window import Window, check_window, gaussian_window
from blindspots.types import Scores

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@dataclass(frozen=True, kw_only=True)
class MultiScaleSSIMDistance(EncodedDistance):
    """`ms_ssim_distance` with its options fixed, and with `prepare`.

    Attributes:
        window_size: see `ms_ssim_distance`.
        sigma: see `ms_ssim_distance`.
        data_range: see `ms_ssim_distance`.
        scale_weights: see `ms_ssim_distance`.

    Raises:
        TypeError, ValueError: as `ms_ssim_distance`.
    """

    window_size: int = 11
    sigma: float | int = 1.5
    data_range: float | int = 1.0
    scale_weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        check_window(self.window_size, self.sigma, "valid")
        checks.check_number(self.data_range, "data_range", above=0.0)
        for weight in self.scale_weights if self.scale_weights is not None else ():
            checks.check_number(weight, "scale_weights", above=0.0)
        if self.scale_weights is not None and not self.scale_weights:
            raise ValueError("scale_weights: expected at least one weight, got none; one is plain SSIM")

    @property
    def name(self) -> str:
        """The name of the distance."""
        return "ms_ssim"

    @property
    def exponents(self) -> tuple[float, ...]:
        """The exponent of each scale, finest first."""
        if self.scale_weights is None:
            return SCALE_WEIGHTS
        return tuple(weight / sum(self.scale_weights) for weight in self.scale_weights)

    @property
    def min_side(self) -> int:
        """The smallest side of an image in pixels: the window has to fit at the coarsest scale."""
        return (self.window_size - 1) * 2 ** (len(self.exponents) - 1) + 1

    def check(self, images: Tensor, name: str) -> None:
        """Raise unless images are finite and large enough for the coarsest scale."""
        checks.check_images(images, name, unit_range=False)
        if min(images.shape[-2:]) < self.min_side:
            raise ValueError(
                f"{name}: expected sides of at least {self.min_side} pixels for {len(self.exponents)} scales, got "
                f"{images.shape[-2]}x{images.shape[-1]}; use larger images, a smaller window or fewer scale_weights"
            )

    def encode(self, images: Tensor) -> Encoding:
        """Return images with their local means and variances at each scale."""
        images = images.to(working_dtype(images, data_range=self.data_range))
        parts: list[Tensor] = []
        for scale in range(len(self.exponents)):
            if scale:
                images = _halved(images)
            parts += [images, *local_moments(self._window(images), images)]
        return tuple(parts)

    def compare(self, images: Encoding, references: Encoding) -> Tensor:
        """Return 1 - MS-SSIM (N,)."""
        images, references = in_one_dtype(images, references)
        similarity = torch.ones((), dtype=images[0].dtype, device=images[0].device)
        last = len(self.exponents) - 1
        for scale, exponent in enumerate(self.exponents):
            part = slice(3 * scale, 3 * scale + 3)
            window = self._window(images[part][0])
            luminance, structure = ssim_factors(window, images[part], references[part], self.data_range)
            value = (luminance * structure if scale == last else structure).mean(dim=(2, 3))
            positive = value > 0
            similarity = similarity * torch.where(positive, torch.where(positive, value, 1.0) ** exponent, 0.0)
        return 1.0 - similarity.mean(dim=1)

    def _window(self, images: Tensor) -> Window:
        return gaussian_window(
            *images.shape[-2:], window_size=self.window_size, sigma=self.sigma, padding="valid",
            dtype=images.dtype, device=images.device
        )  # fmt: skip


def _halved(images: Tensor) -> Tensor:
    """Return the means of 2x2 blocks; where a side is odd, the first row and column are doubled first."""
    odd = max(images.shape[-2] % 2, images.shape[-1] % 2)
    return F.avg_pool2d(F.pad(images, (odd, 0, odd, 0), mode="replicate"), 2)


def ms_ssim_distance(
    images: Tensor,
    references: Tensor,
    *,
    window_size: int = 11,
    sigma: float | int = 1.5,
    data_range: float | int = 1.0,
    scale_weights: Sequence[float] | None = None,
) -> Scores:
    r"""Return 1 - MS-SSIM: structure compared at five scales, luminance at the coarsest only.

        MS-SSIM = SSIM_5^{w_5} prod_{s=1}^{4} CS_s^{w_s}
    with CS_s the mean over windows of the contrast-structure factor after s - 1 halvings, computed for each
    channel; the mean over channels is returned. A negative mean counts as 0.

    Args:
        images: (N, C, H, W), any finite values. Sides of at least 161 pixels with the default options.
            Differentiable.
        references: (N, C, H, W), same shape, dtype and device.
        window_size: side of the Gaussian window in pixels, odd, at least 3; only windows inside count.
        sigma: its standard deviation in pixels, > 0.
        data_range: the width of the range of pixel values, > 0.
        scale_weights: exponents of the scales, finest first, > 0; they are divided by their sum, and their
            number is the number of scales. None = the five published ones, which sum to 1.0001.

    Returns:
        (N,), in [0, 1]; 0 = identical, lower = closer. In the dtype of images.

    Raises:
        TypeError, ValueError: bad images or options, or an image too small for the coarsest scale.

    Source: Wang, Simoncelli and Bovik (2003).
    Differs from the paper: it speaks of gray images, we average over channels, and we halve by 2x2 means.
    piq's values are the same; ours also takes values outside [0, 1], which an attack without clamping meets,
    and keeps the references' part (see `MultiScaleSSIMDistance`).
    """
    distance = MultiScaleSSIMDistance(
        window_size=window_size, sigma=sigma, data_range=data_range, scale_weights=scale_weights
    )
    return distance(images, references)
