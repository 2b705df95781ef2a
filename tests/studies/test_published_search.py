"""The published search, its defects included."""

import pytest
import torch

from blindspots.latent import latent_pgd, margin_over_norm
from blindspots.studies.principal_worlds import LinearReader, PrincipalGenerator
from blindspots.studies.published_search import published_search


@pytest.fixture(scope="module")
def world():
    """A linear world of three classes in which the last latent is misread at its center."""
    draw = torch.Generator().manual_seed(0)
    options = dict(generator=draw, dtype=torch.float64)
    weight = torch.randn(3, 16, **options)
    means = 0.5 + weight
    made = PrincipalGenerator(means, torch.randn(3, 4, 16, **options), (1, 4, 4), 0.01)
    model = LinearReader(weight, torch.zeros(3, dtype=torch.float64), 0.01)
    latents = 0.3 * torch.randn(9, 4, **options)
    labels = torch.arange(9) % 3
    latents[8] = 4 * torch.linalg.lstsq(made.components[2].T, (weight[0] - weight[2])[:, None]).solution[:, 0]
    return model, made, latents, labels


def test_it_finds_what_is_misread_and_never_less_than_the_smallest(world):
    model, made, latents, labels = world
    exact = margin_over_norm(model, made, latents, labels, epsilon=0.5)
    found = published_search(model, made, latents, labels, epsilon=0.5, bound=8.0)
    assert found.success.all()
    assert (found.norms >= exact - 1e-9).all() and (found.norms < 1.6 * exact)[:8].all()


def test_our_search_is_never_worse(world):
    model, made, latents, labels = world
    published = published_search(model, made, latents, labels, epsilon=0.5, bound=8.0)
    ours = latent_pgd(model, made, latents, labels, epsilon=0.5, bound=8.0)
    assert (ours.norms <= published.norms + 1e-9).sum() >= 8


def test_a_point_that_is_misread_gets_the_length_of_a_start(world):
    model, made, latents, labels = world
    found = published_search(model, made, latents, labels, epsilon=0.5, bound=2.0)
    assert found.wrong_at_center[8] and found.norms[8] > 0
    assert latent_pgd(model, made, latents, labels, epsilon=0.5, bound=2.0).norms[8] == 0


def test_a_failure_is_returned_with_the_length_of_its_attempt(world):
    model, made, latents, labels = world
    found = published_search(model, made, latents, labels, epsilon=0.5, bound=0.01)
    failed = ~found.success
    assert failed.any() and (found.norms[failed] > 0).all() and (found.norms <= 0.01 + 1e-9).all()


def test_bad_options_are_refused(world):
    with pytest.raises(ValueError, match="steps"):
        published_search(*world, epsilon=0.5, bound=2.0, steps=1)
