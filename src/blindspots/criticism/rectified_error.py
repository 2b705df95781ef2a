"""The rectified error: a mistake that four of five people accept is no mistake."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks
from blindspots.criticism.rectification import (
    Rectification,
    check_judged,
    check_predictions,
    check_resampling,
    resampled,
    summarized,
)
from blindspots.criticism.vote_breakdown import VoteBreakdown, check_votes, panel_shares, vote_breakdown


@dataclass(frozen=True, kw_only=True)
class RectifiedError(Rectification):
    """A Rectification by votes, with every threshold beside the chosen one.

    Attributes:
        agree: answers "yes" that make a mistake right.
        panel: people in a panel.
        breakdown: of the judged mistakes by their number of yes answers, as in Figure 2.
        sweep: (panel,), the rectified error in percent when 1, 2, ..., panel yes answers are asked for.
        sweep_intervals: (panel, 2), their bootstrap intervals; None without a generator.
    """

    agree: int
    panel: int
    breakdown: VoteBreakdown
    sweep: Float[Tensor, " P"]
    sweep_intervals: Float[Tensor, "P 2"] | None = None


def rectified_error(
    predictions: Tensor,
    labels: Tensor,
    votes: Tensor,
    *,
    agree: int = 4,
    panel: int = 5,
    asked: Tensor | None = None,
    n_classes: int | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    generator: torch.Generator | None = None,
) -> RectifiedError:
    r"""Return the error that is left when people accept a mistake, at every threshold.

    A mistake is accepted when at least `agree` of a panel of `panel` people say that the predicted class is
    relevant for the image. With M mistakes among N images,
        rectified = 100 M / N (1 - share of the judged mistakes that are accepted).

    Args:
        predictions: (N,) classes.
        labels: (N,) classes; the ground truth.
        votes: (N, R) floats on the predicted class, 1 = yes, 0 = no, NaN = not asked; a column may be a worker.
            Rows of right predictions are not read. A mistake with fewer than `panel` answers is unjudged; with
            more, the expectation over all panels counts (see `panel_shares`).
        agree: 1 to panel.
        panel: at least 1.
        asked: (N,), the class that each row's votes are about; any that is not the prediction is an error.
            None = taken on trust.
        n_classes: number of classes, so that an unknown label is an error; None = not checked.
        resamples: bootstrap samples of images, with replacement.
        level: probability of the intervals, inside (0, 1).
        generator: a CPU generator for the bootstrap; None = no intervals.

    Returns:
        RectifiedError, in percent. Without a mistake both errors are 0 and the breakdown is NaN.

    Raises:
        TypeError, ValueError: votes that do not match the predictions, values that are no votes, an unknown
            label, no mistake with enough answers, an option out of range.

    Source: P4 Sec. 3.1, Table 1, Fig. 2.
    Differs from the paper: nothing where every mistake has five votes; partial votes, intervals and the
    sweep are ours.
    """
    checks.check_number(panel, "panel", at_least=1, integer=True)
    checks.check_number(agree, "agree", at_least=1, at_most=panel, integer=True)
    check_predictions(predictions, labels, n_classes)
    check_votes(votes, len(labels))
    check_resampling(resamples, level, generator)
    mistakes = predictions != labels
    if asked is not None:
        checks.check_labels(asked, len(labels), n_classes=n_classes, name="asked")
        wrong = (asked != predictions) & mistakes & ~votes.isnan().all(dim=1)
        if wrong.any():
            row = int(wrong.nonzero()[0])
            raise ValueError(
                f"asked: expected the votes to be about the predictions, got class {int(asked[row])} where "
                f"{int(predictions[row])} is predicted in row {row}; look the votes up with votes_on"
            )
    about_mistakes, n_mistakes = votes[mistakes], int(mistakes.sum())
    if not n_mistakes:
        return _without_mistakes(labels, votes, agree, panel, generator is not None)
    breakdown = vote_breakdown(about_mistakes, panel=panel)
    most = int((~about_mistakes.isnan()).sum(dim=1).max())
    check_judged(
        n_mistakes, breakdown.n_judged, "votes", f"a panel has {panel} people, no mistake more than {most} answers"
    )
    shares = panel_shares(about_mistakes, panel=panel)
    shares = shares[~shares[:, 0].isnan()]
    accepted = shares.flip(1).cumsum(dim=1).flip(1)[:, 1:]
    intervals = None
    if generator is not None:
        intervals = resampled(len(labels), n_mistakes, accepted, resamples, level, generator).T
    return RectifiedError(
        *summarized(len(labels), n_mistakes, accepted[:, agree - 1]),
        interval=None if intervals is None else (float(intervals[agree - 1, 0]), float(intervals[agree - 1, 1])),
        agree=agree,
        panel=panel,
        breakdown=breakdown,
        sweep=100 * n_mistakes / len(labels) * (1 - accepted.mean(dim=0)),
        sweep_intervals=intervals,
    )


def _without_mistakes(labels: Tensor, votes: Tensor, agree: int, panel: int, bootstrap: bool) -> RectifiedError:
    """Return zeros: an error that is not there is 0 at every threshold and in every resample."""
    zeros = torch.zeros(panel, dtype=torch.float64, device=votes.device)
    nothing = torch.full((panel + 1,), torch.nan, dtype=torch.float64, device=votes.device)
    return RectifiedError(
        *summarized(len(labels), 0, zeros[:0]),
        interval=(0.0, 0.0) if bootstrap else None,
        agree=agree,
        panel=panel,
        breakdown=VoteBreakdown(nothing, nothing, 0, 0),
        sweep=zeros,
        sweep_intervals=zeros[:, None].expand(-1, 2).clone() if bootstrap else None,
    )
