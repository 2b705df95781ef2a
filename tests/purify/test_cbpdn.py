"""Convolutional sparse coding: soft thresholding as the exact case, the optimality conditions, and sporco."""

import sys

import numpy as np
import pytest
import torch

from blindspots.data.planted import planted_signals, synthesize
from blindspots.purify import cbpdn, tikhonov_split


def unit_filters(draw, m, c, h, w, dtype=torch.float64):
    filters = draw(m, c, h, w, seed=11) - 0.5
    return (filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).to(dtype)


def objective(codes, signals, dictionary, lmbda):
    if codes.ndim == 5:
        rebuilt = torch.stack([synthesize(codes[:, c], dictionary) for c in range(codes.shape[1])], dim=1)[:, :, 0]
    else:
        rebuilt = synthesize(codes, dictionary)
    misfit = (rebuilt.double() - signals.double()).square().flatten(1).sum(1)
    return misfit / 2 + lmbda * codes.double().abs().flatten(1).sum(1)


@pytest.fixture
def details(photograph):
    """Return four high-pass photographs (4, 3, 24, 24) of different contrast and filters (9, 3, 5, 5)."""
    images = torch.cat([photograph(24, name=name) for name in ("astronaut", "coffee", "chelsea")])
    images = torch.cat([images, 0.3 * images[:1]])
    cut = tikhonov_split(torch.cat([photograph(40, name=name) for name in ("astronaut", "coffee", "chelsea")]))[1]
    filters = torch.cat([cut[:, :, 4 : 4 + 5, at : at + 5] for at in (3, 15, 27)])
    return tikhonov_split(images)[1], filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


@pytest.mark.parametrize("lmbda", [0.05, 0.3])
def test_a_filter_of_one_pixel_soft_thresholds(draw, lmbda):
    signals, one = draw(2, 1, 6, 7) - 0.5, torch.ones(1, 1, 1, 1, dtype=torch.float64)
    fit = cbpdn(signals, one, lmbda, tolerance=1e-9, max_iterations=2000)
    assert fit.converged.all()
    expected = signals.sign() * (signals.abs() - lmbda).clamp_min(0)
    torch.testing.assert_close(fit.codes, expected, atol=1e-7, rtol=0)


def test_one_coefficient_shrinks_by_lmbda(draw):
    # A single shifted filter of unit norm: the coefficient a becomes a - lmbda where nothing correlates with it.
    dictionary = torch.zeros(2, 1, 2, 2, dtype=torch.float64)
    dictionary[0, 0, 0, 0], dictionary[1, 0] = 1.0, 0.5
    codes = torch.zeros(1, 2, 8, 8, dtype=torch.float64)
    codes[0, 1, 2, 3] = 3.0
    fit = cbpdn(synthesize(codes, dictionary), dictionary, 0.5, tolerance=1e-9, max_iterations=3000)
    codes[0, 1, 2, 3] = 2.5
    torch.testing.assert_close(fit.codes, codes, atol=1e-6, rtol=0)
    assert fit.objective.item() == pytest.approx(0.5 * 0.5**2 + 0.5 * 2.5)


def test_codes_are_zero_exactly_from_the_largest_correlation_on(draw):
    signals, dictionary = draw(1, 2, 8, 8) - 0.5, unit_filters(draw, 3, 2, 3, 3)
    spectrum = torch.einsum("mchw,nchw->nmhw", torch.fft.fft2(dictionary, s=(8, 8)).conj(), torch.fft.fft2(signals))
    largest = torch.fft.ifft2(spectrum).real.abs().max().item()
    above = cbpdn(signals, dictionary, 1.0001 * largest)
    assert not above.codes.any() and above.converged.all() and above.iterations.item() == 0
    assert above.objective.item() == pytest.approx(0.5 * signals.square().sum().item())
    assert cbpdn(signals, dictionary, 0.99 * largest, tolerance=1e-5, max_iterations=2000).codes.any()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_solution_meets_the_optimality_conditions(draw, channels):
    signals, dictionary, lmbda = draw(2, channels, 9, 8) - 0.5, unit_filters(draw, 5, channels, 3, 4), 0.3
    fit = cbpdn(signals, dictionary, lmbda, tolerance=1e-9, max_iterations=5000)
    assert fit.converged.all()
    residual = torch.fft.fft2(signals - fit.synthesize())
    filters = torch.fft.fft2(dictionary, s=(9, 8)).conj()
    pull = torch.fft.ifft2(torch.einsum("mchw,nchw->nmhw", filters, residual)).real
    assert (pull.abs() <= lmbda + 1e-6).all()
    used = fit.codes != 0
    assert used.any()
    torch.testing.assert_close(pull[used], lmbda * fit.codes[used].sign(), atol=1e-6, rtol=0)


def test_planted_codes_are_found():
    planted = planted_signals(3, seed=0, size=24, density=0.003)
    fit = cbpdn(planted.signals, planted.dictionary, 0.01, tolerance=1e-4, max_iterations=2000)
    big = fit.codes.abs() > 0.2
    truth = planted.codes != 0
    assert (big & truth).sum() >= 0.9 * truth.sum() and (big & truth).sum() >= 0.9 * big.sum()
    assert (fit.synthesize() - planted.signals).norm() < 0.05 * planted.signals.norm()


@pytest.mark.parametrize("lmbda", [0.02, 0.2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_objective_is_within_a_thousandth_of_sporcos_on_every_image(details, lmbda, dtype):
    solver = pytest.importorskip("sporco.admm.cbpdn")
    signals, dictionary = (part.to(dtype) for part in details)
    fit = cbpdn(signals, dictionary, lmbda)
    options = solver.ConvBPDN.Options({"Verbose": False, "MaxMainIter": 200, "RelStopTol": 5e-3, "AuxVarObj": False})
    for index in range(4):
        theirs = solver.ConvBPDN(
            dictionary.permute(2, 3, 1, 0).numpy(), signals[index].permute(1, 2, 0).numpy(), lmbda, options, dimK=0
        ).solve()
        theirs = torch.tensor(np.array(theirs[:, :, 0, 0])).permute(2, 0, 1)[None]
        reference = objective(theirs, signals[index : index + 1], dictionary, lmbda)
        assert (objective(fit.codes[index : index + 1], signals[index : index + 1], dictionary, lmbda)
                <= 1.001 * reference).all()  # fmt: skip


def test_both_come_to_the_same_codes_when_solved_further(details):
    solver = pytest.importorskip("sporco.admm.cbpdn")
    signals, dictionary = details
    fit = cbpdn(signals[:1], dictionary, 0.1, tolerance=1e-7, max_iterations=5000)
    options = solver.ConvBPDN.Options({"Verbose": False, "MaxMainIter": 3000, "RelStopTol": 1e-7, "AuxVarObj": False})
    theirs = solver.ConvBPDN(
        dictionary.permute(2, 3, 1, 0).numpy(), signals[0].permute(1, 2, 0).numpy(), 0.1, options, dimK=0
    ).solve()
    np.testing.assert_allclose(fit.codes[0].numpy(), np.moveaxis(theirs[:, :, 0, 0], 2, 0), atol=1e-4)


def test_filters_of_one_channel_code_each_channel_alone(details):
    signals, dictionary = details[0], details[1].mean(1, keepdim=True)
    fit = cbpdn(signals, dictionary, 0.05)
    assert fit.codes.shape == (4, 3, 9, 24, 24) and fit.objective.shape == (4,)
    apart = [cbpdn(signals[:, c : c + 1], dictionary, 0.05) for c in range(3)]
    torch.testing.assert_close(fit.codes, torch.stack([one.codes for one in apart], dim=1))
    torch.testing.assert_close(fit.objective, sum(one.objective for one in apart))
    assert torch.equal(fit.iterations, torch.stack([one.iterations for one in apart]).amax(0))
    torch.testing.assert_close(fit.synthesize(), torch.cat([one.synthesize() for one in apart], dim=1))


def test_objective_and_synthesis_are_those_of_the_codes(details):
    signals, dictionary = details
    fit = cbpdn(signals, dictionary, 0.05)
    torch.testing.assert_close(fit.objective, objective(fit.codes, signals, dictionary, 0.05))
    torch.testing.assert_close(fit.synthesize(), synthesize(fit.codes, dictionary))
    assert fit.converged.all()
    assert (fit.primal_residual <= 5e-3).all() and (fit.dual_residual <= 5e-3).all()


def test_a_signal_alone_is_the_same_signal_in_a_batch(details):
    signals, dictionary = details
    signals = torch.cat([signals, torch.zeros_like(signals[:1]), 1e-3 * signals[:1]])
    together = cbpdn(signals, dictionary, 0.05, tolerance=1e-4)
    assert len(set(together.iterations.tolist())) > 2
    for index in range(len(signals)):
        alone = cbpdn(signals[index : index + 1], dictionary, 0.05, tolerance=1e-4)
        torch.testing.assert_close(alone.codes[0], together.codes[index], atol=1e-10, rtol=0)
        assert alone.iterations.item() == together.iterations[index]
    assert not together.codes[4:].any() and together.converged[4:].all()


def test_the_size_of_a_chunk_does_not_matter(details, monkeypatch):
    signals, dictionary = details
    whole = cbpdn(signals, dictionary, 0.05)
    for values in (1, 1 << 24):
        monkeypatch.setattr(sys.modules["blindspots.purify.cbpdn"], "chunk_values", lambda device, n=values: n)
        torch.testing.assert_close(cbpdn(signals, dictionary, 0.05).codes, whole.codes, atol=1e-10, rtol=0)


def test_a_warm_start_shortens_the_way_and_not_the_answer(details):
    signals, dictionary = details
    cold = cbpdn(signals, dictionary, 0.05, tolerance=1e-5, max_iterations=3000)
    warm = cbpdn(signals, dictionary, 0.05, tolerance=1e-5, max_iterations=3000, initial=cold.codes)
    # The dual variable is rebuilt from the optimality conditions, so a solution is recognized at the first check.
    assert warm.converged.all() and (warm.iterations == 10).all() and (cold.iterations > 10).all()
    torch.testing.assert_close(warm.objective, cold.objective, rtol=1e-5, atol=0)


def test_every_option_changes_the_result(details):
    signals, dictionary = details
    base = cbpdn(signals, dictionary, 0.05).codes
    for options in (dict(tolerance=1e-4), dict(max_iterations=3), dict(initial=torch.ones_like(base))):
        assert not torch.equal(cbpdn(signals, dictionary, 0.05, **options).codes, base), options
    assert (cbpdn(signals, dictionary, 0.1).codes != 0).sum() < (base != 0).sum()


def written_out(signals, dictionary, lmbda, iterations):
    """Return y after over-relaxed iterations with one rho, by a dense solve at each frequency."""
    sides, rho = signals.shape[-2:], 50 * lmbda + 1
    filters = torch.fft.fft2(dictionary, s=sides).permute(2, 3, 1, 0)
    pull = filters.mH @ torch.fft.fft2(signals).permute(0, 2, 3, 1)[..., None]
    system = filters.mH @ filters + rho * torch.eye(len(dictionary), dtype=filters.dtype)

    def maps(spectrum):
        return torch.fft.ifft2(spectrum[..., 0].permute(0, 3, 1, 2)).real

    u = (maps(pull) / lmbda).clamp(-1, 1) * lmbda / rho
    y = torch.zeros_like(u)
    for _ in range(iterations):
        right = pull + rho * torch.fft.fft2(y - u).permute(0, 2, 3, 1)[..., None]
        relaxed = 1.8 * maps(torch.linalg.solve(system, right)) - 0.8 * y + u
        y = relaxed.sign() * (relaxed.abs() - lmbda / rho).clamp_min(0)
        u = relaxed - y
    return y


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-13), (torch.float32, 1e-6)])
@pytest.mark.parametrize("iterations", [1, 2, 9])
def test_iterations_are_those_of_the_method_written_out(details, iterations, dtype, atol):
    # Before the tenth iteration rho is what it was; codes are of order 1, the tolerance a few roundings of that.
    signals, dictionary = details
    fit = cbpdn(signals.to(dtype), dictionary.to(dtype), 0.05, max_iterations=iterations)
    expected = written_out(signals, dictionary, 0.05, iterations)
    assert expected.any()
    torch.testing.assert_close(fit.codes.double(), expected, atol=atol, rtol=0)


def test_too_few_iterations_are_reported(details):
    fit = cbpdn(*details, 0.05, max_iterations=7)
    assert (fit.iterations == 7).all() and not fit.converged.any()


def test_signs_and_scale_carry_over(details):
    signals, dictionary = details
    fit = cbpdn(signals, dictionary, 0.05)
    torch.testing.assert_close(cbpdn(-signals, dictionary, 0.05).codes, -fit.codes)
    # Another scale of signals and lmbda is another path to the same minimum.
    one = cbpdn(signals, dictionary, 0.05, tolerance=1e-6, max_iterations=5000).codes
    ten = cbpdn(10 * signals, dictionary, 0.5, tolerance=1e-6, max_iterations=5000).codes
    torch.testing.assert_close(ten / 10, one, atol=1e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_dtype_and_inputs_are_kept(details, dtype):
    signals, dictionary = (part.to(dtype) for part in details)
    before = signals.clone(), dictionary.clone()
    fit = cbpdn(signals.requires_grad_(True), dictionary, 0.05, max_iterations=30)
    assert fit.codes.dtype == fit.objective.dtype == fit.synthesize().dtype == dtype
    assert not fit.codes.requires_grad
    assert torch.equal(signals, before[0]) and torch.equal(dictionary, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(lmbda=0), "lmbda: expected a finite number > 0"),
        (dict(tolerance=0), "tolerance: expected a finite number > 0"),
        (dict(max_iterations=0), "max_iterations: expected a finite number >= 1"),
        (dict(dictionary=torch.ones(2, 2, 3, 3)), "dictionary: expected filters of 1 or 3 channels"),
        (dict(dictionary=torch.ones(2, 3, 9, 3)), r"dictionary: expected filters no larger than the signals \(8, 8\)"),
        (dict(dictionary=torch.ones(2, 3, 3, 3).double()), "dictionary: expected the dtype and device of signals"),
        (dict(signals=torch.full((1, 3, 8, 8), float("nan"))), "signals: expected finite values"),
        (dict(initial=torch.zeros(1, 3, 8, 8)), r"initial: expected codes \(1, 2, 8, 8\)"),
    ],
)
def test_bad_arguments_are_named(change, message):
    call = dict(signals=torch.ones(1, 3, 8, 8), dictionary=torch.ones(2, 3, 3, 3), lmbda=0.1) | change
    with pytest.raises(ValueError, match=message):
        cbpdn(call.pop("signals"), call.pop("dictionary"), call.pop("lmbda"), **call)
