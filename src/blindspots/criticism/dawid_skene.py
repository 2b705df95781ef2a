"""Workers who err, each in their own way: the model of Dawid and Skene by expectation and maximization."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class WorkerModel:
    """What a fit says about questions and workers.

    Attributes:
        posterior: (Q, K) in float64, the probability of each true answer; rows add up to 1.
        prior: (K,), how common each true answer is.
        rates: (W, K, K), the probability that worker w says column j where row k is true; a row that the worker
            never met is uniform.
        log_likelihood: of the votes, at the returned prior and rates; with smoothing, plus the log density of
            the rates up to a constant.
        history: (iterations,), its value before each update; it never falls.
        iterations: updates made.
        converged: whether the last update raised it by less than the tolerance asked for.
    """

    posterior: Float[Tensor, "Q K"]
    prior: Float[Tensor, " K"]
    rates: Float[Tensor, "W K K"]
    log_likelihood: float
    history: Float[Tensor, " I"]
    iterations: int
    converged: bool


def dawid_skene(
    votes: Tensor,
    *,
    n_classes: int = 2,
    smoothing: float = 0.0,
    tolerance: float = 1e-8,
    max_iterations: int = 1000,
) -> WorkerModel:
    r"""Return what is true and how far each worker can be trusted, from the votes alone.

    A question has a true answer k with probability p_k; given it, workers answer independently of one another,
    worker w saying j with probability r_wkj. Starting from the shares of the votes, in turn
        p_k = mean_q T_qk,   r_wkj ~ smoothing + sum_{q: w says j} T_qk,   T_qk ~ p_k prod_w r_{w k, vote_qw},
    which never lowers the likelihood. The start decides which answer is which: a majority of workers should be
    right more often than not.

    Args:
        votes: (Q, W), each worker's answer 0 to K - 1 to each question, NaN = not asked; a column is a worker,
            a row has at least one answer.
        n_classes: K, at least 2; 2 for no and yes, 3 for no, maybe and yes.
        smoothing: imagined answers of every kind for every worker and truth, at least 0. 0 is the published
            maximum likelihood; with few answers a worker it trusts too much.
        tolerance: stop when the log likelihood rises by less than this for each question.
        max_iterations: updates at most.

    Returns:
        WorkerModel on the device of votes.

    Raises:
        TypeError, ValueError: answers that are no classes, a question nobody answered, an option out of range.

    Source: Dawid and Skene (1979); used on these raters by Beyer et al. (2020).
    Differs from the paper: P4 counts heads (`rectified_error`); its worker ids were not published.
    """
    checks.check_number(n_classes, "n_classes", at_least=2, integer=True)
    checks.check_number(smoothing, "smoothing", at_least=0.0)
    checks.check_number(tolerance, "tolerance", above=0.0)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)
    _check_answers(votes, n_classes)
    n_questions, n_workers = votes.shape
    questions, workers = (~votes.isnan()).nonzero(as_tuple=True)
    answers = votes[questions, workers].long()
    cells = workers * n_classes + answers
    kinds = votes.new_zeros(n_questions, n_classes, dtype=torch.float64)
    kinds.index_put_((questions, answers), kinds.new_ones(()), accumulate=True)
    posterior, previous, history, converged = kinds / kinds.sum(dim=1, keepdim=True), None, [], False
    for _ in range(max_iterations):
        prior, rates = _maximized(posterior, questions, cells, n_workers, smoothing)
        posterior, value = _expected(prior, rates, questions, cells, smoothing)
        history.append(value)
        # Between equal values rounding decides; only a rise that can be told from it is progress.
        if previous is not None and value - previous < tolerance * n_questions:
            converged = True
            break
        previous = value
    return WorkerModel(
        posterior, prior, rates, history[-1], torch.tensor(history, dtype=torch.float64), len(history), converged
    )


def _check_answers(votes: Tensor, n_classes: int) -> None:
    if not isinstance(votes, Tensor) or not votes.is_floating_point():
        got = votes.dtype if isinstance(votes, Tensor) else type(votes).__name__
        raise TypeError(f"votes: expected a float tensor (Q, W) with NaN for not asked, got {got}")
    if votes.ndim != 2 or 0 in votes.shape:
        raise ValueError(f"votes: expected shape (Q, W), a column for each worker, got {tuple(votes.shape)}")
    known = votes[~votes.isnan()]
    if ((known != known.round()) | (known < 0) | (known >= n_classes)).any():
        strange = known[(known != known.round()) | (known < 0) | (known >= n_classes)][0].item()
        raise ValueError(
            f"votes: expected answers 0 to {n_classes - 1} or NaN, got {strange:g}; raise n_classes or recode them"
        )
    empty = votes.isnan().all(dim=1)
    if empty.any():
        raise ValueError(
            f"votes: expected an answer to every question, got none to {int(empty.sum())} of them, the first in row "
            f"{int(empty.nonzero()[0])}; leave those rows out"
        )


def _maximized(
    posterior: Tensor, questions: Tensor, cells: Tensor, n_workers: int, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Return prior (K,) and rates (W, K, K) that fit the posterior best."""
    n_classes = posterior.shape[1]
    counts = posterior.new_zeros(n_workers * n_classes, n_classes).index_add_(0, cells, posterior[questions])
    counts = counts.view(n_workers, n_classes, n_classes).transpose(1, 2) + smoothing
    met = counts.sum(dim=2, keepdim=True)
    return posterior.mean(dim=0), torch.where(met > 0, counts / met, 1 / n_classes)


def _expected(prior: Tensor, rates: Tensor, questions: Tensor, cells: Tensor, smoothing: float) -> tuple[Tensor, float]:
    """Return the posterior (Q, K) under prior and rates, and the log likelihood with its smoothing term."""
    n_classes = len(prior)
    by_cell = rates.log().transpose(1, 2).reshape(-1, n_classes)
    n_questions = int(questions[-1]) + 1
    joint = prior.log().expand(n_questions, n_classes).clone().index_add_(0, questions, by_cell[cells])
    evidence = joint.logsumexp(dim=1, keepdim=True)
    penalty = float(smoothing * rates.log().sum()) if smoothing > 0 else 0.0
    return (joint - evidence).exp(), float(evidence.sum()) + penalty
