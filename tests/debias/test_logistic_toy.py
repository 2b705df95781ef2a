"""The toy's closed forms against simulation, and against a logistic regression that was trained."""

import math
from dataclasses import replace

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from blindspots.debias.group_metrics import eacc_of, group_rates
from blindspots.debias.logistic_toy import TRIGGERS, LogisticToy, bayes_toy
from blindspots.debias.trigger_assignment import assign_triggers
from blindspots.seeding import generator

TOY = LogisticToy(
    prior=0.4, bias_rates=(0.7, 0.2), trigger_rates=(0.6, 0.35), feature_means=(-0.5, 1.2), feature_std=1.3,
    group_shift=0.4, intercept=-0.2, weight=1.1, bias_effects=(-0.7, 0.9), trigger_effects=(-0.4, 0.5),
)  # fmt: skip
N = 200_000


def triggers_of(kind, groups, assigned):
    return {
        "none": None, "assigned": assigned, "inverted": 1 - groups, "same": groups, "all_0": 0 * groups,
        "all_1": 0 * groups + 1,
    }[kind]  # fmt: skip


def standard_errors(recalls, counts):
    return (recalls * (1 - recalls) / counts).sqrt()


@pytest.mark.parametrize("toy", [TOY, bayes_toy(), bayes_toy(prior=0.3, group_shift=0.8, trigger_rates=(0.9, 0.2))])
@pytest.mark.parametrize("kind", TRIGGERS)
def test_rates_are_those_of_a_simulation_within_its_sampling_error(toy, kind):
    features, labels, groups, assigned = toy.sample(N, generator=generator(0))
    found = group_rates(toy.predict(features, groups, triggers_of(kind, groups, assigned)), labels, groups)
    expected = toy.recalls(kind)
    errors = standard_errors(expected, found.counts)
    assert ((found.recalls - expected).abs() <= 4 * errors).all()
    # Odds is half the sum of two absolute differences, so it is off by at most half of all errors' sum.
    assert found.odds == pytest.approx(toy.odds(kind), abs=100 * 4 * errors.sum().item() / 2)
    assert found.eacc == pytest.approx(toy.eacc(kind), abs=100 * 4 * errors.sum().item() / 4)


def test_the_sample_is_of_the_distribution():
    features, labels, groups, assigned = TOY.sample(N, generator=generator(0))
    assert labels.double().mean() == pytest.approx(TOY.prior, abs=4 * 0.5 / math.sqrt(N))
    for label in (0, 1):
        mine = labels == label
        slack = 4 * 0.5 / math.sqrt(mine.sum().item())
        assert (groups[mine] == 0).double().mean() == pytest.approx(TOY.bias_rates[label], abs=slack)
        assert (assigned[mine] == 0).double().mean() == pytest.approx(TOY.trigger_rates[label], abs=slack)
        for group in (0, 1):
            cell = features[mine & (groups == group)]
            mean = TOY.feature_means[label] + TOY.group_shift * group
            assert cell.mean() == pytest.approx(mean, abs=4 * TOY.feature_std / math.sqrt(len(cell)))
            assert cell.std() == pytest.approx(TOY.feature_std, rel=4 / math.sqrt(2 * len(cell)))
            # A is independent of B given Y.
            share = (assigned[mine & (groups == group)] == 0).double().mean()
            assert share == pytest.approx(TOY.trigger_rates[label], abs=4 * 0.5 / math.sqrt(len(cell)))


@pytest.mark.parametrize("group_shift", [0.0, 0.7])
def test_equal_coefficients_leave_no_odds_under_inversion(group_shift):
    toy = bayes_toy(group_shift=group_shift)
    assert toy.coef_trigger == pytest.approx(toy.coef_bias, abs=1e-12)
    assert toy.odds("inverted") == pytest.approx(0, abs=1e-10)
    assert toy.odds("none") > 10
    assert toy.odds("same") > toy.odds("none")
    given = TOY.with_coef_trigger(TOY.coef_bias)
    assert given.coef_trigger == pytest.approx(TOY.coef_bias)
    assert given.odds("inverted") == pytest.approx(0, abs=1e-10)
    assert TOY.odds("inverted") > 1


def test_residual_odds_depend_on_the_coefficients_through_their_difference():
    differences = torch.linspace(-3, 3, 25)
    expected = [TOY.with_coef_trigger(TOY.coef_bias + d).odds("inverted") for d in differences.tolist()]
    found = TOY.residual_odds(differences)
    assert found.tolist() == pytest.approx(expected, abs=1e-9)
    assert torch.allclose(found, TOY.with_coef_trigger(5.0).residual_odds(differences), atol=1e-9)
    assert torch.allclose(found, found.flip(0), atol=1e-9)
    assert found[12] == 0
    assert (found[13:] > found[12:-1]).all()
    assert TOY.residual_odds(torch.tensor(-TOY.coef_bias, dtype=torch.float64)).item() == pytest.approx(
        TOY.with_coef_trigger(0.0).odds("all_0"), abs=1e-9
    )


def test_the_best_classifier_is_the_posterior():
    toy = bayes_toy(prior=0.3, bias_rates=(0.8, 0.4), trigger_rates=(0.6, 0.1), feature_std=1.5, group_shift=0.5)
    density = torch.distributions.Normal
    for b in (0, 1):
        for a in (0, 1):
            x = torch.linspace(-3, 3, 7, dtype=torch.float64)
            joint = []
            for y in (0, 1):
                share = [toy.bias_rates[y], 1 - toy.bias_rates[y]][b] * [
                    toy.trigger_rates[y],
                    1 - toy.trigger_rates[y],
                ][a]
                likelihood = density(toy.feature_means[y] + 0.5 * b, 1.5).log_prob(x)
                joint.append(math.log([0.7, 0.3][y] * share) + likelihood)
            logit = toy.intercept + toy.weight * x + toy.bias_effects[b] + toy.trigger_effects[a]
            assert torch.allclose(logit, joint[1] - joint[0], atol=1e-10)


def test_a_trained_logistic_regression_has_the_predicted_odds():
    toy = bayes_toy(bias_rates=(0.75, 0.3), prior=0.4)
    features, labels, groups, _ = toy.sample(N, generator=generator(0))
    assigned = assign_triggers(labels, groups, generator=generator(1))
    rows = torch.stack([features, groups.double(), assigned.double()], dim=1)
    weights = LogisticRegression(C=1e6, tol=1e-8).fit(rows.numpy(), labels.numpy())
    weight, coef_bias, coef_trigger = weights.coef_[0].tolist()
    # Standard error of a log odds ratio from four cells; the feature widens it by less than a half.
    cells = torch.bincount(2 * labels + groups).double()
    error = 1.5 * (1 / cells).sum().sqrt().item()
    assert coef_bias == pytest.approx(toy.coef_bias, abs=4 * error)
    assert coef_trigger == pytest.approx(toy.coef_trigger, abs=4 * error)
    fitted = replace(
        toy, intercept=weights.intercept_.item(), weight=weight, bias_effects=(0.0, coef_bias),
        trigger_effects=(0.0, coef_trigger),
    )  # fmt: skip
    features, labels, groups, _ = toy.sample(N, generator=generator(2))
    for kind, triggers in (("inverted", 1 - groups), ("same", groups)):
        rows = torch.stack([features, groups.double(), triggers.double()], dim=1)
        found = group_rates(torch.from_numpy(weights.predict(rows.numpy())), labels, groups)
        slack = 100 * 4 * standard_errors(fitted.recalls(kind), found.counts).sum().item() / 2
        assert found.odds == pytest.approx(fitted.odds(kind), abs=slack)
    assert fitted.odds("inverted") < 1
    assert fitted.odds("none") > 20


def test_swapping_the_groups_changes_nothing_but_their_names():
    toy = bayes_toy(bias_rates=(0.8, 0.3))
    swapped = bayes_toy(bias_rates=(0.2, 0.7))
    for kind in ("none", "assigned", "inverted", "same"):
        assert torch.allclose(toy.recalls(kind), swapped.recalls(kind).flip(0))
        assert toy.odds(kind) == pytest.approx(swapped.odds(kind), abs=1e-9)


def test_without_a_trigger_its_effects_do_not_matter():
    assert torch.equal(TOY.recalls("none"), TOY.with_coef_trigger(9.0).recalls("none"))
    assert TOY.eacc("none") == eacc_of(TOY.recalls("none")).item()


def test_the_seed_decides_the_sample():
    first, again, other = (TOY.sample(50, generator=generator(seed))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"prior": 1.0}, ValueError, r"prior: expected a share in \(0, 1\)"),
        ({"bias_rates": (0.5, 0.0)}, ValueError, r"bias_rates: expected a share in \(0, 1\)"),
        ({"trigger_rates": (0.5,)}, ValueError, "trigger_rates: expected two numbers"),
        ({"feature_std": 0.0}, ValueError, "feature_std: expected a finite number > 0"),
        ({"weight": 0.0}, ValueError, "weight: expected a number other than 0"),
        ({"intercept": float("nan")}, ValueError, "intercept: expected a finite number"),
        ({"intercept": "0"}, TypeError, "intercept: expected a number"),
    ],
)
def test_bad_toys_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        replace(TOY, **options)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="triggers: expected one of none, assigned"):
        TOY.recalls("random")
    with pytest.raises(ValueError, match="feature_means: expected two that differ"):
        bayes_toy(feature_means=(1.0, 1.0))
    with pytest.raises(ValueError, match="n: expected a finite number >= 1"):
        TOY.sample(0, generator=generator(0))
    with pytest.raises(ValueError, match="triggers: expected two values"):
        TOY.predict(torch.zeros(2), torch.tensor([0, 1]), torch.tensor([0, 2]))
