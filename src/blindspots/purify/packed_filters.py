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


class PackedFilters:
    """A dictionary D as an operator on packed maps (B, P, H, W, 2), where map m < P has map m + P beside it.

    With V the eigenvectors of D D^H at a frequency, `project` gives V^H D z from the maps z, and `spread` the
    maps D^H V q; `rotate` gives V^H s for signals s. All three are of real arrays.
    """

    def __init__(self, dictionary: Float[Tensor, "M C h w"], height: int, width: int) -> None:
        """Transform the filters to height x width pixels."""
        self.n_filters, self.channels = dictionary.shape[:2]
        self.height, self.width = height, width
        self.pairs = (self.n_filters + 1) // 2
        self.opposite = opposite_frequencies(height, width, dictionary.device)
        spectrum = torch.fft.fft2(dictionary.double(), s=(height, width)).flatten(2).permute(2, 1, 0)
        values, vectors = _eigenvectors(spectrum @ spectrum.mH, self.opposite)
        rotated = (vectors.mH @ spectrum).permute(1, 2, 0)
        if self.n_filters % 2:
            rotated = torch.cat([rotated, torch.zeros_like(rotated[:, :1])], dim=1)
        packed = (rotated[:, : self.pairs] - 1j * rotated[:, self.pairs :]) / 2
        complex_dtype = torch.complex128 if dictionary.dtype == torch.float64 else torch.complex64
        self.values = values.T.contiguous().to(dictionary.dtype)
        self.turn = vectors.mH.permute(1, 2, 0).resolve_conj().contiguous().to(complex_dtype)
        self._down = packed.contiguous().to(complex_dtype)
        self._up = (2 * packed.conj()).resolve_conj().contiguous().to(complex_dtype)

    def pack(self, maps: Float[Tensor, "B M H W"]) -> Float[Tensor, "B P H W 2"]:
        """Return maps two by two."""
        packed = maps.new_zeros(maps.shape[0], self.pairs, self.height, self.width, 2)
        packed[..., 0] = maps[:, : self.pairs]
        packed[:, : self.n_filters - self.pairs, ..., 1] = maps[:, self.pairs :]
        return packed

    def unpack(self, packed: Float[Tensor, "B P H W 2"]) -> Float[Tensor, "B M H W"]:
        """Undo `pack`."""
        return torch.cat([packed[..., 0], packed[:, : self.n_filters - self.pairs, ..., 1]], dim=1)

    def rotate(self, signals: Float[Tensor, "B C H W"]) -> Complex[Tensor, "B C K"]:
        """Return V^H s."""
        return torch.einsum("cdk,bdk->bck", self.turn, torch.fft.fft2(signals).flatten(2))

    def project(
        self, packed: Float[Tensor, "B P H W 2"], spectrum: Complex[Tensor, "B P K"], scratch: Complex[Tensor, "B P K"]
    ) -> Complex[Tensor, "B C K"]:
        """Return V^H D z; spectrum and scratch are overwritten."""
        torch.fft.fft2(torch.view_as_complex(packed), out=spectrum.unflatten(2, (self.height, self.width)))
        half = spectrum.new_empty(spectrum.shape[0], self.channels, spectrum.shape[2])
        for channel in range(self.channels):
            torch.mul(spectrum, self._down[channel], out=scratch)
            torch.sum(scratch, dim=1, out=half[:, channel])
        return half + half[:, :, self.opposite].conj()

    def spread(
        self, weights: Complex[Tensor, "B C K"], spectrum: Complex[Tensor, "B P K"], scratch: Complex[Tensor, "B P K"]
    ) -> Float[Tensor, "B P H W 2"]:
        """Return D^H V q in spectrum's memory; scratch is overwritten too."""
        torch.mul(self._up[0], weights[:, :1], out=scratch)
        for channel in range(1, self.channels):
            scratch.add_(torch.mul(self._up[channel], weights[:, channel : channel + 1], out=spectrum))
        sides = (self.height, self.width)
        maps = spectrum.unflatten(2, sides)
        torch.fft.ifft2(scratch.unflatten(2, sides), out=maps)
        return torch.view_as_real(maps)
