"""Searches without a gradient: exact on a grid, from above at random, and what they say of the gradient's search."""

import pytest
import torch

from blindspots.latent import (
    decayed_latents,
    grid_search,
    latent_pgd,
    margin_over_norm,
    random_direction_search,
    scaled_norm,
)

OPTIONS = dict(epsilon=0.5, bound=2.5)


@pytest.mark.parametrize("size", [1, 2])
def test_the_grid_is_exact_in_a_linear_world(linear_world, size):
    world = linear_world(size=size, n=40)
    exact = margin_over_norm(*world, epsilon=0.5)
    # Ten halvings of the first radius, 0.05, leave 5e-5, a percent of the nearest distances; sixteen leave 8e-7.
    found = grid_search(*world, **OPTIONS, bisections=16)
    near = exact < 2.4
    assert (exact[near] > 0).sum() >= 3
    torch.testing.assert_close(found.norms[near], exact[near], rtol=0.002, atol=0)
    assert found.norms[exact > 2.6].isinf().all()


def test_random_directions_come_from_above(linear_world):
    world = linear_world(size=3, n=20, n_classes=2)
    exact = margin_over_norm(*world, epsilon=0.5)
    few, many = (random_direction_search(*world, **OPTIONS, directions=n) for n in (5, 500))
    near = (exact > 0) & (exact < 1.5)
    assert near.sum() >= 3 and (many.norms[near] >= exact[near] * (1 - 1e-9)).all()
    assert (many.norms[near] <= few.norms[near]).all() and (many.norms[near] / exact[near]).max() < 1.05


def test_in_a_network_the_gradient_search_is_held_against_the_grid(network_world):
    world = network_world(size=2, n=12)
    grid = grid_search(*world, **OPTIONS)
    found = latent_pgd(*world, **OPTIONS)
    # 360 directions and 50 radii see all there is but for one part in thirty.
    both = grid.success & found.success & (grid.norms > 0)
    assert torch.equal(grid.success, found.success) and both.any()
    assert (found.norms[both] >= grid.norms[both] * 0.97).all()
    assert (found.norms[both] / grid.norms[both]).median() < 1.05


def test_many_dimensions_are_no_place_for_random_directions(linear_world):
    world = linear_world(size=64, n=20, n_classes=2)
    found, random = latent_pgd(*world, **OPTIONS, restarts=2), random_direction_search(*world, **OPTIONS)
    standing = found.success & (found.norms > 0)
    assert standing.any() and (random.norms[standing] > 1.5 * found.norms[standing]).all()


def test_results_are_judged_at_the_returned_points(network_world):
    model, decode, latents, labels = network_world(size=2, n=12)
    for found in (
        grid_search(model, decode, latents, labels, **OPTIONS, angles=8),
        random_direction_search(model, decode, latents, labels, **OPTIONS, directions=8),
    ):
        assert torch.equal(model(decode(found.points, labels)).argmax(1) != labels, found.success)
        torch.testing.assert_close(found.centers, decayed_latents(latents, epsilon=0.5))
        torch.testing.assert_close(scaled_norm(found.perturbations)[found.success], found.norms[found.success])
        assert found.norms[~found.success].isinf().all() and (found.perturbations[~found.success] == 0).all()
        assert (found.norms[found.run == 0] == 0).all() and (found.steps[found.run == 0] == 0).all()
        assert (found.gradient_evaluations == 0).all() and found.steps.max() <= 8 * 50


def test_any_batch_gives_the_same_and_the_seed_matters(linear_world):
    world = linear_world(n=12)
    whole = random_direction_search(*world, **OPTIONS, directions=7)
    for other in (
        random_direction_search(*world, **OPTIONS, directions=7, batch_size=1),
        random_direction_search(*world, **OPTIONS, directions=7, rows=torch.arange(12)),
    ):
        torch.testing.assert_close(other.perturbations, whole.perturbations)
    for change in (dict(seed=1), dict(rows=torch.arange(12) + 3), dict(bisections=1), dict(radii=3)):
        other = random_direction_search(*world, **OPTIONS, directions=7, **change)
        assert not torch.equal(other.perturbations, whole.perturbations), change


def test_no_gradient_is_needed(linear_world):
    model, decode, latents, labels = linear_world(size=2)
    blind = lambda images: model(images).detach()  # noqa: E731
    assert torch.equal(
        grid_search(blind, decode, latents, labels, **OPTIONS).norms,
        grid_search(model, decode, latents, labels, **OPTIONS).norms,
    )


def test_messages(linear_world):
    world = linear_world(size=3)
    with pytest.raises(ValueError, match="expected one or two dimensions, got 3"):
        grid_search(*world, **OPTIONS)
    with pytest.raises(ValueError, match="directions"):
        random_direction_search(*world, **OPTIONS, directions=0)
    with pytest.raises(ValueError, match="radii"):
        random_direction_search(*world, **OPTIONS, radii=0)
    with pytest.raises(ValueError, match="latents: expected finite"):
        random_direction_search(world[0], world[1], world[2] * float("nan"), world[3], **OPTIONS)
