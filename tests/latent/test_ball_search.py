"""The schedule of runs: shrinking balls, groups of runs, what a run from the center may repeat."""

import itertools

import pytest
import torch

from blindspots.latent.ball import BALLS
from blindspots.latent.ball_search import SearchOptions, search_ball
from blindspots.latent.search_runs import Question

OPTIONS = dict(
    bound=2.5, steps=50, step_size=0.05, restarts=6, mode="min", random_start=True, center_run=True, bisections=10,
    restarts_at_once=1,
)  # fmt: skip


def half_space(points, rows=None):
    """Class 1 where the first coordinate exceeds 1."""
    return torch.stack([torch.zeros(len(points)).to(points), points[:, 0] - 1.0], dim=1)


def search(centers, *, norm="scaled_l2", answer=half_space, seed=0, **changes):
    labels = torch.zeros(len(centers), dtype=torch.long)
    options = SearchOptions(**(OPTIONS | changes))
    return search_ball(Question(answer, labels), norm, centers, options, seed=seed, streams=torch.arange(len(centers)))


CENTERS = torch.zeros(3, 4, dtype=torch.float64) + torch.tensor([0.0, 0.5, -0.5], dtype=torch.float64)[:, None]


@pytest.mark.parametrize(("norm", "expected"), [("scaled_l2", [0.5, 0.25, 0.75]), ("linf", [1.0, 0.5, 1.5])])
def test_the_nearest_point_of_a_half_space(norm, expected):
    found = search(CENTERS, norm=norm)
    assert BALLS[norm].norms(found.changes).tolist() == pytest.approx(expected, rel=2e-3)


def test_without_bisection_a_success_overshoots_by_at_most_a_step():
    plain = search(CENTERS, bisections=0, restarts=1, random_start=False)
    lengths = BALLS["scaled_l2"].norms(plain.changes)
    exact = torch.tensor([0.5, 0.25, 0.75], dtype=torch.float64)
    assert ((lengths > exact) & (lengths <= exact + 2.5 * 0.05 + 1e-12)).all()
    short = search(CENTERS, bisections=12, restarts=1, random_start=False)
    assert (BALLS["scaled_l2"].norms(short.changes) / exact - 1).abs().max() < 1e-3


def test_the_ball_shrinks_from_run_to_run():
    lengths = [BALLS["scaled_l2"].norms(search(CENTERS, restarts=n, center_run=False).changes) for n in (1, 2, 4, 6)]
    assert all((later <= earlier).all() for earlier, later in itertools.pairwise(lengths))
    assert (lengths[-1] < lengths[0]).any()


def test_the_final_run_from_the_center_is_made_and_numbered():
    found = search(CENTERS)
    assert (found.n_runs == 7).all() and (found.run == 7).any()
    without = search(CENTERS, center_run=False)
    assert (without.n_runs == 6).all() and without.run.max() <= 6


def test_from_the_center_a_run_that_failed_is_not_repeated():
    far = torch.full((1, 4), -9.0, dtype=torch.float64)
    found = search(far, random_start=False)
    assert found.n_runs.item() == 1 and found.run.item() == -1
    assert search(far).n_runs.item() == 7


def test_in_mode_any_groups_of_runs_find_what_single_runs_find():
    def islands(points, rows=None):
        lead = torch.where(points[:, 0].abs() > 1.2, 1.0, -1.0) + 0 * points[:, 0]
        return torch.stack([torch.zeros_like(lead), lead], dim=1)

    centers = torch.zeros(9, 4, dtype=torch.float64)
    singly = search(centers, mode="any", answer=islands, restarts=9, steps=3)
    assert len(singly.run.unique()) > 2
    for at_once in (2, 4, 9):
        grouped = search(centers, mode="any", answer=islands, restarts=9, steps=3, restarts_at_once=at_once)
        assert torch.equal(grouped.changes, singly.changes) and torch.equal(grouped.run, singly.run)


def test_in_mode_min_groups_of_runs_share_their_ball():
    singly, grouped = search(CENTERS), search(CENTERS, restarts_at_once=6)
    assert not torch.equal(singly.steps, grouped.steps)
    assert (grouped.n_runs == 7).all()


def test_seed_and_step_size_matter():
    first = search(CENTERS, center_run=False)
    assert torch.equal(first.changes, search(CENTERS, center_run=False).changes)
    assert not torch.equal(first.changes, search(CENTERS, center_run=False, seed=1).changes)
    assert not torch.equal(first.changes, search(CENTERS, center_run=False, step_size=0.1).changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(mode="all"), "mode: expected one of min, any"),
        (dict(bound=0.0), "bound: expected a finite number > 0"),
        (dict(restarts=0), "restarts: expected a finite number >= 1"),
        (dict(bisections=-1), "bisections"),
    ],
)
def test_messages(change, message):
    with pytest.raises(ValueError, match=message):
        search(CENTERS, **change)
