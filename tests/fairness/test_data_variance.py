"""Variances are split as they were planted, and one data set's test errs as often as is said."""

import math

import pytest
import torch
from scipy import stats

from blindspots.fairness import compare_slopes, data_variance, one_set_rejections
from blindspots.seeding import generator


def planted(n_sets, n_models, *, mean=0.0, data=1.0, seed=1.0, draws=None):
    draws = generator(0) if draws is None else draws
    sets = data * torch.randn(n_sets, 1, generator=draws, dtype=torch.float64)
    return mean + sets + seed * torch.randn(n_sets, n_models, generator=draws, dtype=torch.float64)


def test_the_estimates_are_those_of_the_layout_by_hand():
    found = data_variance(torch.tensor([[1.0, 3.0], [4.0, 8.0], [0.0, 2.0]]))
    assert found.by_set.tolist() == [2.0, 6.0, 1.0] and found.mean == pytest.approx(3.0)
    assert found.seed_variance == pytest.approx((2 + 8 + 2) / 3)
    assert found.data_variance == pytest.approx(7.0 - 2.0)
    assert found.data_share == pytest.approx(5 / 9)
    assert found.statistic == pytest.approx(3.0 / math.sqrt(7.0 / 3))


def test_tests_are_those_of_scipy():
    differences = planted(6, 4, mean=0.3)
    found = data_variance(differences)
    by_set = stats.ttest_1samp(differences.mean(1).numpy(), 0.0, alternative="greater")
    by_model = stats.ttest_1samp(differences.flatten().numpy(), 0.0, alternative="greater")
    assert (found.statistic, found.p_value) == pytest.approx((by_set.statistic, by_set.pvalue))
    assert (found.model_statistic, found.model_p_value) == pytest.approx((by_model.statistic, by_model.pvalue))
    assert found.f_p_value == pytest.approx(stats.f_oneway(*differences.numpy()).pvalue)


def test_planted_variances_are_found():
    found = data_variance(planted(4000, 3, data=2.0, seed=1.0))
    assert found.data_variance == pytest.approx(4.0, rel=0.1)  # relative error sqrt(2 / 4000), four times
    assert found.seed_variance == pytest.approx(1.0, rel=0.1)


def test_a_negative_estimate_is_zero():
    found = data_variance(torch.tensor([[-1.0, 1.0], [-1.1, 1.2]]))
    assert found.data_variance == 0.0 == found.data_share


@pytest.mark.parametrize("ratio", [0.0, 0.1, 2.0])
def test_one_set_errs_as_often_as_simulated(ratio):
    n, repetitions = 20, 20000
    differences = planted(repetitions, n, data=math.sqrt(ratio), seed=1.0, draws=generator(3))
    rejected = (compare_slopes(torch.zeros_like(differences), differences).p_value < 0.05).double().mean().item()
    expected = one_set_rejections(1.0, ratio, n_models=n)
    assert rejected == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / repetitions))
    assert ratio or expected == pytest.approx(0.05)


def test_more_models_of_one_set_err_more_often():
    rates = [one_set_rejections(1.0, 0.2, n_models=n) for n in (2, 10, 50, 10**6)]
    assert rates == sorted(rates) and rates[-1] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("differences", "error", "message"),
    [
        (torch.ones(2, 2, dtype=torch.long), TypeError, "torch.int64"),
        (torch.rand(1, 5), ValueError, "at least 2"),
        (torch.ones(3, 3), ValueError, "vary"),
        (torch.full((2, 2), float("nan")), ValueError, "differences"),
    ],
)
def test_bad_differences_are_named(differences, error, message):
    with pytest.raises(error, match=message):
        data_variance(differences)
    with pytest.raises(ValueError, match="seed_variance"):
        one_set_rejections(0.0, 1.0, n_models=5)
