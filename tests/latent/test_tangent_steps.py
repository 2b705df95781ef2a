"""Steps along the boundary: exact where all is linear, never longer, and nothing where there is no slope."""

import pytest
import torch

from blindspots.latent import latent_pgd, margin_over_norm, scaled_norm
from blindspots.latent.search_runs import Question, shortened
from blindspots.latent.tangent_steps import tangent_steps

OPTIONS = dict(epsilon=0.5, bound=2.5)
LABELS = torch.zeros(2, dtype=torch.long)
ROWS = torch.arange(2)


def tightened(answer, changes, *, steps=8, bisections=20, labels=LABELS):
    centers = torch.zeros_like(changes)
    return tangent_steps(Question(answer, labels), centers, changes, ROWS, steps=steps, bisections=bisections)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_classes", [2, 5, 12])
def test_in_a_linear_world_two_turns_are_exact_whatever_class_was_found(linear_world, n_classes, dtype):
    world = linear_world(size=16, n_classes=n_classes, n=60, dtype=dtype)
    exact = margin_over_norm(*world, epsilon=0.5)
    plain = latent_pgd(*world, **OPTIONS, restarts=1)
    turned = latent_pgd(*world, **OPTIONS, restarts=1, turns=2, bisections=12)
    found = plain.success & (exact > 0)
    assert found.sum() >= 5 and (n_classes == 2 or (plain.norms / exact)[found].max() > 1.01)
    # What is left is the bisection's 1 / 4096 and, for tiny moves, the rounding of the logits.
    atol = 1e-12 if dtype is torch.float64 else 5e-6
    torch.testing.assert_close(turned.norms[found], exact[found], rtol=1e-3, atol=atol)
    assert (turned.norms[found] >= exact[found] - atol).all()


def test_what_is_exact_stays_and_nothing_becomes_longer(network_world):
    world = network_world(size=6, n=24)
    plain = latent_pgd(*world, **OPTIONS, restarts=2)
    turned = latent_pgd(*world, **OPTIONS, restarts=2, turns=6)
    found = plain.success & (plain.norms > 0)
    assert found.sum() >= 5
    assert torch.equal(plain.success, turned.success) and torch.equal(plain.run, turned.run)
    assert (turned.norms[found] <= plain.norms[found]).all()
    assert (turned.norms[found] < 0.999 * plain.norms[found]).any()
    assert (turned.gradient_evaluations >= plain.gradient_evaluations).all()
    assert torch.equal(turned.norms[~found], plain.norms[~found])


def test_the_nearest_point_of_a_circle_is_found_from_its_side():
    # Outside a disc around (3, 0) of radius 1, seen from 0: the nearest point is (2, 0), the start lies at its side.
    def disc(points, rows):
        lead = 1.0 - (points - torch.tensor([3.0, 0.0], dtype=points.dtype)).square().sum(1)
        return torch.stack([torch.zeros_like(lead), lead], dim=1)

    inside = torch.tensor([[3.0, 0.99], [3.0, -0.5]], dtype=torch.float64)
    start = shortened(Question(disc, LABELS), 0 * inside, inside, ROWS, bisections=30)
    assert (start.norm(dim=1) > 2.05).all()
    found, gradients = tightened(disc, start, steps=20)
    torch.testing.assert_close(found.norm(dim=1), torch.full((2,), 2.0, dtype=torch.float64), rtol=2e-3, atol=0)
    assert (disc(found, ROWS)[:, 1] > 0).all() and (gradients > 0).all()


def test_without_a_slope_or_a_boundary_ahead_nothing_moves():
    def step(points, rows):  # misread beyond 1, with no slope anywhere
        lead = (points[:, 0] > 1).to(points) - 0.5 + 0.0 * points.sum(1)
        return torch.stack([torch.zeros_like(lead), lead], dim=1)

    start = torch.tensor([[2.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    start[1, 0] = 1.5
    found, gradients = tightened(step, start)
    assert torch.equal(found, start) and gradients.tolist() == [1, 1]


def test_rows_do_not_depend_on_their_batch(network_world):
    world = network_world(size=6, n=12)
    whole = latent_pgd(*world, **OPTIONS, restarts=2, turns=4)
    split = latent_pgd(*world, **OPTIONS, restarts=2, turns=4, batch_size=5)
    torch.testing.assert_close(whole.norms, split.norms, rtol=1e-9, atol=0)


def test_turns_are_for_the_smallest_only(linear_world):
    world = linear_world()
    with pytest.raises(ValueError, match='turns: expected 0 in mode "any"'):
        latent_pgd(*world, **OPTIONS, mode="any", turns=1)
    with pytest.raises((TypeError, ValueError), match="turns"):
        latent_pgd(*world, **OPTIONS, turns=-1)


def test_the_points_are_still_misread(network_world):
    model, decode, latents, labels = network_world(size=6, n=24)
    found = latent_pgd(model, decode, latents, labels, **OPTIONS, restarts=2, turns=6)
    assert torch.equal(model(decode(found.points, labels)).argmax(1) != labels, found.success)
    torch.testing.assert_close(scaled_norm(found.perturbations)[found.success], found.norms[found.success])
