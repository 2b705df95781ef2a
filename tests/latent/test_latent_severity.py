"""Severity: exact in a linear world, zero where nothing is needed, infinite where nothing is found."""

import math

import pytest
import torch

from blindspots.latent import decayed_accuracy, latent_severity, margin_over_norm


def test_it_is_margin_over_norm_in_a_linear_world(linear_world):
    world = linear_world(n=16, n_classes=2)
    found = latent_severity(*world, epsilon=0.5)
    exact = margin_over_norm(*world, epsilon=0.5)
    near = exact < 2.4
    torch.testing.assert_close(found.severities[near], exact[near], rtol=0.01, atol=0)
    assert found.summary.n_zero == int((exact == 0).sum()) > 0


def test_zero_are_those_that_the_decayed_accuracy_counts_as_wrong(network_world):
    world = network_world(n=20)
    found = latent_severity(*world, epsilon=0.5, restarts=2)
    assert torch.equal(found.severities == 0, ~decayed_accuracy(*world, epsilon=0.5).correct)


def test_a_search_that_never_succeeds_is_not_averaged_away(linear_world):
    world = linear_world(n=16, n_classes=2)
    exact = margin_over_norm(*world, epsilon=0.5)
    bound = exact[exact > 0].min().item() / 2
    found = latent_severity(*world, epsilon=0.5, bound=bound, restarts=2)
    summary = found.summary
    assert summary.n_censored == int((exact > 0).sum()) and summary.bound == bound
    assert summary.mean_found == 0 and summary.mean_at_least == pytest.approx(bound * summary.n_censored / 16)
    assert found.severities.mean() == math.inf
    assert found.changes.image_norms[found.search.censored].isnan().all()


def test_a_dead_generator_and_a_classifier_that_is_wrong_everywhere_are_told_apart(linear_world):
    model, decode, latents, labels = linear_world(n=8, n_classes=4)
    dead = lambda latents, labels: decode(0 * latents, 0 * labels)  # noqa: E731
    wanted = model(dead(latents, labels)).argmax(1)
    stuck = latent_severity(model, dead, latents, wanted, epsilon=0.5, restarts=2)
    assert stuck.summary.n_censored == 8 and stuck.search.stalled.all() and stuck.summary.n_zero == 0
    wrong = latent_severity(model, dead, latents, (wanted + 1) % 4, epsilon=0.5, restarts=2)
    assert wrong.summary.n_zero == 8 and wrong.summary.complete and not wrong.search.stalled.any()


def test_a_latent_of_dimension_one(linear_world):
    world = linear_world(size=1, n=16)
    found = latent_severity(*world, epsilon=0.5)
    exact = margin_over_norm(*world, epsilon=0.5)
    near = (exact > 0) & (exact < 2.4)
    # There are two directions: the class that leads may lie on the other side than the nearest one.
    assert (found.severities[near] >= exact[near] * (1 - 1e-9)).all()
    torch.testing.assert_close(found.severities[near], exact[near], rtol=0.01, atol=0)


def test_options_reach_the_search(network_world):
    world, base = network_world(n=6), dict(epsilon=0.5, restarts=2, steps=15)
    first = latent_severity(*world, **base)
    assert torch.equal(first.severities, latent_severity(*world, **base).severities)
    for change in (
        dict(restarts=3), dict(seed=1), dict(steps=5), dict(step_size=0.2), dict(bisections=2), dict(center_run=False),
        dict(random_start=False), dict(epsilon=1), dict(rows=torch.arange(6) + 9), dict(restarts_at_once=2),
    ):  # fmt: skip
        other = latent_severity(*world, **(base | change))
        assert not torch.equal(first.search.steps, other.search.steps) or not torch.equal(
            first.severities, other.severities
        ), change
    assert latent_severity(*world, **base, bound=0.01).summary.n_censored > 0
