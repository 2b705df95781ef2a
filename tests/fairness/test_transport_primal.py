"""The linear program against exact answers and against the dual on the same places."""

import pytest
import torch

from blindspots.fairness.transport_primal import transport_primal
from blindspots.seeding import generator

pytest.importorskip("scipy")


def test_one_example_and_two_places_split_the_mass():
    # A budget of 0.3 moves 0.15 of the mass over a cost of 2.
    losses, costs = torch.tensor([[1.0, 5.0]]), torch.tensor([[0.0, 2.0]])
    found = transport_primal(losses, costs, 0.3)
    assert found.value == pytest.approx(1 + 0.15 * 4) and found.distance == pytest.approx(0.3)
    assert found.multiplier == pytest.approx(2.0)
    torch.testing.assert_close(found.plan, torch.tensor([[0.85, 0.15]], dtype=torch.float64))
    assert transport_primal(losses, costs, 0.0).value == pytest.approx(1.0)
    slack = transport_primal(losses, costs, 9.0)
    assert slack.value == pytest.approx(5.0) and slack.distance == pytest.approx(2.0) and slack.multiplier == 0


def test_it_equals_the_dual_on_the_same_places_for_any_losses():
    draws = generator(0)
    losses = torch.randn(6, 30, generator=draws, dtype=torch.float64)
    costs = torch.rand(6, 30, generator=draws, dtype=torch.float64)
    costs[:, 0] = 0
    for bound in (0.01, 0.1, 0.3):
        found = transport_primal(losses, costs, bound)
        kinks = (losses - losses[:, :1]) / costs.clamp_min(1e-12)
        grid = torch.cat([torch.linspace(0, kinks.max().item(), 4001, dtype=torch.float64),
                          torch.tensor([found.multiplier], dtype=torch.float64)])  # fmt: skip
        dual = [(w * bound + (losses - w * costs).amax(1).mean()).item() for w in grid]
        assert found.value == pytest.approx(min(dual), abs=1e-9), "lambda delta + mean phi, smallest over lambda"
        torch.testing.assert_close(found.plan.sum(1), torch.full((6,), 1 / 6, dtype=torch.float64))
        # A vertex has at most N + 1 places in use: at most one example's mass is divided.
        assert ((found.plan > 1e-12).sum(1) > 1).sum() <= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(costs=torch.zeros(2, 3)), r"costs: expected \(2, 2\)"),
        (dict(costs=torch.tensor([[0.0, -1.0], [0.0, 1.0]])), "costs: expected >= 0"),
        (dict(costs=torch.tensor([[0.0, 1.0], [0.5, 1.0]])), "costs: expected a place of cost 0"),
        (dict(bound=-1.0), "bound: expected"),
        (dict(losses=torch.full((2, 2), float("nan"))), "losses: expected finite"),
    ],
)
def test_bad_problems_are_named(change, message):
    given = dict(losses=torch.zeros(2, 2), costs=torch.zeros(2, 2), bound=0.1) | change
    with pytest.raises(ValueError, match=message):
        transport_primal(given["losses"], given["costs"], given["bound"])
