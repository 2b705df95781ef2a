"""The duality gap: exact where the best codes are known, a bound elsewhere, and small for what `cbpdn` returns."""

import pytest
import torch

from blindspots.purify import cbpdn, duality_gap
from blindspots.seeding import generator


@pytest.fixture
def problem():
    """Return signals (3, 2, 12, 10), a dictionary (4, 2, 3, 3) of unit norm and a lambda that leaves a few codes."""
    draws = generator(0)
    signals = torch.randn(3, 2, 12, 10, generator=draws, dtype=torch.float64)
    dictionary = torch.randn(4, 2, 3, 3, generator=draws, dtype=torch.float64)
    return signals, dictionary / dictionary.flatten(1).norm(dim=1)[:, None, None, None], 1.0


def objective(signals, codes, lmbda):
    return 0.5 * (codes - signals).square().flatten(1).sum(1) + lmbda * codes.abs().flatten(1).sum(1)


def test_it_is_zero_at_the_known_minimum_and_the_excess_or_more_elsewhere():
    # One filter of one pixel: the best codes are the signals shrunk by lambda.
    signals = torch.randn(5, 1, 6, 7, generator=generator(1), dtype=torch.float64)
    one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    best = torch.nn.functional.softshrink(signals, 0.4)
    assert duality_gap(signals, best, one, 0.4).abs().max() < 1e-12
    for other in (torch.zeros_like(best), 0.9 * best, signals):
        gap = duality_gap(signals, other, one, 0.4)
        assert (gap >= objective(signals, other, 0.4) - objective(signals, best, 0.4) - 1e-12).all()
        assert (gap > 1e-3).all()


def test_it_bounds_the_excess_over_a_nearly_solved_problem_and_shrinks_with_the_tolerance(problem):
    best = cbpdn(*problem, tolerance=1e-9, max_iterations=5000)
    assert best.converged.all()
    gaps = []
    for tolerance in (0.1, 1e-2, 1e-4):
        found = cbpdn(*problem, tolerance=tolerance, max_iterations=2000)
        gap = duality_gap(problem[0], found.codes, *problem[1:])
        assert (gap >= found.objective - best.objective - 1e-9).all()
        gaps.append(gap)
    assert (gaps[0] > gaps[1]).all() and (gaps[1] > gaps[2]).all()
    assert (duality_gap(problem[0], best.codes, *problem[1:]) / best.objective).max() < 1e-6


def test_codes_of_zero_are_certified_where_they_are_the_solution(problem):
    signals, dictionary, _ = problem
    zeros = torch.zeros(3, 4, 12, 10, dtype=torch.float64)
    assert duality_gap(signals, zeros, dictionary, 1e3).abs().max() < 1e-9
    assert duality_gap(torch.zeros_like(signals), zeros, dictionary, 1.0).abs().max() == 0.0


def test_channels_coded_alone_add_up(problem):
    signals, dictionary, lmbda = problem
    gray = dictionary[:, :1].contiguous()
    codes = cbpdn(signals, gray, lmbda).codes
    parts = [duality_gap(signals[:, c : c + 1], codes[:, c], gray, lmbda) for c in range(2)]
    assert torch.allclose(duality_gap(signals, codes, gray, lmbda), sum(parts), rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": torch.zeros(3, 5, 12, 10, dtype=torch.float64)}, r"initial: expected codes \(3, 4, 12, 10\)"),
        ({"lmbda": 0.0}, "lmbda"),
        ({"dictionary": torch.ones(4, 2, 13, 3, dtype=torch.float64)}, "no larger than the signals"),
    ],
)
def test_bad_arguments_are_named(problem, change, message):
    call = dict(zip(("signals", "dictionary", "lmbda"), problem, strict=True))
    call["codes"] = torch.zeros(3, 4, 12, 10, dtype=torch.float64)
    with pytest.raises(ValueError, match=message):
        duality_gap(**(call | change))
