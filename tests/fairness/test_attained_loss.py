"""The mixture curve by hand, by definition, and under the ceilings."""

import pytest
import torch

from blindspots.fairness.attained_loss import attained_loss
from blindspots.seeding import generator


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_by_hand():
    found = attained_loss(numbers(0, 1, 2, 3), numbers(1, 1.2, 3, 2.5), numbers(0, 0.5, 1, 2, 9))
    assert found.tolist() == pytest.approx([1.0, 1.5, 2.0, 3.0, 3.0])
    assert attained_loss(numbers(0), numbers(1), numbers(0, 5)).tolist() == [1.0, 1.0]
    assert attained_loss(numbers(0, 0, 1), numbers(1, 2, 1), numbers(0.0, 1.0)).tolist() == [2.0, 2.0]


def test_it_is_the_best_mixture_of_two():
    draws = generator(0)
    d = torch.cat([numbers(0), torch.rand(12, generator=draws, dtype=torch.float64)])
    value = torch.randn(13, generator=draws, dtype=torch.float64)
    for rho in (0.0, 0.1, 0.4, 0.9):
        best = -float("inf")
        for i in range(13):
            for j in range(13):
                if d[i] <= rho:
                    share = 1.0 if d[j] <= rho else ((rho - d[i]) / (d[j] - d[i])).item()
                    best = max(best, (value[i] + share * (value[j] - value[i])).item(), value[i].item())
        assert attained_loss(d, value, numbers(rho)).item() == pytest.approx(best, abs=1e-12)


def test_more_attacks_never_lower_it_and_order_does_not_matter():
    draws = generator(1)
    d, value = torch.rand(2, 8, generator=draws, dtype=torch.float64)
    d[0] = 0
    rho = torch.linspace(0, 1.2, 20, dtype=torch.float64)
    whole = attained_loss(d, value, rho)
    assert torch.equal(whole, attained_loss(d.flip(0), value.flip(0), rho))
    assert (whole >= attained_loss(d[:4], value[:4], rho) - 1e-12).all()
    assert (whole.diff() >= 0).all() and (whole.diff().diff() <= 1e-12).all(), "nondecreasing and concave"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((numbers(0, 1), numbers(1), numbers(0)), "losses: expected one per distance"),
        ((numbers(1), numbers(1), numbers(0)), "distances: expected the clean data"),
        ((numbers(0, -1), numbers(1, 1), numbers(0)), "got a negative one"),
        ((numbers(0), numbers(float("nan")), numbers(0)), "losses: expected finite"),
    ],
)
def test_bad_points_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        attained_loss(*given)
