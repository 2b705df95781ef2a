"""The worker model: brute force over all truths, planted workers, its laws, messages."""

import math
from itertools import product

import pytest
import torch

from blindspots.criticism import dawid_skene
from blindspots.seeding import generator

NAN = float("nan")


def planted(n_questions, rates, prior, *, asked=1.0, seed=0):
    """Draw truths and the votes (Q, W) of workers with rates (W, K, K)."""
    draws = generator(seed, "planted votes")
    truth = torch.multinomial(prior, n_questions, replacement=True, generator=draws)
    votes = torch.stack(
        [torch.multinomial(worker[truth], 1, generator=draws)[:, 0] for worker in rates], dim=1
    ).double()
    drop = torch.rand(votes.shape, generator=draws) >= asked
    drop[drop.all(dim=1), 0] = False
    return truth, votes.masked_fill(drop, NAN)


BINARY = torch.tensor(
    [[[0.95, 0.05], [0.1, 0.9]], [[0.8, 0.2], [0.3, 0.7]], [[0.6, 0.4], [0.05, 0.95]], [[0.5, 0.5], [0.5, 0.5]]],
    dtype=torch.float64,
)
PRIOR = torch.tensor([0.7, 0.3], dtype=torch.float64)


def test_posterior_and_likelihood_equal_a_sum_over_all_truths():
    _, votes = planted(5, BINARY, PRIOR, asked=0.8)
    fit = dawid_skene(votes, smoothing=0.5)
    total, marginal = 0.0, torch.zeros(5, 2, dtype=torch.float64)
    for truth in product(range(2), repeat=5):
        joint = 1.0
        for question, true in enumerate(truth):
            joint *= float(fit.prior[true])
            for worker in range(4):
                vote = votes[question, worker]
                if not vote.isnan():
                    joint *= float(fit.rates[worker, true, int(vote)])
        total += joint
        for question, true in enumerate(truth):
            marginal[question, true] += joint
    torch.testing.assert_close(fit.posterior, marginal / total, rtol=0, atol=1e-12)
    expected = math.log(total) + 0.5 * float(fit.rates.log().sum())
    assert fit.log_likelihood == pytest.approx(expected, abs=1e-12)


def test_planted_workers_are_recovered():
    truth, votes = planted(40_000, BINARY, PRIOR, asked=0.9)
    fit = dawid_skene(votes)
    assert fit.converged
    # 12,000 questions of the rarer kind: a rate has a standard error of about 0.005, more where truth is inferred
    torch.testing.assert_close(fit.rates, BINARY, rtol=0, atol=0.03)
    torch.testing.assert_close(fit.prior, PRIOR, rtol=0, atol=0.02)
    majority = (votes.nanmean(dim=1) > 0.5).long()
    assert (fit.posterior.argmax(1) == truth).double().mean() > (majority == truth).double().mean() + 0.02


def test_three_answers_are_recovered():
    rates = torch.full((6, 3, 3), 0.1, dtype=torch.float64)
    rates[:, range(3), range(3)] = 0.8
    rates[0] = torch.tensor([[0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.0, 0.3, 0.7]])
    _, votes = planted(20_000, rates, torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64), asked=0.7, seed=1)
    fit = dawid_skene(votes, n_classes=3)
    torch.testing.assert_close(fit.rates, rates, rtol=0, atol=0.03)


def test_the_likelihood_never_falls_and_ends_at_a_maximum():
    _, votes = planted(300, BINARY, PRIOR, asked=0.6)
    fit = dawid_skene(votes, tolerance=1e-12, max_iterations=20_000)
    assert fit.converged and (fit.history.diff() > -1e-9).all() and fit.history[-1] > fit.history[0] + 1
    asked = ~votes.isnan()

    def likelihood(prior, rates):
        logs = prior.log() + torch.where(
            asked[..., None], rates.log().transpose(1, 2)[torch.arange(4), votes.nan_to_num(0).long()], 0.0
        ).sum(dim=1)
        return logs.logsumexp(dim=1).sum()

    best = likelihood(fit.prior, fit.rates)
    assert best.item() == pytest.approx(fit.log_likelihood, abs=1e-9)
    draws = generator(1)
    for _ in range(20):
        prior, rates = (
            (value.log() + 0.01 * torch.randn(value.shape, generator=draws, dtype=torch.float64)).softmax(-1)
            for value in (fit.prior, fit.rates)
        )
        assert likelihood(prior, rates) < best


def test_perfect_workers_leave_no_doubt():
    votes = torch.tensor([[0.0, 0, NAN], [1, 1, 1], [NAN, 1, 1], [0, NAN, 0]])
    fit = dawid_skene(votes)
    assert fit.posterior.tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]] and fit.log_likelihood == pytest.approx(
        4 * torch.tensor(0.5).log().item()
    )


def test_an_idle_worker_is_uniform_and_changes_nothing():
    _, votes = planted(200, BINARY, PRIOR)
    fit = dawid_skene(votes)
    more = dawid_skene(torch.cat([votes, torch.full((200, 1), NAN, dtype=votes.dtype)], dim=1))
    assert more.rates[4].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert torch.equal(more.posterior, fit.posterior)


def test_workers_and_questions_may_be_shuffled():
    _, votes = planted(200, BINARY, PRIOR, asked=0.8)
    fit = dawid_skene(votes)
    rows, columns = torch.randperm(200, generator=generator(2)), torch.tensor([2, 0, 3, 1])
    other = dawid_skene(votes[rows][:, columns])
    torch.testing.assert_close(other.posterior, fit.posterior[rows], rtol=0, atol=1e-9)
    torch.testing.assert_close(other.rates, fit.rates[columns], rtol=0, atol=1e-9)


def test_options_matter_and_a_cap_is_no_convergence():
    _, votes = planted(200, BINARY, PRIOR, asked=0.8)
    short = dawid_skene(votes, max_iterations=2)
    assert not short.converged and short.iterations == 2 == len(short.history)
    assert dawid_skene(votes, tolerance=0.1).iterations < dawid_skene(votes).iterations
    pulled = dawid_skene(votes, smoothing=1e6).rates
    torch.testing.assert_close(pulled, torch.full_like(pulled, 0.5), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("votes", "options", "message"),
    [
        (torch.tensor([[0.0, 2.0]]), {}, "expected answers 0 to 1 or NaN, got 2; raise n_classes"),
        (torch.tensor([[0.0, 0.5]]), {}, "got 0.5"),
        (torch.tensor([[0.0, 1.0], [NAN, NAN]]), {}, "got none to 1 of them, the first in row 1"),
        (torch.tensor([[0, 1]]), {}, "expected a float tensor"),
        (torch.tensor([0.0, 1.0]), {}, r"expected shape \(Q, W\)"),
        (torch.tensor([[0.0, 1.0]]), {"n_classes": 1}, "n_classes"),
        (torch.tensor([[0.0, 1.0]]), {"smoothing": -1.0}, "smoothing"),
        (torch.tensor([[0.0, 1.0]]), {"tolerance": 0.0}, "tolerance"),
        (torch.tensor([[0.0, 1.0]]), {"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_input_is_named(votes, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        dawid_skene(votes, **options)
