"""From predictions to the first test."""

import dataclasses

import pytest
import torch

from blindspots.data import planted_scenes
from blindspots.fairness import group_slope_test
from blindspots.studies.country_slope import country_slope


@pytest.fixture(scope="module")
def judged():
    return planted_scenes(400, seed=0, size=16)


@pytest.fixture(scope="module")
def predictions(judged):
    """Right in the richer half, always class 0 elsewhere."""
    return torch.where(judged.groups["country"] > 20, judged.labels, torch.zeros_like(judged.labels))


@pytest.mark.parametrize("variance", ["paper", "binomial"])
@pytest.mark.parametrize("intercept", [True, False])
def test_it_is_the_test_of_accuracies_counted_by_hand(judged, predictions, variance, intercept):
    found = country_slope(predictions, judged, variance=variance, intercept=intercept)
    country = judged.groups["country"]
    by_hand = torch.stack([(predictions == judged.labels)[country == c].double().mean() for c in range(41)])
    income = torch.stack([judged.extras["income"][country == c][0] for c in range(41)]).double().log()
    expected = group_slope_test(by_hand, income, country.bincount(), variance=variance, intercept=intercept)
    assert torch.allclose(found.log_income, income)
    assert torch.allclose(found.accuracies.by_group, by_hand)
    assert torch.allclose(found.test.slope, expected.slope) and torch.allclose(found.test.p_value, expected.p_value)
    assert found.countries == judged.group_names["country"]


def test_small_countries_can_be_left_out(judged, predictions):
    kept = judged.groups["country"] != 7
    some = judged.select(kept.nonzero().squeeze(1))
    found = country_slope(predictions[kept], some)
    assert len(found.countries) == 40 and judged.group_names["country"][7] not in found.countries
    assert found.test.residual_degrees == 38
    counts = judged.groups["country"].bincount()
    large = country_slope(predictions, judged, fewest=int(counts.max()))
    assert large.accuracies.counts.tolist() == [int(counts.max())] * int((counts == counts.max()).sum())


def test_several_models_have_a_row_each(judged, predictions):
    both = country_slope(torch.stack([predictions, judged.labels]), judged)
    assert both.test.slope.shape == (2,)
    assert both.test.slope[0] == pytest.approx(country_slope(predictions, judged).test.slope.item())
    assert both.test.slope[1] == 0 and both.test.p_value[1] == 1


def test_sets_without_countries_or_incomes_are_refused(judged, predictions):
    with pytest.raises(ValueError, match=r"judged: expected groups\['country'\], got nothing"):
        country_slope(predictions, dataclasses.replace(judged, groups={}))
    with pytest.raises(ValueError, match=r"judged: expected extras\['income'\], got stops"):
        country_slope(predictions, dataclasses.replace(judged, extras={"stops": judged.extras["stops"]}))
    with pytest.raises(ValueError, match="fewest: expected at least two countries with 500 images or more, got 0"):
        country_slope(predictions, judged, fewest=500)
