"""One run: counts of steps, who leaves the batch, bisection, and what has no gradient."""

import pytest
import torch

from blindspots.latent.ball import BALLS
from blindspots.latent.search_runs import Question, ascend, shortened

L2 = BALLS["scaled_l2"]
ROWS = torch.arange(3)
ZEROS = torch.zeros(3, 4, dtype=torch.float64)
LABELS = torch.zeros(3, dtype=torch.long)
# The class changes where the first coordinate exceeds this.
EDGES = torch.tensor([0.1, 0.5, 3.0], dtype=torch.float64)


def half_space(points, rows):
    return torch.stack([torch.zeros(len(points)).to(points), points[:, 0] - EDGES[rows]], dim=1)


def run(answer=half_space, *, radius=1.0, **options):
    radii = torch.full((3,), radius, dtype=torch.float64)
    options = dict(steps=20, step_size=0.1) | options
    return ascend(Question(answer, LABELS), L2, ZEROS, options.pop("starts", ZEROS), ROWS, radii, **options)


def test_steps_are_those_of_the_geometry():
    # A step of 0.1 in scaled norm moves the first of four coordinates by 0.2; the ball ends at 2.
    found = run()
    assert found.found.tolist() == [True, True, False] and found.steps.tolist() == [1, 3, 20]
    torch.testing.assert_close(found.changes[:, 0], torch.tensor([0.2, 0.6, 2.0], dtype=torch.float64))
    assert found.gradients.tolist() == [1, 3, 20] and not found.stalled.any()


def test_the_last_step_is_tested_too():
    assert run(steps=3).found.tolist() == [True, True, False]
    assert run(steps=2).found.tolist() == [True, False, False]


def test_finished_walkers_leave_the_batch():
    sizes = []

    def counting(points, rows):
        sizes.append(len(points))
        return half_space(points, rows)

    run(counting)
    assert sizes == [3, 3, 2, 2] + 17 * [1]


def test_once_one_has_found_a_change_those_of_higher_rank_stop():
    rows, radii = torch.tensor([1, 1, 1]), torch.ones(3, dtype=torch.float64)
    starts = ZEROS.clone()
    starts[1, 0] = 0.3
    options = dict(steps=20, step_size=0.1)
    alone = ascend(Question(half_space, LABELS), L2, ZEROS, starts, rows, radii, **options)
    assert alone.steps.tolist() == [3, 2, 3]
    ranked = ascend(Question(half_space, LABELS), L2, ZEROS, starts, rows, radii, order=torch.arange(3), **options)
    assert ranked.found.tolist() == [True, True, False] and ranked.steps.tolist() == [3, 2, 2]


def test_a_zero_gradient_stalls():
    found = run(lambda points, rows: 0 * half_space(points, rows))
    assert found.stalled.all() and not found.found.any() and found.steps.tolist() == [0, 0, 0]


def test_points_stay_where_they_are_allowed():
    question = Question(half_space, LABELS, clamp=lambda points: points.clamp(-0.3, 0.3))
    found = ascend(question, L2, ZEROS, ZEROS, ROWS, torch.ones(3).double(), steps=9, step_size=0.1)
    assert found.found.tolist() == [True, False, False] and found.changes.max() == 0.3


def test_bisection_ends_on_the_wrong_side_of_the_edge():
    changes = ZEROS.clone()
    changes[:, 0] = torch.tensor([2.0, 0.7, 3.5])
    question = Question(half_space, LABELS)
    short = shortened(question, ZEROS, changes, ROWS, bisections=20)
    assert question.misread(short, ROWS).all()
    assert ((short[:, 0] - EDGES) / EDGES < 1e-4).all()
    assert torch.equal(shortened(question, ZEROS, changes, ROWS, bisections=0), changes)


def test_a_bisection_does_not_end_within_rounding_of_the_edge():
    def nearly(points, rows):
        lead = torch.where(points[:, 0] > 1.0, 1.0, 1e-7 * (points[:, 0] > 0.25))
        return torch.stack([torch.full_like(lead, 1.0), 1.0 + lead], dim=1).float()

    question = Question(nearly, LABELS)
    changes = torch.tensor([[2.0, 0, 0, 0]]).double().expand(3, -1)
    low = torch.full((3, 4), 0.3, dtype=torch.float64)
    assert question.misread(low, ROWS).all() and not question.clearly_misread(low, ROWS).any()
    assert (shortened(question, ZEROS, changes, ROWS, bisections=20)[:, 0] > 1.0).all()


def test_what_is_not_differentiable_is_an_error():
    with pytest.raises(ValueError, match="without a gradient"):
        run(lambda points, rows: half_space(points.detach(), rows))
    weight = torch.nn.Parameter(torch.ones(2).double())
    with pytest.raises(ValueError, match="without a gradient"):
        run(lambda points, rows: half_space(points.detach(), rows) * weight)


def test_nan_is_an_error():
    with pytest.raises(ValueError, match="finite logits"):
        run(lambda points, rows: half_space(points, rows) * float("nan"))
    with pytest.raises(ValueError, match="the gradient of model and decode"):
        run(lambda points, rows: half_space(points, rows) - (points[:, :2].abs().sqrt()))


def test_a_label_the_model_does_not_have_is_an_error():
    question = Question(half_space, LABELS + 2)
    with pytest.raises(ValueError, match="expected classes from 0 to 1"):
        question.misread(ZEROS, ROWS)
