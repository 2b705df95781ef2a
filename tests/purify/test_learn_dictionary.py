"""Dictionary learning: planted filters are found, and unseen photographs are coded as well as over sporco's."""

import numpy as np
import pytest
import torch

from blindspots.data.planted import planted_signals
from blindspots.purify import cbpdn, learn_dictionary, tikhonov_split
from blindspots.seeding import generator


def likeness_matrix(found, planted):
    """Return the largest correlation, over shifts and signs, of each found filter (row) with each planted one."""
    sides = [2 * side for side in found.shape[-2:]]
    ours, theirs = (torch.fft.rfft2(filters.double(), s=sides) for filters in (found, planted))
    return torch.fft.irfft2(torch.einsum("mchw,pchw->mphw", ours, theirs.conj()), s=sides).abs().flatten(2).amax(2)


def likeness(found, planted):
    """Return for each planted filter the largest correlation with a found one."""
    return likeness_matrix(found, planted).amax(0)


def sporcos(learners, signals, start, lmbda, method, settings):
    """Return the dictionary of sporco's batch learner, of unit norm, after 200 iterations."""
    options = {"Verbose": False, "MaxMainIter": 200, "CBPDN": {"rho": 50 * lmbda + 0.5}, "CCMOD": settings}
    options = learners.ConvBPDNDictLearn.Options(options, dmethod=method)
    arrays = (part.to(signals).permute(2, 3, 1, 0).numpy() for part in (start, signals))
    learner = learners.ConvBPDNDictLearn(*arrays, lmbda, options, dmethod=method)
    learner.solve()
    found = learner.getdict().reshape(*start.shape[2:], *start.shape[1::-1])
    found = torch.tensor(np.ascontiguousarray(found)).permute(3, 2, 0, 1)
    return found / found.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def unseen(dictionary, signals, lmbda):
    fit = cbpdn(signals, dictionary.to(signals), lmbda, tolerance=1e-3, max_iterations=1000)
    assert fit.converged.all()
    return fit.objective.double().mean().item()


@pytest.fixture
def pieces(photograph):
    """Return high-pass pieces (8, 3, 20, 20) to learn from and (4, 3, 20, 20) to try them on."""
    names = ("astronaut", "coffee", "chelsea")
    photographs = torch.cat([photograph(60, name=name) for name in names])
    cut = photographs.unfold(2, 20, 20).unfold(3, 20, 20).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
    high = tikhonov_split(cut)[1]
    return high[::3][:8], high[1::6][:4]


@pytest.fixture
def learn(pieces):
    def run(**options):
        call = dict(generator=generator(0), max_iterations=15, tolerance=0.0) | options
        signals = call.pop("signals", pieces[0])
        shape = call.pop("n_filters", 6), call.pop("filter_size", 5), call.pop("lmbda", 0.05)
        return learn_dictionary(signals, *shape, **call)

    return run


def noise(seed, shape):
    filters = torch.randn(shape, generator=generator(seed), dtype=torch.float64)
    return filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def planted_problem(channels):
    """Return signals to learn from, their eight filters of 7x7, and other signals made of the same filters."""
    planted = planted_signals(32, seed=1, size=24, channels=channels, density=0.003)
    others = planted_signals(16, seed=2, size=24, density=0.003, dictionary=planted.dictionary)
    return planted.signals, planted.dictionary, others.signals


@pytest.mark.parametrize(("batch_size", "channels"), [(32, 1), (16, 3)])
def test_a_planted_dictionary_is_recovered(channels, batch_size):
    # Four filters and two pixels to spare: the problem is not convex, and a start in a bad place can be a dead end.
    signals, planted, others = planted_problem(channels)
    # A hundred alternations for each signal.
    options = dict(generator=generator(1), max_iterations=3200 // batch_size, tolerance=5e-3, batch_size=batch_size)
    found = learn_dictionary(signals, 12, 9, 0.05, **options).dictionary
    # Most of a filter's energy is one planted filter's, and each planted one has its own. By chance that is far away:
    # none of thirty random dictionaries has a filter that comes there, the start of the learning among them.
    majority = 0.5**0.5
    scores = likeness_matrix(found, planted)
    assert (scores.amax(0) > majority).all() and len(scores.argmax(0).unique()) == len(planted)
    assert max(likeness(noise(seed, (12, channels, 9, 9)), planted).max().item() for seed in range(30)) < majority
    # On unseen signals at least nineteen parts in twenty of the way from a random dictionary to the planted one.
    learned, right, chance = (unseen(filters, others, 0.05) for filters in (found, planted, noise(1, found.shape)))
    assert learned - right < 0.05 * (chance - right)


@pytest.mark.parametrize("channels", [1, 3])
def test_planted_filters_stay_where_they_are(channels):
    # By the rule of Aharon et al. (2006), who count a filter as found where 1 - |<found, planted>| < 0.01.
    signals, planted, _ = planted_problem(channels)
    start = noise(5, (12, channels, 9, 9))
    start[: len(planted)] = 0
    start[: len(planted), :, 1:8, 1:8] = planted
    fit = learn_dictionary(signals, 12, 9, 0.05, generator=generator(1), initial=start, max_iterations=60)
    assert (1 - likeness(fit.dictionary, planted) < 0.01).all()


def test_planted_filters_are_found_as_well_as_by_sporcos_batch_learner():
    theirs = pytest.importorskip("sporco.dictlrn.cbpdndl")
    signals, planted, others = planted_problem(1)
    start = noise(1, (12, 1, 9, 9))
    fit = learn_dictionary(signals, 12, 9, 0.05, generator=generator(1), initial=start, max_iterations=200)
    for method, settings in (("cns", {"rho": 10.0}), ("pgm", {"L": 50.0})):
        found = sporcos(theirs, signals, start, 0.05, method, settings)
        assert likeness(fit.dictionary, planted).mean() >= likeness(found, planted).mean()
        assert unseen(fit.dictionary, others, 0.05) <= unseen(found, others, 0.05)


def test_unseen_images_are_coded_as_well_as_over_the_dictionary_of_sporcos_batch_learner(pieces):
    theirs = pytest.importorskip("sporco.dictlrn.cbpdndl")
    signals, others = pieces
    start = torch.randn(8, 3, 5, 5, generator=generator(3), dtype=torch.float64)
    scores = []
    # Both dictionary updates that it offers for many images, with the settings of its examples.
    for method, settings in (("cns", {"rho": 10.0}), ("pgm", {"L": 50.0}), ("pgm", {"L": 10.0})):
        found = sporcos(theirs, signals, start, 0.05, method, settings)
        scores.append(unseen(found, others, 0.05))
    fit = learn_dictionary(signals, 8, 5, 0.05, generator=generator(0), initial=start)
    assert unseen(fit.dictionary, others, 0.05) <= min(scores)


def test_the_objective_falls_and_learning_pays_on_unseen_images(learn, pieces):
    fit = learn(max_iterations=60)
    assert fit.iterations == 60 == len(fit.objectives)
    # The codes are warm, not solved: an alternation may climb a little, the way as a whole may not.
    assert (fit.objectives[5:] <= fit.objectives[:-5]).all()
    zero = 0.5 * pieces[1].square().flatten(1).sum(1).mean().item()
    noise = unseen(learn(max_iterations=1).dictionary, pieces[1], 0.05)
    assert unseen(fit.dictionary, pieces[1], 0.05) < noise < zero


def test_the_last_objective_is_that_of_nearly_solved_codes(learn, pieces):
    fit = learn(max_iterations=100)
    solved = unseen(fit.dictionary, pieces[0], 0.05)
    assert fit.objectives[-1].item() == pytest.approx(solved, rel=0.02)


def test_filters_have_unit_norm_shape_and_seed(learn):
    fit = learn(filter_size=(3, 5))
    assert fit.dictionary.shape == (6, 3, 3, 5)
    torch.testing.assert_close(fit.dictionary.flatten(1).norm(dim=1), torch.ones(6, dtype=torch.float64))
    assert torch.equal(learn(filter_size=(3, 5)).dictionary, fit.dictionary)
    assert not torch.equal(learn(filter_size=(3, 5), generator=generator(1)).dictionary, fit.dictionary)


def test_stopping_is_reported(learn):
    early, late = learn(max_iterations=7), learn(max_iterations=400, tolerance=0.05)
    assert early.iterations == 7 and not early.converged
    assert late.converged and late.change <= 0.05 and 7 < late.iterations < 400 and late.iterations % 5 == 0


@pytest.mark.parametrize("options", [dict(batch_size=3), dict(lmbda=0.1), dict(initial="eye"), dict(max_iterations=16)])
def test_every_option_changes_the_result(learn, options):
    if options.get("initial") == "eye":
        options = dict(initial=torch.eye(75, dtype=torch.float64)[:6].view(6, 3, 5, 5))
    assert not torch.equal(learn(**options).dictionary, learn().dictionary)


def test_a_start_from_the_result_stays_there(learn):
    first = learn(max_iterations=300, tolerance=1e-3)
    again = learn(initial=first.dictionary, max_iterations=5)
    assert first.converged and (again.dictionary - first.dictionary).norm() < 0.05 * first.dictionary.norm()


def test_channels_alone_are_signals_of_one_channel(learn, pieces):
    fit = learn(per_channel=True)
    apart = learn(signals=pieces[0].flatten(0, 1)[:, None])
    assert fit.dictionary.shape == (6, 1, 5, 5)
    assert torch.equal(fit.dictionary, apart.dictionary)
    assert cbpdn(pieces[1], fit.dictionary, 0.05).codes.shape == (4, 3, 6, 20, 20)


def test_one_signal_one_filter_and_filters_as_large_as_the_signal_are_enough(learn, pieces):
    fit = learn(signals=pieces[0][:1], n_filters=1, filter_size=20)
    assert fit.dictionary.shape == (1, 3, 20, 20) and fit.dictionary.isfinite().all()
    assert fit.objectives[-1] < fit.objectives[0]


def test_a_signal_of_zeros_among_others_does_no_harm(learn, pieces):
    fit = learn(signals=torch.cat([pieces[0], torch.zeros_like(pieces[0][:2])]))
    assert fit.dictionary.isfinite().all()
    torch.testing.assert_close(fit.objectives, 0.8 * learn().objectives, rtol=1e-6, atol=0)


def test_a_lmbda_too_large_for_any_code_leaves_the_start(learn):
    start = learn(lmbda=1e3, max_iterations=1)
    fit = learn(lmbda=1e3)
    torch.testing.assert_close(fit.dictionary, start.dictionary)
    assert fit.converged and fit.change == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_dtype_and_inputs_are_kept(learn, pieces, dtype):
    signals = pieces[0].to(dtype).requires_grad_(True)
    before = signals.detach().clone()
    fit = learn(signals=signals)
    assert fit.dictionary.dtype == fit.objectives.dtype == dtype and not fit.dictionary.requires_grad
    assert torch.equal(signals, before)
    # Half precision rounds the signals; the way through 15 alternations multiplies that.
    torch.testing.assert_close(fit.objectives.double(), learn().objectives, rtol=2e-2, atol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(lmbda=0), "lmbda: expected a finite number > 0"),
        (dict(n_filters=0), "n_filters: expected a finite number >= 1"),
        (dict(filter_size=0), "filter_size: expected a finite number >= 1"),
        (dict(filter_size=(3, 4, 5)), "filter_size: expected a side or"),
        (dict(filter_size=(5, 21)), r"filter_size: expected filters no larger than the signals \(20, 20\)"),
        (dict(max_iterations=0), "max_iterations: expected a finite number >= 1"),
        (dict(tolerance=-1), "tolerance: expected a finite number >= 0"),
        (dict(batch_size=0), "batch_size: expected a finite number >= 1"),
        (dict(initial=torch.ones(5, 3, 5, 5)), r"initial: expected filters \(6, 3, 5, 5\)"),
        (dict(initial=torch.zeros(6, 3, 5, 5)), "initial: expected filters that are not all zero"),
        (dict(signals=torch.zeros(2, 3, 20, 20)), "signals: expected something to learn from"),
        (dict(signals=torch.full((1, 3, 8, 8), float("nan"))), "signals: expected finite values"),
    ],
)
def test_bad_arguments_are_named(learn, change, message):
    with pytest.raises(ValueError, match=message):
        learn(**change)
