"""Searches side by side."""

import pytest
import torch

from blindspots.latent import latent_pgd
from blindspots.studies.principal_worlds import LinearReader, PrincipalGenerator
from blindspots.studies.search_ladder import METHODS, search_ladder


@pytest.fixture(scope="module")
def world():
    """A linear world of three classes in float64."""
    draw = torch.Generator().manual_seed(0)
    options = dict(generator=draw, dtype=torch.float64)
    weight = torch.randn(3, 16, **options)
    made = PrincipalGenerator(0.5 + weight, torch.randn(3, 4, 16, **options), (1, 4, 4), 0.01)
    model = LinearReader(weight, torch.zeros(3, dtype=torch.float64), 0.01)
    return model, made, 0.3 * torch.randn(6, 4, **options), torch.arange(6) % 3


def test_every_method_answers_and_repairs_do_not_hurt(world):
    found = search_ladder(*world, epsilon=0.5, bound=8.0, restarts=4, directions=30)
    assert tuple(found) == METHODS
    medians = {name: outcome.norms.median() for name, outcome in found.items()}
    assert all(outcome.norms.isfinite().all() for outcome in found.values())
    assert medians["and bisection"] <= medians["decayed point first"] <= medians["published"] + 1e-9
    assert (found["random directions"].gradients == 0).all()
    assert (found["and turns along the boundary"].norms <= found["and bisection"].norms).all()
    assert (found["from the center, and turns"].norms <= found["from the center only"].norms).all()
    assert found["all repairs, side by side"].gradients.sum() < found["and bisection"].gradients.sum()


def test_the_last_rung_is_the_search_with_its_defaults(world):
    found = search_ladder(*world, epsilon=0.5, bound=8.0, restarts=3, methods=["and bisection"])
    assert torch.equal(found["and bisection"].norms, latent_pgd(*world, epsilon=0.5, bound=8.0, restarts=3).norms)


def test_a_failure_has_no_norm_but_the_published_search_returns_one(world):
    found = search_ladder(*world, epsilon=0.5, bound=0.01, restarts=2, methods=["published", "and bisection"])
    failed = found["published"].norms.isinf()
    assert failed.any() and found["published"].returned.isfinite().all()
    assert torch.equal(failed, found["and bisection"].norms.isinf())


def test_unknown_methods_are_refused(world):
    with pytest.raises(ValueError, match="methods"):
        search_ladder(*world, epsilon=0.5, bound=1.0, methods=["grid"])
