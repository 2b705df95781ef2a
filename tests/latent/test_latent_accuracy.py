"""Latent accuracy: the share beyond the bound in a linear world, and what counts as robust for lack of a gradient."""

import pytest
import torch

from blindspots.latent import latent_accuracy, margin_over_norm
from blindspots.latent.accuracy import wilson


@pytest.mark.parametrize("bound", [0.1, 0.3, 1.0])
def test_it_is_the_share_beyond_the_bound_in_a_linear_world(linear_world, bound):
    world = linear_world(n=40, n_classes=2)
    exact = margin_over_norm(*world, epsilon=0.5)
    found = latent_accuracy(*world, epsilon=0.5, bound=bound)
    assert torch.equal(found.robust, exact > bound)
    assert found.accuracy == pytest.approx((exact > bound).double().mean().item())
    assert found.interval == wilson(found.accuracy, 40)
    assert found.n_wrong_at_center == int((exact == 0).sum()) > 0 and found.n_stalled == 0


def test_it_falls_with_the_bound(network_world):
    world = network_world(n=20)
    shares = [latent_accuracy(*world, epsilon=0.5, bound=bound).accuracy for bound in (0.1, 1.0, 3.0)]
    assert shares[0] > shares[-1] and shares == sorted(shares, reverse=True)


def test_groups_of_restarts_change_nothing_but_the_time(network_world):
    world = network_world(n=12)
    one, four = (latent_accuracy(*world, epsilon=0.5, bound=1.0, restarts_at_once=n) for n in (1, 4))
    assert torch.equal(one.robust, four.robust) and torch.equal(one.search.run, four.search.run)
    torch.testing.assert_close(one.search.perturbations, four.search.perturbations, rtol=1e-9, atol=1e-9)


def test_robust_for_lack_of_a_gradient_is_counted(linear_world):
    model, decode, latents, labels = linear_world(n=8, n_classes=4)
    dead = lambda latents, labels: decode(0 * latents, 0 * labels)  # noqa: E731
    wanted = model(dead(latents, labels)).argmax(1)
    found = latent_accuracy(model, dead, latents, wanted, epsilon=0.5, bound=0.3)
    assert found.accuracy == 1 and found.n_stalled == 8 and found.n_wrong_at_center == 0
    nothing = latent_accuracy(model, dead, latents, (wanted + 1) % 4, epsilon=0.5, bound=0.3)
    assert nothing.accuracy == 0 and nothing.n_wrong_at_center == 8 and nothing.n_stalled == 0


def test_options_reach_the_search(network_world):
    world = network_world(n=12)
    first = latent_accuracy(*world, epsilon=0.5, bound=2.0, restarts=2)
    for change in (
        dict(seed=1), dict(steps=1), dict(step_size=0.2), dict(random_start=False), dict(center_run=False),
        dict(epsilon=0), dict(bound=1.0), dict(rows=torch.arange(12) + 5), dict(restarts=1),
    ):  # fmt: skip
        other = latent_accuracy(*world, **(dict(epsilon=0.5, bound=2.0, restarts=2) | change))
        assert not torch.equal(first.search.n_runs, other.search.n_runs) or not torch.equal(
            first.search.perturbations, other.search.perturbations
        ), change
