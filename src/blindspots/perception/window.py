"""The Gaussian window of SSIM as two banded matrices, one for the rows and one for the columns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks

PADDINGS = ("same", "valid")


@dataclass(frozen=True)
class Window:
    """A separable linear window W on maps of one size: W x = rows x columns^T.

    Attributes:
        rows: (Q, H), one row of weights for each of the Q window positions along the height.
        columns: (R, W), the same along the width.
    """

    rows: Float[Tensor, "Q H"]
    columns: Float[Tensor, "R W"]

    @property
    def n_windows(self) -> int:
        """The number of window positions on one map, Q R."""
        return self.rows.shape[0] * self.columns.shape[0]

    def average(self, maps: Float[Tensor, "*B H W"]) -> Float[Tensor, "*B Q R"]:
        """Return W maps: each window's weighted sum."""
        return self.rows @ maps @ self.columns.mT

    def adjoint(self, maps: Float[Tensor, "*B Q R"]) -> Float[Tensor, "*B H W"]:
        """Return W^T maps: each pixel's sum over the windows that see it, with their weights."""
        return self.rows.mT @ maps @ self.columns

    def squared(self) -> Window:
        """Return the window with squared weights; the window is separable, so both factors are squared."""
        return Window(self.rows.square(), self.columns.square())

    def dense(self) -> Float[Tensor, "P D"]:
        """Return W as one matrix (Q R, H W) on flattened maps; for small maps only."""
        return torch.kron(self.rows, self.columns)


def check_window(window_size: int, sigma: float | int, padding: str) -> None:
    """Raise unless the options describe a window: odd size of at least 3, sigma > 0, a known padding."""
    checks.check_odd(window_size, "window_size", at_least=3)
    checks.check_number(sigma, "sigma", above=0.0)
    checks.check_choice(padding, "padding", PADDINGS)


def gaussian_weights(window_size: int, sigma: float | int) -> Float[Tensor, " k"]:
    """Return the (window_size,) float64 Gaussian weights of one axis, which sum to 1."""
    offsets = torch.arange(window_size, dtype=torch.float64) - window_size // 2
    weights = torch.exp(-offsets.square() / (2.0 * sigma * sigma))
    return weights / weights.sum()


def _band(length: int, weights: Tensor, padding: str) -> Tensor:
    size = weights.numel()
    padded = torch.zeros(length + 2 * (size - 1), dtype=weights.dtype)
    starts = torch.arange(length) if padding == "same" else torch.arange(size // 2, length - size // 2)
    first = starts - size // 2
    band = torch.zeros(starts.numel(), padded.numel(), dtype=weights.dtype)
    band.scatter_(1, (first + size - 1)[:, None] + torch.arange(size), weights.expand(starts.numel(), size))
    return band[:, size - 1 : size - 1 + length]


def gaussian_window(
    height: int,
    width: int,
    *,
    window_size: int = 11,
    sigma: float | int = 1.5,
    padding: str = "same",
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Window:
    r"""Return the Gaussian window on height x width maps.

    "same" centers a window on each pixel; the weights that fall outside the map are dropped and the others
    are kept as they are (zero padding), so a window at the border sums to less than 1. "valid" keeps only the
    windows that lie inside.

    Args:
        height: H, pixels; at least window_size for "valid", any size for "same".
        width: W, pixels; the same.
        window_size: side of the square window in pixels, odd, at least 3.
        sigma: standard deviation of the Gaussian in pixels, > 0.
        padding: "same" or "valid".
        dtype: of the matrices; the weights are computed in float64 and then rounded.
        device: of the matrices.

    Returns:
        Window with rows (Q, H) and columns (R, W); Q = H for "same", H - window_size + 1 for "valid".

    Raises:
        ValueError: an even window, sigma <= 0, an unknown padding, or a "valid" window larger than the map.

    Source: Wang et al. (2004), the 11x11 window with a deviation of 1.5 pixels.
    """
    check_window(window_size, sigma, padding)
    checks.check_number(height, "height", at_least=1, integer=True)
    checks.check_number(width, "width", at_least=1, integer=True)
    if padding == "valid" and min(height, width) < window_size:
        raise ValueError(
            f"window_size: expected at most the smaller side, {min(height, width)}, for padding 'valid', "
            f"got {window_size}; use a smaller window or padding='same'"
        )
    weights = gaussian_weights(window_size, sigma)
    rows = _band(height, weights, padding)
    columns = rows if width == height else _band(width, weights, padding)
    return Window(rows.to(device, dtype), columns.to(device, dtype))
