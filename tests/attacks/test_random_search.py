"""A search without gradients: what it may reach, what it asks, what it leaves alone."""

import pytest
import torch

from blindspots.attacks import random_search, strength_radii

ONES = torch.ones(1, 4, 4, dtype=torch.float64)
GRAY = torch.full((3, 1, 4, 4), 0.5, dtype=torch.float64)  # norm 2, ONES . GRAY = 8
LABELS = torch.zeros(3, dtype=torch.long)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_it_finds_a_linear_boundary_that_the_ball_reaches_by_far(linear_model):
    # The radius 0.5 moves the margin by up to 0.5 * 4 = 2; 0.6 are missing.
    result = random_search(linear_model(ONES, -8.6), GRAY, LABELS, strength=0.25, queries=300, generator=seeded())
    assert result.success.all()
    assert (result.gradient_evaluations == 0).all() and (result.steps >= 1).all()


def test_it_cannot_find_one_that_the_ball_does_not_reach(linear_model):
    result = random_search(linear_model(ONES, -10.1), GRAY, LABELS, strength=0.25, queries=300, generator=seeded())
    assert not result.success.any() and (result.steps == 301).all()
    # Where no query flips it, the search still climbs: noise alone gains about 0.5, the best direction 2.
    gained = (result.images - GRAY).flatten(1).sum(1)
    assert (gained > 1.0).all()


def test_it_stays_in_the_ball_and_in_range(linear_model):
    images = torch.rand(3, 1, 4, 4, generator=seeded(1), dtype=torch.float64)
    result = random_search(linear_model(ONES, -100.0), images, LABELS, strength=0.5, queries=50, generator=seeded())
    assert (result.distances <= strength_radii(images, 0.5) * (1 + 1e-12)).all()
    assert result.images.min() >= 0 and result.images.max() <= 1


def test_misread_images_return_unchanged(linear_model):
    result = random_search(linear_model(ONES, -7.9), GRAY, LABELS, strength=0.25, generator=seeded())
    assert result.success.all() and torch.equal(result.images, GRAY) and (result.steps == 0).all()


def test_no_gradient_is_asked_for(linear_model):
    inner = linear_model(ONES, -8.6)

    def model(images):
        assert not torch.is_grad_enabled()
        return inner(images)

    random_search(model, GRAY, LABELS, strength=0.25, queries=5, generator=seeded())


def test_the_seed_decides(linear_model):
    runs = [
        random_search(linear_model(ONES, -10.1), GRAY, LABELS, strength=0.25, queries=9, generator=seeded(seed)).images
        for seed in (0, 0, 1)
    ]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_bad_arguments_are_named(linear_model):
    model = linear_model(ONES, -8.6)
    with pytest.raises(ValueError, match="queries"):
        random_search(model, GRAY, LABELS, strength=0.25, queries=0, generator=seeded())
    with pytest.raises(ValueError, match="strength"):
        random_search(model, GRAY, LABELS, strength=0.0, generator=seeded())
    with pytest.raises(TypeError, match="generator"):
        random_search(model, GRAY, LABELS, strength=0.25, generator=0)
