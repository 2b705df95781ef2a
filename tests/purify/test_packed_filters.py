"""Packed filters: convolutions written out, the adjoint, and both of a frequency and its opposite."""

import pytest
import torch

from blindspots.purify.packed_filters import PackedFilters, opposite_frequencies

SHAPES = [(4, 1, 3, 3, 8, 8), (5, 3, 3, 2, 9, 7), (1, 2, 2, 2, 6, 5), (6, 3, 4, 4, 4, 4)]


def circular(dictionary, maps):
    """Return sum_m d_m * x_m by shifting the maps, one filter entry at a time."""
    total = maps.new_zeros(maps.shape[0], dictionary.shape[1], *maps.shape[-2:])
    for row in range(dictionary.shape[2]):
        for column in range(dictionary.shape[3]):
            moved = maps.roll((row, column), dims=(-2, -1))
            total += torch.einsum("nmhw,mc->nchw", moved, dictionary[:, :, row, column])
    return total


@pytest.mark.parametrize("shape", SHAPES)
def test_projecting_is_convolving_and_rotating(draw, shape):
    m, c, h, w, height, width = shape
    dictionary, maps = draw(m, c, h, w) - 0.5, draw(2, m, height, width, seed=1) - 0.5
    filters = PackedFilters(dictionary, height, width)
    got = filters.project(filters.pack(maps), filters.scratch(2))
    torch.testing.assert_close(got, filters.rotate(circular(dictionary, maps)))


@pytest.mark.parametrize("shape", SHAPES)
def test_spreading_is_the_adjoint_and_real(draw, shape):
    m, c, h, w, height, width = shape
    dictionary, maps = draw(m, c, h, w) - 0.5, draw(2, m, height, width, seed=1)
    signals = draw(2, c, height, width, seed=2)
    filters = PackedFilters(dictionary, height, width)
    spread = filters.unpack(filters.spread(filters.rotate(signals), filters.scratch(2)))
    # <D^H s, x> = <s, D x>
    torch.testing.assert_close((spread * maps).sum((1, 2, 3)), (signals * circular(dictionary, maps)).sum((1, 2, 3)))


@pytest.mark.parametrize("shape", SHAPES)
def test_values_are_the_eigenvalues_of_d_dh(draw, shape):
    m, c, h, w, height, width = shape
    dictionary = draw(m, c, h, w) - 0.5
    filters = PackedFilters(dictionary, height, width)
    spectrum = torch.fft.fft2(dictionary, s=(height, width)).flatten(2).permute(2, 1, 0)
    expected = torch.linalg.eigvalsh(spectrum @ spectrum.mH).clamp_min(0)
    torch.testing.assert_close(filters.values.T, expected, atol=1e-12, rtol=1e-9)
    turn = filters.turn.permute(2, 0, 1)
    identity = torch.eye(c, dtype=turn.dtype).expand_as(turn)
    torch.testing.assert_close(turn @ turn.mH, identity)


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 3), (1, 2)])
def test_the_opposite_of_a_frequency_conjugates_a_real_signal(draw, height, width):
    spectrum = torch.fft.fft2(draw(height, width)).flatten()
    opposite = opposite_frequencies(height, width, torch.device("cpu"))
    torch.testing.assert_close(spectrum[opposite], spectrum.conj())


@pytest.mark.parametrize("n_filters", [1, 4, 5])
def test_packing_is_undone_by_unpacking(draw, n_filters):
    maps = draw(2, n_filters, 5, 4)
    filters = PackedFilters(draw(n_filters, 1, 2, 2), 5, 4)
    assert torch.equal(filters.unpack(filters.pack(maps)), maps)
