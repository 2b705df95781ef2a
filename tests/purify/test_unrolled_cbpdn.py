"""The unrolled solver: exact gradients, the same minimum as the solver it stands for, and nothing hidden."""

import sys

import pytest
import torch

from blindspots.purify import cbpdn, synthesize_codes, tikhonov_split, unrolled_cbpdn


def unit_filters(draw, m, c, h, w, dtype=torch.float64):
    filters = draw(m, c, h, w, seed=11) - 0.5
    return (filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).to(dtype)


@pytest.fixture
def details(photograph):
    """Return two high-pass photographs (2, 3, 24, 24) and filters (9, 3, 5, 5) cut from them."""
    cut = tikhonov_split(torch.cat([photograph(40, name=name) for name in ("astronaut", "coffee", "chelsea")]))[1]
    filters = torch.cat([cut[:, :, 4 : 4 + 5, at : at + 5] for at in (3, 15, 27)])
    images = torch.cat([photograph(24, name=name) for name in ("astronaut", "coffee")])
    return tikhonov_split(images)[1], filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


@pytest.mark.parametrize(("channels", "n_filters", "filter_channels"), [(2, 3, 2), (2, 4, 2), (2, 3, 1), (1, 2, 1)])
@pytest.mark.parametrize("iterations", [1, 8])
def test_the_gradient_is_that_of_finite_differences(draw, channels, n_filters, filter_channels, iterations):
    dictionary = unit_filters(draw, n_filters, filter_channels, 3, 2)
    signals = (draw(2, channels, 6, 5) - 0.5).requires_grad_(True)
    codes = unrolled_cbpdn(signals, dictionary, 0.05, iterations=iterations)
    assert 0 < (codes != 0).double().mean() < 1  # both sides of the threshold are taken
    torch.autograd.gradcheck(lambda s: unrolled_cbpdn(s, dictionary, 0.05, iterations=iterations), (signals,))


def test_the_gradient_of_the_reconstruction_is_that_of_finite_differences(draw):
    dictionary = unit_filters(draw, 4, 3, 3, 3)
    signals = (draw(1, 3, 6, 6) - 0.5).requires_grad_(True)
    torch.autograd.gradcheck(
        lambda s: synthesize_codes(unrolled_cbpdn(s, dictionary, 0.05, iterations=20), dictionary), (signals,)
    )


def test_one_pixel_filters_shrink_with_slope_one_or_zero(draw):
    # Soft thresholding, whose derivative is known: 1 where the signal exceeds lmbda and 0 elsewhere.
    signals = (draw(2, 1, 6, 7) - 0.5).requires_grad_(True)
    codes = unrolled_cbpdn(signals, torch.ones(1, 1, 1, 1, dtype=torch.float64), 0.2, iterations=300, rho=1.0)
    expected = signals.sign() * (signals.abs() - 0.2).clamp_min(0)
    torch.testing.assert_close(codes, expected, atol=1e-9, rtol=0)
    (slopes,) = torch.autograd.grad(codes.sum(), signals)
    torch.testing.assert_close(slopes, (signals.abs() > 0.2).double(), atol=1e-9, rtol=0)


@pytest.mark.parametrize("lmbda", [0.05, 0.2])
def test_it_comes_to_the_minimum_of_the_solver_it_stands_for(details, lmbda):
    signals, dictionary = details
    found = unrolled_cbpdn(signals, dictionary, lmbda)
    misfit = (synthesize_codes(found, dictionary) - signals).square().sum((1, 2, 3))
    objective = misfit / 2 + lmbda * found.abs().sum((1, 2, 3))
    least = cbpdn(signals, dictionary, lmbda, tolerance=1e-8, max_iterations=20000)
    assert least.converged.all()
    assert (objective <= 1.001 * least.objective).all() and (objective >= (1 - 1e-6) * least.objective).all()


def test_the_path_depends_on_rho_and_iterations_and_the_end_does_not(details):
    signals, dictionary = details
    base = unrolled_cbpdn(signals, dictionary, 0.05, iterations=20)
    assert not torch.equal(unrolled_cbpdn(signals, dictionary, 0.05, iterations=21), base)
    assert not torch.equal(unrolled_cbpdn(signals, dictionary, 0.05, iterations=20, rho=8.0), base)
    ends = [unrolled_cbpdn(signals, dictionary, 0.05, iterations=4000, rho=rho) for rho in (2.0, 8.0)]
    torch.testing.assert_close(*(synthesize_codes(end, dictionary) for end in ends), atol=1e-6, rtol=0)


def test_channels_coded_alone_are_signals_of_one_channel(draw):
    signals, dictionary = draw(2, 3, 6, 7) - 0.5, unit_filters(draw, 3, 1, 3, 3)
    together = unrolled_cbpdn(signals, dictionary, 0.05, iterations=9)
    assert together.shape == (2, 3, 3, 6, 7)
    for channel in range(3):
        alone = unrolled_cbpdn(signals[:, channel : channel + 1], dictionary, 0.05, iterations=9)
        torch.testing.assert_close(together[:, channel], alone)


def test_a_signal_alone_is_the_same_signal_in_a_batch(details):
    signals, dictionary = details
    leaf = signals.clone().requires_grad_(True)
    codes = unrolled_cbpdn(leaf, dictionary, 0.05, iterations=9)
    (gradient,) = torch.autograd.grad(codes.square().sum(), leaf)
    for index in range(len(signals)):
        one = signals[index : index + 1].clone().requires_grad_(True)
        alone = unrolled_cbpdn(one, dictionary, 0.05, iterations=9)
        torch.testing.assert_close(codes[index : index + 1], alone)
        torch.testing.assert_close(gradient[index : index + 1], torch.autograd.grad(alone.square().sum(), one)[0])


def test_the_size_of_a_chunk_does_not_matter(details, monkeypatch):
    signals, dictionary = details
    leaf = signals.clone().requires_grad_(True)
    found = []
    for values in (1, 1 << 24):
        monkeypatch.setattr(sys.modules["blindspots.purify.unrolled_cbpdn"], "_CHUNK_VALUES", values)
        codes = unrolled_cbpdn(leaf, dictionary, 0.05, iterations=9)
        found.append((codes, *torch.autograd.grad(codes.square().sum(), leaf)))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_and_inputs_are_kept(details, dtype):
    signals, dictionary = (part.to(dtype) for part in details)
    before = signals.clone(), dictionary.clone()
    leaf = signals.requires_grad_(True)
    codes = unrolled_cbpdn(leaf, dictionary, 0.05, iterations=5)
    assert codes.dtype == dtype
    (gradient,) = torch.autograd.grad(codes.sum(), leaf)
    assert gradient.dtype == dtype and torch.isfinite(gradient).all()
    assert torch.equal(signals, before[0]) and torch.equal(dictionary, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(lmbda=0), "lmbda: expected a finite number > 0"),
        (dict(rho=0), "rho: expected a finite number > 0"),
        (dict(iterations=0), "iterations: expected a finite number >= 1"),
        (dict(dictionary=torch.ones(2, 2, 3, 3)), "dictionary: expected filters of 1 or 3 channels"),
        (dict(dictionary=torch.ones(2, 3, 3, 3, requires_grad=True)), "dictionary: expected a constant"),
        (dict(signals=torch.full((1, 3, 8, 8), float("nan"))), "signals: expected finite values"),
    ],
)
def test_bad_arguments_are_named(change, message):
    call = dict(signals=torch.ones(1, 3, 8, 8), dictionary=torch.ones(2, 3, 3, 3), lmbda=0.1) | change
    with pytest.raises(ValueError, match=message):
        unrolled_cbpdn(call.pop("signals"), call.pop("dictionary"), call.pop("lmbda"), **call)
