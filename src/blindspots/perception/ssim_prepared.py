"""The SSIM distance as an object that keeps what it computed of the references."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots import checks
from blindspots.perception.encoded import EncodedDistance, Encoding
from blindspots.perception.ssim import (
    CONTRAST_CONSTANT,
    LUMINANCE_CONSTANT,
    check_ssim_images,
    local_moments,
    working_dtype,
)
from blindspots.perception.window import Window, check_window, gaussian_window


@dataclass(frozen=True, kw_only=True)
class SSIMDistance(EncodedDistance):
    """`ssim_distance` with its options fixed, and with `prepare`; the values are the same up to rounding.

    Of fixed references the local means and variances are kept, so a step filters three maps instead of five.

    Attributes:
        window_size: see `ssim`.
        sigma: see `ssim`.
        data_range: see `ssim`.
        padding: see `ssim`.

    Raises:
        TypeError, ValueError: as `ssim`.

    Source: Wang et al. (2004); P0 Section 3.
    """

    window_size: int = 11
    sigma: float | int = 1.5
    data_range: float | int = 1.0
    padding: str = "same"

    def __post_init__(self) -> None:
        """Check the options."""
        check_window(self.window_size, self.sigma, self.padding)
        checks.check_number(self.data_range, "data_range", above=0.0)

    @property
    def name(self) -> str:
        """The name of the distance."""
        return "ssim"

    def check(self, images: Tensor, name: str) -> None:
        """Raise unless images are finite and large enough for the window."""
        check_ssim_images(
            images, name, window_size=self.window_size, sigma=self.sigma, data_range=self.data_range,
            padding=self.padding
        )  # fmt: skip

    def encode(self, images: Tensor) -> Encoding:
        """Return images with their local means and variances."""
        images = images.to(working_dtype(images, data_range=self.data_range))
        return images, *local_moments(self._window(images), images)

    def compare(self, images: Encoding, references: Encoding) -> Tensor:
        """Return 1 - SSIM (N,)."""
        images, references = in_one_dtype(images, references)
        luminance, structure = ssim_factors(self._window(images[0]), images, references, self.data_range)
        return 1.0 - (luminance * structure).mean(dim=(1, 2, 3))

    def _window(self, images: Tensor) -> Window:
        return gaussian_window(
            *images.shape[-2:], window_size=self.window_size, sigma=self.sigma, padding=self.padding,
            dtype=images.dtype, device=images.device
        )  # fmt: skip


def in_one_dtype(images: Encoding, references: Encoding) -> tuple[Encoding, Encoding]:
    """Return both encodings in the wider of their dtypes: either may have needed float64 on its own."""
    dtype = torch.promote_types(images[0].dtype, references[0].dtype)
    return tuple(part.to(dtype) for part in images), tuple(part.to(dtype) for part in references)


def ssim_factors(
    window: Window, images: Encoding, references: Encoding, data_range: float | int
) -> tuple[Tensor, Tensor]:
    """Return SSIM's luminance and contrast-structure factors at each window, (N, C, Q, R) both.

    An encoding is here: the images, their local means, and their local variances.
    """
    x, mean_x, variance_x = images
    y, mean_y, variance_y = references
    c1, c2 = (LUMINANCE_CONSTANT * data_range) ** 2, (CONTRAST_CONSTANT * data_range) ** 2
    means = mean_x * mean_y
    luminance = (2.0 * means + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    structure = (2.0 * (window.average(x * y) - means) + c2) / (variance_x + variance_y + c2)
    return luminance, structure
