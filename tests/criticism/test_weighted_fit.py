"""Weighted squares of all classes at once against scikit-learn, one class at a time."""

import pytest
import torch
from sklearn.linear_model import LinearRegression, Ridge

from blindspots.criticism.weighted_fit import is_determined, weighted_fit, weighted_moments
from blindspots.seeding import generator


def problem():
    draws = generator(0, "fit")
    masks = torch.rand(120, 9, generator=draws) < 0.5
    outputs = torch.rand(120, 6, generator=draws, dtype=torch.float64)
    return masks, outputs, torch.rand(120, generator=draws, dtype=torch.float64)


def some_kept():
    kept = torch.rand(6, 9, generator=generator(1)) < 0.5
    kept[2], kept[3, 0] = False, True
    return kept


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("ridge", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("whole", [True, False], ids=["all kept", "some kept"])
def test_it_equals_scikit_learn(ridge, intercept, whole):
    masks, outputs, weights = problem()
    kept = torch.ones(6, 9, dtype=torch.bool) if whole else some_kept()
    fit = weighted_fit(weighted_moments(masks, outputs, weights, intercept=intercept), kept, ridge=ridge)
    for row in range(6):
        columns = kept[row].nonzero().flatten()
        if not len(columns):
            assert not fit.weights[row].any()
            continue
        peer = Ridge(alpha=ridge, fit_intercept=intercept) if ridge else LinearRegression(fit_intercept=intercept)
        design, target = masks[:, columns].double().numpy(), outputs[:, row].numpy()
        peer.fit(design, target, sample_weight=weights.numpy())
        expected = torch.zeros(9, dtype=torch.float64)
        expected[columns] = torch.from_numpy(peer.coef_)
        torch.testing.assert_close(fit.weights[row], expected, rtol=0, atol=1e-12)
        assert fit.intercepts[row].item() == pytest.approx(float(peer.intercept_), abs=1e-12)
        score = peer.score(design, target, sample_weight=weights.numpy())
        assert fit.scores[row].item() == pytest.approx(score, abs=1e-12)


def test_a_class_with_nothing_kept_has_its_weighted_mean():
    masks, outputs, weights = problem()
    fit = weighted_fit(weighted_moments(masks, outputs, weights, intercept=True), some_kept(), ridge=0.0)
    assert fit.intercepts[2].item() == pytest.approx(float(weights @ outputs[:, 2] / weights.sum()))
    assert fit.scores[2].item() == pytest.approx(0, abs=1e-12)


def test_samples_that_fix_nothing_are_seen_and_give_the_least_norm():
    masks, outputs, weights = problem()
    moments = weighted_moments(masks, outputs, weights, intercept=True)
    assert is_determined(moments.gram)
    few = weighted_moments(masks[:5], outputs[:5], weights[:5], intercept=True)
    assert not is_determined(few.gram)
    fit = weighted_fit(few, torch.ones(6, 9, dtype=torch.bool), ridge=0.0)
    centered = (masks[:5].double() - few.mask_mean) * weights[:5, None].sqrt()
    target = (outputs[:5] - few.output_mean) * weights[:5, None].sqrt()
    torch.testing.assert_close(fit.weights, (torch.linalg.pinv(centered) @ target).T, rtol=0, atol=1e-9)


def test_a_constant_output_has_nothing_to_explain():
    masks, outputs, weights = problem()
    outputs[:, 1] = 0.5
    fit = weighted_fit(weighted_moments(masks, outputs, weights, intercept=True), some_kept(), ridge=0.0)
    assert fit.intercepts[1].item() == pytest.approx(0.5) and fit.weights[1].abs().max() < 1e-12
    constant = weighted_moments(masks, torch.zeros_like(outputs), weights, intercept=True)
    assert weighted_fit(constant, some_kept(), ridge=0.0).scores.isnan().all()
