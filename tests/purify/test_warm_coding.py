"""The coder that stops and goes on: at a fixed dictionary it must come to what cbpdn comes to."""

import sys

import pytest
import torch

from blindspots.purify import cbpdn
from blindspots.purify.warm_coding import WarmCoding


@pytest.fixture
def problem(draw):
    filters = draw(5, 2, 3, 4, seed=11) - 0.5
    return draw(4, 2, 9, 8) - 0.5, filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def test_at_a_fixed_dictionary_the_codes_are_those_of_cbpdn(problem):
    signals, dictionary = problem
    coding = WarmCoding(signals, 0.3)
    for _ in range(80):
        codes = coding.advance(dictionary, 25)
    fit = cbpdn(signals, dictionary, 0.3, tolerance=1e-10, max_iterations=20000)
    assert fit.codes.any()
    torch.testing.assert_close(codes, fit.codes, atol=1e-6, rtol=0)


def test_a_changed_dictionary_starts_from_where_the_last_one_ended(problem):
    signals, dictionary = problem
    near = dictionary + 1e-3
    target = cbpdn(signals, near, 0.3, tolerance=1e-10, max_iterations=20000).codes
    warm = WarmCoding(signals, 0.3)
    warm.advance(dictionary, 200)
    after = (warm.advance(near, 6) - target).norm()
    assert after < 0.2 * (WarmCoding(signals, 0.3).advance(near, 6) - target).norm()


def test_neither_chunks_nor_neighbors_matter(problem, monkeypatch):
    signals, dictionary = problem
    signals = torch.cat([signals, torch.zeros_like(signals[:1])])

    def run(part):
        coding = WarmCoding(signals[part], 0.3)
        coding.advance(dictionary, 7)
        return coding.advance(dictionary.flip(0), 5)

    whole = run(slice(None))
    assert whole[:4].any() and not whole[4].any() and whole.isfinite().all()
    monkeypatch.setattr(sys.modules["blindspots.purify.warm_coding"], "chunk_values", lambda device: 1)
    torch.testing.assert_close(run(slice(None)), whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(run(slice(2, 3)), whole[2:3], atol=1e-12, rtol=0)
