"""Two correlations over the same classifiers."""

import pytest
import torch
from scipy import stats

from blindspots.studies.correlation_gap import correlation_gap


def test_it_is_the_difference_of_spearmans_correlations():
    draw = torch.Generator().manual_seed(0)
    a, b, c = torch.randn(3, 12, generator=draw)
    found = correlation_gap(a, b, c)
    expected = stats.spearmanr(a, b).statistic - stats.spearmanr(a, c).statistic
    assert found.value == pytest.approx(expected)
    assert found.interval[0] < found.value < found.interval[1] and found.n == 12
    assert correlation_gap(a, c, b).value == pytest.approx(-expected)


def test_a_clear_case_excludes_zero_and_six_classifiers_cannot():
    a = torch.arange(20.0)
    draw = torch.Generator().manual_seed(1)
    noise = torch.randn(20, generator=draw)
    assert correlation_gap(a, a + 0.1 * noise, -a).interval[0] > 1
    low, high = correlation_gap(noise[:6], a[:6] + 3 * noise[6:12], noise[12:18]).interval
    assert high - low > 0.8


def test_a_constant_measure_has_no_correlation():
    a = torch.arange(6.0)
    found = correlation_gap(a, torch.ones(6), a)
    assert found.value != found.value and found.n_undefined == 2000
    part = correlation_gap(a, torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]), a)
    assert 0 < part.n_undefined < 2000 and part.interval[0] == part.interval[0]


def test_bad_measures_are_refused():
    with pytest.raises(ValueError, match="three or more"):
        correlation_gap(torch.ones(2), torch.ones(2), torch.ones(2))
    with pytest.raises(ValueError, match="three or more"):
        correlation_gap(torch.ones(4), torch.ones(4), torch.full((4,), torch.nan))
