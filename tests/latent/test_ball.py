"""Balls: steepest directions have norm 1 and are steepest; pulling back stops at the radius."""

import pytest
import torch

from blindspots.latent.ball import BALLS
from blindspots.seeding import generator


def normal(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


@pytest.mark.parametrize("norm", BALLS)
def test_no_direction_of_norm_one_climbs_faster(norm):
    ball, gradients = BALLS[norm], normal(5, 7)
    directions, zero = ball.steepest(gradients)
    torch.testing.assert_close(ball.norms(directions), torch.ones(5, dtype=torch.float64))
    others = normal(400, 7, seed=1)
    others = others / ball.norms(others)[:, None]
    assert ((gradients * directions).sum(1)[:, None] >= gradients @ others.T).all() and not zero.any()


@pytest.mark.parametrize("norm", BALLS)
def test_a_zero_gradient_stays_zero_and_is_named(norm):
    directions, zero = BALLS[norm].steepest(torch.tensor([[0.0, 0.0], [1e-30, 0.0]]))
    assert zero.tolist() == [True, False] and directions[0].tolist() == [0, 0]
    assert BALLS[norm].norms(directions)[1].item() == pytest.approx(1)


@pytest.mark.parametrize("norm", BALLS)
def test_pulling_back_stops_at_the_radius_and_leaves_the_inside_alone(norm):
    ball, changes = BALLS[norm], normal(6, 4)
    norms = ball.norms(changes)
    assert torch.equal(ball.pulled_back(changes, norms * 1.001), changes)
    torch.testing.assert_close(ball.norms(ball.pulled_back(changes, norms * 0.5)), norms * 0.5)
    assert torch.equal(ball.pulled_back(0 * changes, norms), 0 * changes)


def test_the_nearest_point_of_the_scaled_ball_is_on_the_ray():
    pulled = BALLS["scaled_l2"].pulled_back(torch.tensor([[3.0, 4.0]]), torch.tensor([0.5]))
    torch.testing.assert_close(pulled, torch.tensor([[3.0, 4.0]]) * 0.5 * 2**0.5 / 5)
