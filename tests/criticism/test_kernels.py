"""Rows and column means against the whole matrix, which is small enough here to be written down."""

import pytest
import torch

from blindspots.criticism import kernels, median_bandwidth
from blindspots.criticism.kernels import GaussianKernel, GramKernel, first_of_the_best, row_kernel


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gaussian(features, bandwidth):
    differences = features[:, None] - features[None]
    return torch.exp(-differences.square().sum(-1) / (2 * bandwidth**2))


@pytest.mark.parametrize("n", [1, 7, 40])
def test_rows_and_means_are_those_of_the_matrix(n, monkeypatch):
    monkeypatch.setattr(kernels, "_BLOCK", 16)
    features = draw(n, 3) + 1000.0
    kernel, matrix = GaussianKernel(features, 1.7), gaussian(features, 1.7)
    indices = torch.tensor([n - 1, 0])
    torch.testing.assert_close(kernel.rows(indices), matrix[indices], rtol=0, atol=1e-12)
    torch.testing.assert_close(kernel.column_means(), matrix.mean(0), rtol=0, atol=1e-12)
    assert torch.equal(kernel.diagonal, torch.ones(n, dtype=torch.float64))


def test_the_size_of_a_block_does_not_matter(monkeypatch):
    features = draw(50, 4)
    whole = GaussianKernel(features, 2).column_means()
    monkeypatch.setattr(kernels, "_BLOCK", 7)
    torch.testing.assert_close(GaussianKernel(features, 2).column_means(), whole, rtol=0, atol=1e-14)


def test_single_precision_features_are_taken_in_double():
    features = draw(20, 3).float()
    kernel = GaussianKernel(features, 1.0)
    assert kernel.column_means().dtype == torch.float64 == kernel.rows(torch.tensor([0])).dtype
    torch.testing.assert_close(kernel.column_means(), gaussian(features.double(), 1.0).mean(0), rtol=0, atol=1e-14)


def test_scikit_learn_has_the_same_kernel_with_its_gamma():
    pairwise = pytest.importorskip("sklearn.metrics.pairwise")
    features = draw(30, 5)
    expected = torch.tensor(pairwise.rbf_kernel(features.numpy(), gamma=1 / (2 * 1.3**2)))
    torch.testing.assert_close(GaussianKernel(features, 1.3).rows(torch.arange(30)), expected, rtol=0, atol=1e-13)


def test_the_median_of_a_line_is_known():
    # Distances on 0, 1, 2, 3: 1, 1, 1, 2, 2, 3; the lower median is 1. Adding 10 adds 7, 8, 9, 10.
    assert median_bandwidth(torch.tensor([[0.0], [1.0], [2.0], [3.0]])) == 1.0
    assert median_bandwidth(torch.tensor([[0.0], [1.0], [2.0], [3.0], [10.0]])) == 2.0
    assert GaussianKernel(torch.tensor([[0.0], [1.0], [2.0], [3.0]]), None).bandwidth == 1.0


def test_of_many_examples_evenly_spaced_ones_decide():
    features = draw(1000, 6)
    assert median_bandwidth(features, max_examples=50) == median_bandwidth(features[::20])
    assert median_bandwidth(features, max_examples=50) == pytest.approx(median_bandwidth(features), rel=0.05)
    assert median_bandwidth(features, max_examples=1000) != median_bandwidth(features, max_examples=50)


def test_a_given_matrix_is_read_as_it_is():
    matrix = draw(6, 6)
    matrix = matrix @ matrix.T
    kernel = row_kernel(matrix, None, "precomputed")
    assert torch.equal(kernel.rows(torch.tensor([4, 1])), matrix[[4, 1]]) and kernel.bandwidth is None
    assert torch.equal(kernel.column_means(), matrix.mean(0)) and torch.equal(kernel.diagonal, matrix.diagonal())


def test_equal_scores_up_to_rounding_go_to_the_first():
    assert first_of_the_best(torch.tensor([0.0, 1.0, 1.0 + 1e-15, 0.5], dtype=torch.float64)) == 1
    assert first_of_the_best(torch.tensor([0.0, 1.0, 1.0 + 1e-9, 0.5], dtype=torch.float64)) == 2
    assert first_of_the_best(torch.tensor([float("-inf"), -3.0, -2.0], dtype=torch.float64)) == 2
    assert first_of_the_best(torch.full((3,), float("-inf"), dtype=torch.float64)) == 0


@pytest.mark.parametrize(
    ("features", "bandwidth", "error", "message"),
    [
        (torch.zeros(3), 1.0, ValueError, r"features: expected shape \(N, D\)"),
        (torch.zeros(0, 3), 1.0, ValueError, r"features: expected shape \(N, D\) with N, D >= 1"),
        (torch.zeros(3, 2).long(), 1.0, TypeError, "features: expected a float tensor"),
        (torch.tensor([[float("nan")], [1.0]]), 1.0, ValueError, "features: expected finite values"),
        (torch.ones(3, 2), None, ValueError, "features: expected fewer than half .* median distance of 0; give a band"),
        (torch.ones(1, 2), None, ValueError, "features: expected at least 2 examples .* got 1; give a bandwidth"),
        (draw(3, 2), 0.0, ValueError, "bandwidth: expected a finite number > 0, got 0.0"),
        (draw(3, 2), -1, ValueError, "bandwidth: expected a finite number > 0, got -1"),
        (draw(3, 2), 1e-5, ValueError, "bandwidth: expected a length on the scale of the features, got 1e-05, less th"),
        (draw(3, 2), 1e-200, ValueError, "bandwidth: expected a length on the scale of the features, got 1e-200"),
    ],
)
def test_bad_features_and_widths_are_named(features, bandwidth, error, message):
    with pytest.raises(error, match=message):
        row_kernel(features, bandwidth, "rbf")


@pytest.mark.parametrize(
    ("matrix", "bandwidth", "kernel", "message"),
    [
        (draw(3, 2), None, "precomputed", r"features: expected the kernel's matrix \(N, N\)"),
        (torch.tensor([[1.0, 0.5], [0.2, 1.0]]), None, "precomputed", "features: expected a symmetric kernel matrix"),
        (torch.tensor([[1.0, 0.0], [0.0, 0.0]]), None, "precomputed", "with a diagonal > 0"),
        (torch.eye(2), 1.0, "precomputed", "bandwidth: expected None with kernel='precomputed', got 1.0"),
        (torch.eye(2), None, "laplace", "kernel: expected one of rbf, precomputed; got 'laplace'"),
    ],
)
def test_bad_matrices_are_named(matrix, bandwidth, kernel, message):
    with pytest.raises(ValueError, match=message):
        row_kernel(matrix, bandwidth, kernel)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_means():
    features = draw(700, 5)
    there = GaussianKernel(features.cuda(), 1.0).column_means()
    torch.testing.assert_close(there.cpu(), GaussianKernel(features, 1.0).column_means(), rtol=0, atol=1e-13)
    assert GramKernel(torch.eye(3).cuda()).column_means().is_cuda
