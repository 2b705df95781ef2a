"""The two fast operators against the plain formula."""

import pytest
import torch

from blindspots.perception.banded import BlockedOperator, DenseOperator, window_operator
from blindspots.perception.window import gaussian_weights, gaussian_window

SHAPES = [(1, 16, 16), (3, 23, 41), (2, 60, 17), (2, 5, 70)]
CASES = [
    (padding, shape, size)
    for padding in ("same", "valid")
    for shape in SHAPES
    for size in (3, 11)
    if padding == "same" or min(shape[1:]) >= size
]


@pytest.mark.parametrize(("padding", "shape", "window_size"), CASES)
def test_both_operators_agree_with_the_formula(noise, padding, shape, window_size):
    weights = gaussian_weights(window_size, 1.5)
    window = gaussian_window(*shape[1:], window_size=window_size, padding=padding, dtype=torch.float64)
    vectors, diagonal = noise(*shape), noise(*shape, seed=2)
    coupling = noise(shape[0], window.rows.shape[0], window.columns.shape[0], seed=3)
    expected = window.adjoint(coupling * window.average(vectors)) + diagonal * vectors
    for operator in (
        DenseOperator(window, coupling, diagonal),
        BlockedOperator(weights, padding, coupling, diagonal),
    ):
        for _ in range(2):  # the second call meets used buffers
            out = operator(vectors, torch.full_like(vectors, float("nan")))
            torch.testing.assert_close(out, expected, rtol=0, atol=1e-13)
        last = torch.tensor([shape[0] - 1])
        torch.testing.assert_close(operator.select(last)(vectors[last], out[last]), expected[last], rtol=0, atol=1e-13)


def test_small_maps_take_the_dense_path_and_large_ones_the_blocks():
    weights = gaussian_weights(11, 1.5)
    for side, kind in ((28, DenseOperator), (128, BlockedOperator)):
        maps = torch.ones(1, side, side)
        assert isinstance(window_operator(gaussian_window(side, side), weights, "same", maps, maps), kind)
