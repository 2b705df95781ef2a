"""Every pick from rough means is the pick from exact ones, whatever the rough ones are within their bound."""

import pytest
import torch

from blindspots.criticism import kernels, select_criticisms, select_prototypes
from blindspots.criticism.kernels import GaussianKernel
from blindspots.criticism.settled_means import SettledMeans


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def everything_is_many(monkeypatch):
    monkeypatch.setattr(kernels, "_MANY", 2)
    monkeypatch.setattr(kernels, "_BLOCK", 64)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("error", [1e-3, 1e-6])
def test_the_worst_errors_within_the_bound_change_no_pick(seed, error):
    kernel = GaussianKernel(draw(100, 3, seed=seed), 1.0)
    exact = kernel.column_means()
    off = exact + error * draw(100, seed=seed + 50).sign()
    rough, sure = SettledMeans(kernel, off, error), SettledMeans(kernel, exact, 0.0)
    near = draw(100, seed=seed + 99).abs() * 1e-2
    for _ in range(20):
        picks = [means.pick(lambda values, at: 2 * values - near[at], 2.0) for means in (rough, sure)]
        assert picks[0][0] == picks[1][0] and picks[0][1] == pytest.approx(picks[1][1].item(), abs=1e-15)
        torch.testing.assert_close(rough.row(picks[0][0]), kernel.rows(picks[0][0][None])[0], rtol=0, atol=1e-15)
        near[picks[0][0]] += 1.0
    assert error == 1e-6 or not torch.equal(off.argsort(), exact.argsort())


def test_few_means_are_made_exact_and_the_others_stay_within_the_bound():
    kernel = GaussianKernel(draw(200, 3), 1.0)
    exact = kernel.column_means()
    means = SettledMeans(kernel, exact + 1e-6, 1e-6)
    for _ in range(5):
        means.pick(lambda values, at: values, 1.0)
    assert 1 <= means.exact.sum() < 10
    torch.testing.assert_close(means.values[means.exact], exact[means.exact], rtol=0, atol=1e-15)
    assert (means.values - exact).abs().max() <= 1.001e-6 == pytest.approx(means.error * 1.001)


def test_where_too_many_are_in_doubt_all_are_taken_again():
    kernel = GaussianKernel(torch.ones(40, 2, dtype=torch.float64).cumsum(0) * 50, 1.0)
    means = SettledMeans(kernel, kernel.column_means() + 1e-6, 1e-6)
    index, score = means.pick(lambda values, at: values, 1.0)
    # All examples are alone and have the same mean, 1 / 40: the first is picked.
    assert index == 0 and score == 1 / 40 and means.error == 0.0 and means.exact.all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dimensions", [2, 20])
def test_selections_from_single_precision_are_those_of_double(seed, dimensions, everything_is_many, monkeypatch):
    features = draw(300, dimensions, seed=seed)
    rough = select_prototypes(features, 40)
    criticisms = {r: select_criticisms(features, rough, 40, regularizer=r) for r in ("logdet", "none", "iterative")}
    given = select_criticisms(features, rough.indices, 40, bandwidth=rough.bandwidth)
    assert 0 < rough.column_means_error < 1e-4
    monkeypatch.setattr(kernels, "_MANY", 10**9)
    exact = select_prototypes(features, 40)
    assert exact.column_means_error == 0.0
    assert torch.equal(rough.indices, exact.indices) and torch.equal(given.indices, criticisms["logdet"].indices)
    torch.testing.assert_close(rough.objective, exact.objective, rtol=0, atol=1e-14)
    off = (rough.column_means - exact.column_means).abs().max()
    assert 1e-12 < off < rough.column_means_error / 10
    for regularizer, found in criticisms.items():
        assert torch.equal(found.indices, select_criticisms(features, exact, 40, regularizer=regularizer).indices)


def test_single_precision_would_pick_others(everything_is_many):
    # Pairs mirrored at the origin have equal means: what decides between them is the order, and, if rough, rounding.
    half = draw(60, 3)
    features = torch.cat([half, -half])
    kernel = GaussianKernel(features, 1.0)
    rough, _ = kernel.rough_column_means()
    exact = kernel.column_means()
    assert (rough[:60] > rough[60:]).sum() not in (0, 60)
    torch.testing.assert_close(exact[:60], exact[60:], rtol=0, atol=1e-14)
    assert select_prototypes(features, 1, bandwidth=1.0).indices.item() == exact[:60].argmax().item()


def test_a_bound_that_is_too_loose_is_not_used(everything_is_many):
    features = draw(300, 2)
    assert GaussianKernel(features, 1.0).rough_column_means()[1] > 0
    # One example 2,000 widths away: half its squared distance is 2,000,000, of which float32 knows a tenth.
    features[0] += 2000.0
    rough, error = GaussianKernel(features, 1.0).rough_column_means()
    assert error == 0.0 and torch.equal(rough, GaussianKernel(features, 1.0).column_means())


def test_fewer_digits_for_matrix_products_are_not_trusted(everything_is_many):
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        assert GaussianKernel(draw(300, 2), 1.0).rough_column_means()[1] == 0.0
    finally:
        torch.set_float32_matmul_precision(before)
