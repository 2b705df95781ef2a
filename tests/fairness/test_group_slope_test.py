"""The slope test against statsmodels, the definition, and the statistics that P0 prints."""

import math

import pytest
import torch

from blindspots.fairness.group_slope_test import group_slope_test
from blindspots.seeding import generator


def countries(n=41, slope=0.02, noise=0.03, seed=0, models=None):
    """Return accuracies, log incomes and counts of n made-up countries."""
    draws = generator(seed, "countries")
    g = torch.empty(n, dtype=torch.float64).uniform_(6.0, 11.5, generator=draws)
    counts = torch.randint(5, 2000, (n,), generator=draws)
    shape = (n,) if models is None else (models, n)
    errors = torch.randn(shape, generator=draws, dtype=torch.float64) * counts.double() ** -0.25
    return (0.6 + slope * g + noise * errors).clamp(0, 1), g, counts


def planted(statistic, n):
    """Return accuracies whose weighted fit with an intercept has exactly this F statistic."""
    _, g, counts = countries(n)
    rooted = counts.double() ** 0.25
    orthonormal, _ = torch.linalg.qr(rooted[:, None] * torch.stack([torch.ones_like(g), g], 1))
    noise = torch.randn(n, generator=generator(1), dtype=torch.float64)
    residual = noise - orthonormal @ (orthonormal.T @ noise)
    along = orthonormal[:, 1] * (statistic * residual.square().sum() / (n - 2)).sqrt()
    return 0.5 + 0.002 * (along + residual) / rooted, g, counts


@pytest.mark.parametrize("variance", ["paper", "binomial"])
@pytest.mark.parametrize("intercept", [True, False])
def test_it_equals_statsmodels(variance, intercept):
    api = pytest.importorskip("statsmodels.api")
    accuracy, g, counts = countries()
    ours = group_slope_test(accuracy, g, counts, variance=variance, intercept=intercept)
    sigma = counts.double().sqrt().reciprocal() if variance == "paper" else counts.double().reciprocal()
    design = api.add_constant(g.numpy()) if intercept else g.numpy()
    theirs = api.GLS(accuracy.numpy(), design, sigma=sigma.numpy()).fit()
    assert ours.slope.item() == pytest.approx(theirs.params[-1], rel=1e-10)
    assert ours.standard_error.item() == pytest.approx(theirs.bse[-1], rel=1e-10)
    assert ours.scale.item() == pytest.approx(theirs.scale, rel=1e-10)
    assert ours.statistic.item() == pytest.approx(theirs.fvalue, rel=1e-10)
    assert ours.p_value.item() == pytest.approx(theirs.f_pvalue, rel=1e-9)
    assert ours.residual_degrees == theirs.df_resid == 41 - 1 - intercept
    assert ours.n_groups == 41
    if intercept:
        assert ours.intercept.item() == pytest.approx(theirs.params[0], rel=1e-10)
    else:
        assert ours.intercept is None


def test_the_printed_statistic_comes_from_41_countries_with_an_intercept():
    test = group_slope_test(*planted(5.392, 41))
    assert test.residual_degrees == 39
    assert test.statistic.item() == pytest.approx(5.392, rel=1e-10)
    assert f"{test.p_value.item():.5f}" == "0.02554"


def test_the_same_degrees_without_intercept_are_40_countries_and_another_order_of_f():
    accuracy, g, counts = countries(40, noise=0.2)
    through_origin = group_slope_test(accuracy, g, counts, intercept=False)
    assert through_origin.residual_degrees == 39
    assert through_origin.statistic > 1000 > group_slope_test(accuracy, g, counts).statistic


def test_three_points_by_hand():
    # Weights 1, 2, 1 for counts 1, 4, 1: mean of g 1, information 2, slope (0.3 - 0.1) / 2, residual at the middle.
    accuracy = torch.tensor([0.1, 0.3, 0.3], dtype=torch.float64)
    test = group_slope_test(accuracy, torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1, 4, 1]))
    assert test.slope.item() == pytest.approx(0.1)
    assert test.intercept.item() == pytest.approx(0.15)
    # residuals -0.05, 0.05, -0.05: scale (0.0025 + 2 * 0.0025 + 0.0025) / 1
    assert test.scale.item() == pytest.approx(0.01)
    assert test.statistic.item() == pytest.approx(0.01 / (0.01 / 2))


def test_the_models_of_a_batch_are_fitted_one_by_one():
    accuracy, g, counts = countries(models=50)
    together = group_slope_test(accuracy, g, counts, variance="binomial")
    assert together.slope.shape == together.p_value.shape == (50,)
    for row in (0, 17, 49):
        alone = group_slope_test(accuracy[row], g, counts, variance="binomial")
        for name in ("slope", "intercept", "standard_error", "statistic", "p_value", "scale"):
            assert getattr(alone, name).shape == ()
            torch.testing.assert_close(getattr(together, name)[row], getattr(alone, name), rtol=1e-12, atol=0)


def test_float32_is_fitted_in_float64():
    accuracy, g, counts = countries()
    test = group_slope_test(accuracy.float(), g.float(), counts)
    assert test.slope.dtype == torch.float64
    assert test.slope.item() == pytest.approx(group_slope_test(accuracy, g, counts).slope.item(), rel=1e-5)


def test_laws_of_units():
    accuracy, g, counts = countries()
    base = group_slope_test(accuracy, g, counts)
    for moved in (
        group_slope_test(accuracy, 3 * g - 20, counts),
        group_slope_test(0.5 * accuracy, g, counts),
        group_slope_test(accuracy, g, 7 * counts),
        group_slope_test(accuracy.flip(0), g.flip(0), counts.flip(0)),
    ):
        assert moved.statistic.item() == pytest.approx(base.statistic.item(), rel=1e-9)
    assert group_slope_test(accuracy, -g, counts).slope.item() == pytest.approx(-base.slope.item())


def test_the_variance_matters_unless_counts_are_equal():
    accuracy, g, counts = countries()
    paper, binomial = (group_slope_test(accuracy, g, counts, variance=name) for name in ("paper", "binomial"))
    assert abs(paper.slope - binomial.slope) > 1e-4
    same = torch.full_like(counts, 16)
    paper, binomial = (group_slope_test(accuracy, g, same, variance=name) for name in ("paper", "binomial"))
    assert paper.statistic.item() == pytest.approx(binomial.statistic.item())


def test_equal_accuracies_have_no_slope_and_a_perfect_line_no_doubt():
    _, g, counts = countries()
    flat = group_slope_test(torch.full_like(g, 0.1), g, counts)
    assert flat.slope == 0 and flat.statistic == 0 and flat.p_value == 1
    assert flat.intercept.item() == pytest.approx(0.1)
    line = group_slope_test(torch.tensor([0.25, 0.5, 0.75]), torch.arange(3.0), torch.tensor([4, 4, 4]))
    assert line.statistic > 1e20 and line.p_value < 1e-9
    both = group_slope_test(torch.stack([torch.full_like(g, 0.1), countries()[0]]), g, counts)
    assert both.p_value[0] == 1 and both.p_value[1] < 1


def bad(**changes):
    accuracy, g, counts = countries(5)
    return {"accuracy": accuracy, "covariate": g, "counts": counts} | changes


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (bad(covariate=torch.full((5,), 9.2)), ValueError, "covariate: expected groups that differ, got 9.2 in all 5"),
        (bad(counts=torch.tensor([3, 0, 4, 0, 1])), ValueError, "counts: .* got none in group 1, 3; leave these"),
        (bad(accuracy=torch.tensor([0.1, float("nan"), 0.1, 0.2, 0.3])), ValueError, "accuracy .* expected finite"),
        (bad(covariate=torch.tensor([0.1, math.inf, 0.1, 0.2, 0.3])), ValueError, "covariate: expected finite"),
        (bad(counts=torch.tensor([1.0, 2, 3, 4, math.nan])), ValueError, "counts: expected finite"),
        (
            bad(accuracy=torch.full((5,), 87.5)),
            ValueError,
            r"accuracy: expected shares in \[0, 1\], got \[87.5, 87.5\]",
        ),
        (bad(accuracy=torch.rand(4, generator=generator(0))), ValueError, "accuracy: expected 5 groups"),
        (bad(counts=torch.ones(4)), ValueError, r"counts: expected shape \(5,\)"),
        (bad(covariate=torch.ones(5, 1)), ValueError, r"covariate: expected \(G,\)"),
        (bad(counts=torch.ones(5, dtype=torch.bool)), TypeError, "counts: expected real numbers, got torch.bool"),
        (bad(variance="equal"), ValueError, "variance: expected one of paper, binomial"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        group_slope_test(**arguments)


@pytest.mark.parametrize(("n", "intercept", "least"), [(1, True, 3), (2, True, 3), (1, False, 2)])
def test_one_country_is_no_regression(n, intercept, least):
    arguments = torch.full((n,), 0.5), torch.arange(1.0, n + 1), torch.ones(n)
    with pytest.raises(ValueError, match=f"covariate: expected at least {least} groups, .* got {n}"):
        group_slope_test(*arguments, intercept=intercept)
