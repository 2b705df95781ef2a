"""Strength of triggers: a log odds ratio, exact for known rates, the toy's coefficient, and its ends."""

import math

import pytest
import torch

from blindspots.debias import bayes_toy, rate_kind, same_strength, scaled_strength, trigger_strength


def test_it_is_the_log_odds_ratio_and_the_coefficient_of_the_best_classifier():
    found = trigger_strength([[0.8, 0.2], [0.5, 0.5], [0.2, 0.8]])
    assert found.tolist() == pytest.approx([math.log(16), 0, -math.log(16)])
    toy = bayes_toy(bias_rates=(0.7, 0.3), trigger_rates=(0.9, 0.4))
    assert trigger_strength([[0.9, 0.4]]).item() == pytest.approx(toy.coef_trigger)
    assert trigger_strength([[0.7, 0.3]]).item() == pytest.approx(toy.coef_bias)


def test_it_is_infinite_or_undefined_where_rates_are_0_or_1():
    found = trigger_strength([[1.0, 0.5], [0.5, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    assert found[:3].tolist() == [math.inf, -math.inf, math.inf] and found[3:].isnan().all()


@pytest.mark.parametrize(
    ("rates", "kind"),
    [((0.1, 0.9), "graded"), ((0, 0.5), "one-sided"), ((0.5, 1), "one-sided"), ((0, 0), "constant"),
     ((1, 1), "constant"), ((0, 1), "tells the label"), ((1, 0), "tells the label")],
)  # fmt: skip
def test_every_pair_has_its_kind(rates, kind):
    assert rate_kind(rates) == kind


def test_shifted_rates_keep_the_strength_and_change_the_frequency():
    rates = same_strength((0.8, 0.4), [-1, 0, 2])
    torch.testing.assert_close(trigger_strength(rates), trigger_strength([[0.8, 0.4]]).expand(3))
    assert rates[1].tolist() == pytest.approx([0.8, 0.4])
    assert (rates[1:] > rates[:-1]).all()


def test_scaled_rates_multiply_the_strength_and_keep_the_middle():
    rates = scaled_strength((0.8, 0.4), [-1, 0, 1, 2])
    torch.testing.assert_close(
        trigger_strength(rates), trigger_strength([[0.8, 0.4]]) * torch.tensor([-1.0, 0, 1, 2], dtype=torch.float64)
    )
    torch.testing.assert_close(torch.logit(rates).mean(1), torch.logit(rates[2]).mean().expand(4))


def test_what_is_no_pair_of_shares_is_refused():
    with pytest.raises(ValueError, match=r"rates: expected shares in \[0, 1\]"):
        trigger_strength([[80, 20]])
    with pytest.raises(ValueError, match=r"expected shape \(M, 2\)"):
        trigger_strength([[0.1, 0.2, 0.3]])
    for rates in ((0.0, 0.5), (0.5, 1.0)):
        with pytest.raises(ValueError, match="rates"):
            same_strength(rates, [0])
        with pytest.raises(ValueError, match="rates"):
            scaled_strength(rates, [1])
