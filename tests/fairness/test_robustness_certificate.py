"""The certificate holds on a convex toy, is met where it should be, and says when it is no proof."""

import pytest
import torch
import torch.nn.functional as F

from blindspots.fairness.dual_objective import dual_minimum
from blindspots.fairness.robust_surrogate import robust_surrogate
from blindspots.fairness.robustness_certificate import robustness_certificate

BOUNDS = torch.tensor([0.0, 0.05, 0.2, 1.0], dtype=torch.float64)
WEIGHTS = [1.1, -0.4]
SMOOTHNESS = (1.1**2 + 0.4**2) / 4  # of the logistic loss in x


def surrogate_of(toy, line, weight=0.6, steps=100, step_size=None):
    model = line(WEIGHTS, 0.2)
    options = dict(weight=weight, steps=steps, step_size=step_size, schedule="constant", clip=False)
    return model, robust_surrogate(model, toy.images, toy.labels, **options)


def test_it_is_a_line_that_touches_the_worst_case_where_the_images_went(line, logistic_toy):
    toy = logistic_toy()
    model, surrogate = surrogate_of(toy, line)
    found = robustness_certificate(surrogate, BOUNDS)
    torch.testing.assert_close(found.ceilings.diff() / BOUNDS.diff(), torch.full((3,), 0.6, dtype=torch.float64))
    assert not found.proven and found.gap == 0
    with torch.no_grad():
        loss = F.cross_entropy(model(surrogate.images), toy.labels).item()
    assert found.attained_loss == pytest.approx(loss)
    there = robustness_certificate(surrogate, torch.tensor([found.attained_bound], dtype=torch.float64))
    assert there.ceilings.item() == pytest.approx(loss, abs=1e-12)


def test_it_is_above_the_worst_case_at_every_radius(line, logistic_toy):
    toy = logistic_toy()
    _, surrogate = surrogate_of(toy, line)
    radii = torch.tensor([0.02, 0.1, 0.4], dtype=torch.float64)
    ceilings = robustness_certificate(surrogate, radii).ceilings
    for radius, ceiling in zip(radii.tolist(), ceilings.tolist(), strict=True):
        exact = dual_minimum(lambda w: surrogate_of(toy, line, w)[1], radius, low=0.18, high=9.0, tolerance=1e-6)
        assert exact.converged and exact.value <= ceiling + 1e-9
        assert abs(radius - 0.1) > 0.01 or ceiling - exact.value < 0.05


def test_a_short_ascent_breaks_the_plain_ceiling_and_not_the_proven_one(line, logistic_toy):
    toy = logistic_toy()
    exact = robustness_certificate(surrogate_of(toy, line)[1], BOUNDS).ceilings
    _, short = surrogate_of(toy, line, steps=1, step_size=0.3)
    assert (robustness_certificate(short, BOUNDS).ceilings < exact - 1e-4).all()
    proven = robustness_certificate(short, BOUNDS, smoothness=SMOOTHNESS)
    assert proven.proven and proven.gap > 0 and (proven.ceilings >= exact).all()
    tight = robustness_certificate(surrogate_of(toy, line)[1], BOUNDS, smoothness=SMOOTHNESS)
    assert tight.gap < 1e-9


def test_bad_arguments_are_named(line, logistic_toy):
    _, surrogate = surrogate_of(logistic_toy(6), line, steps=1)
    with pytest.raises(ValueError, match="bounds: expected radii >= 0, got -1"):
        robustness_certificate(surrogate, torch.tensor([0.0, -1.0]))
    with pytest.raises(ValueError, match="bounds: expected finite"):
        robustness_certificate(surrogate, torch.tensor([float("nan")]))
    with pytest.raises(ValueError, match="bounds: expected floats"):
        robustness_certificate(surrogate, torch.tensor([1]))
    with pytest.raises(ValueError, match="smoothness: expected less than 2 weight"):
        robustness_certificate(surrogate, BOUNDS, smoothness=2.0)
