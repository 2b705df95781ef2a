"""The dictionary update: its statistic against the misfit written out, its minimum against a least-squares solve."""

import pytest
import torch

from blindspots.data.planted import synthesize
from blindspots.purify.code_correlations import DictionaryUpdate, correlate_codes


@pytest.fixture
def sparse(draw):
    def make(height, width, n=6, m=3, channels=2):
        codes = (draw(n, m, height, width, seed=1) - 0.5) * (draw(n, m, height, width, seed=2) < 0.1)
        return codes, draw(n, channels, height, width, seed=3) - 0.5

    return make


def misfit(codes, signals, filters):
    return 0.5 * (synthesize(codes, filters) - signals).square().sum() / len(signals)


def updated(correlations, filters, steps):
    probe = torch.ones_like(filters[:, :1]) + torch.arange(filters.shape[-1])
    return DictionaryUpdate(probe)(filters, correlations, steps)


# Filters far smaller than the signals, just below half, just above, and as large: the lags wrap in the last two.
SIZES = [(11, 12, 3, 2), (8, 9, 4, 4), (7, 8, 4, 5), (5, 4, 5, 4), (9, 6, 1, 6)]


@pytest.mark.parametrize(("height", "width", "h", "w"), SIZES)
def test_the_statistic_gives_the_misfit_of_any_dictionary(draw, sparse, height, width, h, w):
    codes, signals = sparse(height, width)
    correlations = correlate_codes(codes, signals, h, w)
    filters = 0.1 * (draw(3, 2, h, w, seed=4) - 0.5)
    same, value = updated(correlations, filters, 0)
    assert torch.equal(same, filters)
    torch.testing.assert_close(value, misfit(codes, signals, filters), atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(correlations.penalty, codes.abs().sum() / 6)


@pytest.mark.parametrize(("height", "width", "h", "w"), SIZES)
def test_many_steps_come_to_the_least_squares_filters(draw, sparse, height, width, h, w):
    # Small signals, so that the best filters lie inside the unit balls and the constraint does not bind.
    codes, signals = sparse(height, width, n=40)
    signals = 0.1 * signals
    basis = torch.eye(3 * h * w, dtype=torch.float64).view(-1, 3, 1, h, w)
    design = torch.stack([synthesize(codes, one).flatten() for one in basis], dim=1)
    best = torch.linalg.lstsq(design, signals.transpose(0, 1).flatten(1).T).solution.T.reshape(2, 3, h, w)
    best = best.transpose(0, 1)
    assert (best.flatten(1).norm(dim=1) < 1).all()
    found, _ = updated(correlate_codes(codes, signals, h, w), torch.zeros_like(best), 3000)
    torch.testing.assert_close(found, best, atol=1e-6, rtol=0)


def test_filters_stay_in_the_unit_ball_and_a_step_never_climbs(draw, sparse):
    codes, signals = sparse(10, 10)
    correlations, filters = correlate_codes(codes, 9 * signals, 4, 4), draw(3, 2, 4, 4, seed=5) - 0.5
    filters = filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    update, last = DictionaryUpdate(torch.ones_like(filters[:, :1])), float("inf")
    for _ in range(20):
        filters, value = update(filters, correlations, 1)
        assert value.item() <= last + 1e-12
        last = value.item()
        assert (filters.flatten(1).norm(dim=1) <= 1 + 1e-12).all()
    assert (filters.flatten(1).norm(dim=1) > 1 - 1e-9).any()


def test_rarely_used_filters_learn_as_fast(sparse):
    codes, signals = sparse(10, 10, n=30)
    rare = codes * torch.tensor([1.0, 0.1, 0.03], dtype=torch.float64).view(-1, 1, 1)
    start = torch.zeros(3, 2, 3, 3, dtype=torch.float64)
    common = updated(correlate_codes(codes, 0.01 * signals, 3, 3), start, 20)[1]
    scaled = updated(correlate_codes(rare, 0.01 * signals, 3, 3), start, 20)[1]
    # The misfit reachable is the same: only the filters' sizes differ.
    torch.testing.assert_close(scaled, common, rtol=1e-3, atol=0)


def test_an_unused_filter_stays_and_no_codes_change_nothing(draw, sparse):
    codes, signals = sparse(10, 10)
    codes[:, 1] = 0
    filters = 0.3 * draw(3, 2, 4, 4, seed=5)
    found, _ = updated(correlate_codes(codes, signals, 4, 4), filters, 5)
    torch.testing.assert_close(found[1], filters[1])
    assert not torch.allclose(found[0], filters[0])
    found, value = updated(correlate_codes(0 * codes, signals, 4, 4), filters, 5)
    assert torch.equal(found, filters)
    torch.testing.assert_close(value, 0.5 * signals.square().sum() / 6)


def test_a_blend_is_the_statistic_of_both(sparse):
    codes, signals = sparse(10, 10)
    whole = correlate_codes(codes, signals, 3, 4)
    parts = correlate_codes(codes[:4], signals[:4], 3, 4), correlate_codes(codes[4:], signals[4:], 3, 4)
    blend = parts[0].blend(parts[1], 1 / 3)
    for name in ("lags", "cross", "energy", "penalty"):
        torch.testing.assert_close(getattr(blend, name), getattr(whole, name))


def test_the_size_of_a_block_does_not_matter(sparse, monkeypatch):
    codes, signals = sparse(10, 11)
    whole = correlate_codes(codes, signals, 3, 4).lags
    monkeypatch.setattr("blindspots.purify.code_correlations._BLOCK_VALUES", 1)
    torch.testing.assert_close(correlate_codes(codes, signals, 3, 4).lags, whole)
