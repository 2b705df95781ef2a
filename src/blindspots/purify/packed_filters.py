"""A dictionary's filters in the Fourier domain, prepared for many applications: two real maps to a complex one.

A transform of two real maps packed as real and imaginary part costs half of what two transforms cost. At each
frequency the filters act through the eigenvectors of D D^H, C x C, so that (rho + D D^H)^-1 is a division for any rho.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor


def opposite_frequencies(height: int, width: int, device: torch.device) -> Int[Tensor, " K"]:
    """Return, for each frequency of a flattened full transform, the index of its negative."""
    rows = -torch.arange(height, device=device) % height
    columns = -torch.arange(width, device=device) % width
    return (rows[:, None] * width + columns).flatten()


def _eigenvectors(
    gram: Complex[Tensor, "K C C"], opposite: Int[Tensor, " K"]
) -> tuple[Float[Tensor, "K C"], Complex[Tensor, "K C C"]]:
    """Return eigenvalues and eigenvectors of D D^H, conjugate at opposite frequencies as real signals need."""
    here = torch.arange(len(opposite), device=opposite.device)
    half = (here < opposite).nonzero().flatten()
    own = (here == opposite).nonzero().flatten()
    values = gram.new_empty(gram.shape[:2], dtype=gram.real.dtype)
    vectors = torch.empty_like(gram)
    values[half], vectors[half] = torch.linalg.eigh(gram[half])
    values[own], real = torch.linalg.eigh(gram[own].real)
    vectors[own] = real.to(vectors.dtype)
    values[opposite[half]], vectors[opposite[half]] = values[half], vectors[half].conj()
    return values.clamp_min(0.0), vectors


def signal_norms(packed: Float[Tensor, "P B H W 2"]) -> Float[Tensor, " B"]:
    """Return the l2 norm of each signal's packed maps."""
    # A signal's part of each map is contiguous: first along it, then over the maps.
    return torch.linalg.vector_norm(torch.linalg.vector_norm(packed.flatten(2), dim=2), dim=0)


def chunk_values(device: torch.device) -> int:
    """Return how many values of packed maps are best worked on at once."""
    # On a CPU four images of 32 x 32 over 64 filters, so that they stay in the cache; elsewhere what memory allows.
    return 1 << 18 if device.type == "cpu" else 1 << 27


class PackedFilters:
    """A dictionary D as an operator on packed maps (P, B, H, W, 2), where map m < P has map m + P beside it.

    With V the eigenvectors of D D^H at a frequency, `project` gives V^H D z from the maps z, and `spread` the
    maps D^H V q; `rotate` gives V^H s for signals s. All three are of real arrays. Signals come second: that way
    a filter meets all of them in one contiguous stretch, and the sum over filters runs over whole rows.
    """

    def __init__(self, dictionary: Float[Tensor, "M C h w"], height: int, width: int) -> None:
        """Transform the filters to height x width pixels."""
        self.n_filters, self.channels = dictionary.shape[:2]
        self.height, self.width = height, width
        self.pairs = (self.n_filters + 1) // 2
        opposite = opposite_frequencies(height, width, dictionary.device)
        spectrum = torch.fft.fft2(dictionary.double(), s=(height, width)).flatten(2).permute(2, 1, 0).contiguous()
        values, vectors = _eigenvectors(spectrum @ spectrum.mH, opposite)
        rotated = (vectors.mH @ spectrum).permute(1, 2, 0)
        if self.n_filters % 2:
            rotated = torch.cat([rotated, torch.zeros_like(rotated[:, :1])], dim=1)
        packed = ((rotated[:, : self.pairs] - 1j * rotated[:, self.pairs :]) / 2).unsqueeze(2)
        complex_dtype = torch.complex128 if dictionary.dtype == torch.float64 else torch.complex64
        self.values = values.T.contiguous().to(dictionary.dtype)
        self.turn = vectors.mH.permute(1, 2, 0).resolve_conj().contiguous().to(complex_dtype)
        self._down = packed.contiguous().to(complex_dtype)
        # The inverse transform's 1 / (H W) is in here.
        self._up = (2 * packed.conj() / (height * width)).resolve_conj().contiguous().to(complex_dtype)

    def scratch(self, n_signals: int) -> Complex[Tensor, "2 P B K"]:
        """Return the buffer that `project` and `spread` work in, for so many signals."""
        return self.turn.new_empty(2, self.pairs, n_signals, self.height * self.width)

    def pack(self, maps: Float[Tensor, "B M H W"]) -> Float[Tensor, "P B H W 2"]:
        """Return maps two by two."""
        packed = maps.new_zeros(self.pairs, maps.shape[0], self.height, self.width, 2)
        packed[..., 0] = maps[:, : self.pairs].transpose(0, 1)
        packed[: self.n_filters - self.pairs, ..., 1] = maps[:, self.pairs :].transpose(0, 1)
        return packed

    def unpack(self, packed: Float[Tensor, "P B H W 2"]) -> Float[Tensor, "B M H W"]:
        """Undo `pack`."""
        return torch.cat([packed[..., 0], packed[: self.n_filters - self.pairs, ..., 1]]).transpose(0, 1)

    def rotate(self, signals: Float[Tensor, "B C H W"]) -> Complex[Tensor, "C B K"]:
        """Return V^H s."""
        return torch.einsum("cdk,bdk->cbk", self.turn, torch.fft.fft2(signals).flatten(2)).contiguous()

    def project(
        self, packed: Float[Tensor, "P B H W 2"], scratch: Complex[Tensor, "2 P B K"]
    ) -> Complex[Tensor, "C B K"]:
        """Return V^H D z."""
        spectrum = torch.fft.fft2(torch.view_as_complex(packed)).flatten(2)
        half = spectrum.new_empty(self.channels, *spectrum.shape[1:])
        for channel in range(self.channels):
            torch.sum(torch.mul(spectrum, self._down[channel], out=scratch[0]), dim=0, out=half[channel])
        # What is there at the negative of each frequency; faster than an index.
        opposed = half.unflatten(2, (self.height, self.width)).flip(2, 3).roll((1, 1), (2, 3)).flatten(2)
        return half.add_(opposed.conj())

    def spread(
        self, weights: Complex[Tensor, "C B K"], scratch: Complex[Tensor, "2 P B K"]
    ) -> Float[Tensor, "P B H W 2"]:
        """Return D^H V q."""
        total, product = scratch
        torch.mul(self._up[0], weights[0], out=total)
        for channel in range(1, self.channels):
            total.add_(torch.mul(self._up[channel], weights[channel], out=product))
        maps = torch.fft.ifft2(total.unflatten(2, (self.height, self.width)), norm="forward")
        return torch.view_as_real(maps)
