"""The rectified top-5 error, in the two readings of the paper."""

from __future__ import annotations

from dataclasses import dataclass

import torch
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
from blindspots.criticism.vote_breakdown import check_votes, panel_shares

READINGS = ("top5", "top1")


@dataclass(frozen=True, kw_only=True)
class RectifiedTop5(Rectification):
    """A Rectification where several classes are shown with an image.

    Attributes:
        top5_error: percent of images whose label is not among the classes shown.
        top1_error: percent of images whose first class is not the label.
        reading: which images are judged; `error` is the top-5 or the top-1 error accordingly.
    """

    top5_error: float
    top1_error: float
    reading: str


def rectified_top5_error(
    shown: Tensor,
    labels: Tensor,
    votes: Tensor,
    *,
    agree: int = 4,
    panel: int = 5,
    reading: str = "top5",
    n_classes: int | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    generator: torch.Generator | None = None,
) -> RectifiedTop5:
    """Return the top-5 error that is left when people find one of the classes shown relevant.

    Args:
        shown: (N, P) classes shown with each image, the most probable first; P = 5 in the paper.
        labels: (N,) classes; the ground truth.
        votes: (N, R), whether any of the classes shown is relevant: 1 = yes, 0 = no, NaN = not asked; see
            `any_of_shown`.
        agree: 1 to panel, answers "yes" that make a mistake right.
        panel: people in a panel, see `panel_shares`.
        reading: "top5" has the images judged whose label is not shown; "top1" all those whose first class is
            not the label, so that an image whose label is shown still counts as wrong if people reject all
            classes.
        n_classes, resamples, level, generator: see `rectified_error`.

    Returns:
        RectifiedTop5, in percent.

    Raises:
        TypeError, ValueError: as `rectified_error`, a class shown twice with one image, an unknown reading.

    Source: P4 Sec. 3.1: 6.44 falls to 1.94 under "top1" and to 1.37 under "top5".
    Differs from the paper: it does not say whether a rejected image whose label is shown counts as wrong under
    "top1"; here it does. With the top-5 mistakes alone in the count, the two figures would be two polls of the
    same images.
    """
    checks.check_choice(reading, "reading", READINGS)
    checks.check_number(panel, "panel", at_least=1, integer=True)
    checks.check_number(agree, "agree", at_least=1, at_most=panel, integer=True)
    if not isinstance(shown, Tensor) or shown.ndim != 2 or shown.shape[1] == 0:
        got = tuple(shown.shape) if isinstance(shown, Tensor) else type(shown).__name__
        raise ValueError(f"shown: expected classes (N, P), got {got}; take logits.topk(5).indices")
    for column in shown.unbind(1):
        check_predictions(column, labels, n_classes)
    ordered = shown.sort(dim=1).values
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        row = int((ordered[:, 1:] == ordered[:, :-1]).any(dim=1).nonzero()[0])
        raise ValueError(f"shown: expected different classes in a row, got {shown[row].tolist()} in row {row}")
    check_votes(votes, len(labels))
    check_resampling(resamples, level, generator)
    top1, top5 = shown[:, 0] != labels, (shown != labels[:, None]).all(dim=1)
    mistakes = top5 if reading == "top5" else top1
    shares = panel_shares(votes, panel=panel)[mistakes]
    accepted = shares[~shares[:, 0].isnan(), agree:].sum(dim=1)
    n_mistakes = int(mistakes.sum())
    check_judged(n_mistakes, len(accepted), "votes", f"an image counts if it has {panel} answers")
    interval = None
    if generator is not None:
        ends = resampled(len(labels), n_mistakes, accepted[:, None], resamples, level, generator)
        interval = (float(ends[0, 0]), float(ends[1, 0]))
    return RectifiedTop5(
        *summarized(len(labels), n_mistakes, accepted),
        interval=interval,
        top5_error=100 * float(top5.double().mean()),
        top1_error=100 * float(top1.double().mean()),
        reading=reading,
    )
