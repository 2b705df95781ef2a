"""Panels: exact counts, enumeration of all panels, laws, messages."""

from itertools import combinations

import pytest
import torch

from blindspots.criticism import panel_shares, vote_breakdown

NAN = float("nan")


def test_five_answers_are_simply_counted():
    votes = torch.tensor([[1.0, 1, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]])
    expected = torch.zeros(3, 6, dtype=torch.float64)
    expected[[0, 1, 2], [4, 0, 5]] = 1.0
    assert torch.equal(panel_shares(votes), expected)


def test_more_answers_are_averaged_over_every_panel():
    answers = [1.0, 0, 1, 1, 0, 1, 0]
    counts = torch.zeros(4, dtype=torch.float64)
    panels = list(combinations(answers, 3))
    for chosen in panels:
        counts[int(sum(chosen))] += 1 / len(panels)
    found = panel_shares(torch.tensor([answers + [NAN]]), panel=3)[0]
    torch.testing.assert_close(found, counts, rtol=0, atol=1e-15)


def test_an_image_with_too_few_answers_is_not_judged():
    votes = torch.tensor([[1.0, 1, NAN, 1], [1, 0, 1, 1]])
    shares = panel_shares(votes, panel=4)
    assert shares[0].isnan().all() and shares[1].tolist() == [0, 0, 0, 1, 0]
    found = vote_breakdown(votes, panel=4)
    assert (found.n_judged, found.n_unjudged) == (1, 1)
    assert panel_shares(votes, panel=3)[0].tolist() == [0, 0, 0, 1]


def test_breakdown_adds_up_and_falls():
    votes = torch.tensor([[1.0, 1], [1, 0], [0, 1], [0, 0]])
    found = vote_breakdown(votes, panel=2)
    assert found.shares.tolist() == [25, 50, 25]
    assert found.at_least.tolist() == [100, 75, 25]


def test_columns_may_be_shuffled_and_votes_stay_as_they_are():
    draws = torch.Generator().manual_seed(0)
    votes = torch.randint(0, 2, (20, 9), generator=draws).float()
    votes[torch.rand(20, 9, generator=draws) < 0.2] = NAN
    before = votes.clone()
    found = panel_shares(votes)
    assert torch.equal(found.nan_to_num(-1), panel_shares(votes[:, torch.arange(8, -1, -1)]).nan_to_num(-1))
    assert torch.equal(votes.nan_to_num(-1), before.nan_to_num(-1))


@pytest.mark.parametrize(
    ("votes", "error", "message"),
    [
        ([[1.0, 0.0]], TypeError, "votes.*expected a torch tensor|parameter .votes."),
        (torch.tensor([[1, 0]]), TypeError, "NaN stands for not asked"),
        (torch.tensor([1.0, 0.0]), ValueError, r"expected shape \(N, R\)"),
        (torch.tensor([[1.0, 0.0], [0.0, 3.0]]), ValueError, "got 3 in row 1; turn counts into votes"),
    ],
)
def test_bad_votes_are_named(votes, error, message):
    with pytest.raises(error, match=message):
        vote_breakdown(votes)


def test_a_panel_has_somebody_in_it():
    with pytest.raises(ValueError, match="panel"):
        panel_shares(torch.ones(1, 5), panel=0)
