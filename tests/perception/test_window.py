"""The Gaussian window as banded matrices."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.perception.window import gaussian_weights, gaussian_window


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("height", "width"), [(13, 13), (11, 20), (40, 17)])
def test_window_equals_a_zero_padded_convolution(noise, padding, height, width):
    maps = noise(2, 3, height, width)
    line = gaussian_weights(11, 1.5)
    kernel = torch.outer(line, line)[None, None]
    expected = F.conv2d(maps.flatten(0, 1)[:, None], kernel, padding=5 if padding == "same" else 0)
    window = gaussian_window(height, width, padding=padding, dtype=torch.float64)
    # Sums of 121 products in another order.
    torch.testing.assert_close(window.average(maps).flatten(0, 1), expected[:, 0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_adjoint_moves_across_the_inner_product(noise, padding):
    window = gaussian_window(12, 15, window_size=5, padding=padding, dtype=torch.float64)
    left = noise(12, 15)
    averages = window.average(left)
    right = noise(*averages.shape, seed=2)
    torch.testing.assert_close((averages * right).sum(), (left * window.adjoint(right)).sum())


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_dense_and_squared_windows_agree_with_the_separable_one(noise, padding):
    window = gaussian_window(7, 9, window_size=5, padding=padding, dtype=torch.float64)
    maps = noise(7, 9)
    torch.testing.assert_close(window.dense() @ maps.flatten(), window.average(maps).flatten())
    torch.testing.assert_close(window.squared().dense(), window.dense() ** 2)
    assert window.n_windows == window.dense().shape[0]


def test_weights_inside_sum_to_one_and_are_only_cut_at_the_border():
    sums = gaussian_window(30, 30, dtype=torch.float64).rows.sum(1)
    torch.testing.assert_close(sums[5:-5], torch.ones(20, dtype=torch.float64))
    assert (sums[:5] < 1).all() and (sums[-5:] < 1).all()
    assert gaussian_window(30, 30, padding="valid").rows.shape == (20, 30)


def test_a_same_window_may_be_larger_than_the_map():
    rows = gaussian_window(3, 4, window_size=11, dtype=torch.float64).rows
    weights = gaussian_weights(11, 1.5)
    torch.testing.assert_close(rows[0], weights[5:8])
    torch.testing.assert_close(rows[2], weights[3:6])


def test_size_and_deviation_change_the_window():
    base = gaussian_window(20, 20).rows
    assert not torch.equal(base, gaussian_window(20, 20, window_size=9).rows)
    assert not torch.equal(base, gaussian_window(20, 20, sigma=2.0).rows)
    assert gaussian_window(20, 20, dtype=torch.float64).rows.dtype == torch.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(window_size=10), r"window_size: expected an odd number.*got 10; use 9 or 11"),
        (dict(window_size=1), r"window_size: expected a finite number >= 3, got 1"),
        (dict(sigma=0.0), r"sigma: expected a finite number > 0"),
        (dict(padding="reflect"), r"padding: expected one of same, valid; got 'reflect'"),
        (dict(padding="valid", window_size=21), r"window_size: expected at most the smaller side, 20.*got 21"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        gaussian_window(20, 24, **options)
