"""How many of a panel of five say yes: the breakdown of Figure 2, exact also where more people were asked."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from blindspots import checks


@dataclass(frozen=True)
class VoteBreakdown:
    """How a panel answers over a set of images.

    Attributes:
        shares: (panel + 1,), percent of the judged images with 0, 1, ..., panel answers "yes".
        at_least: (panel + 1,), percent with at least 0, 1, ..., panel; the first is 100.
        n_judged: images with at least `panel` answers.
        n_unjudged: images with fewer; they count nowhere.
    """

    shares: Float[Tensor, " P"]
    at_least: Float[Tensor, " P"]
    n_judged: int
    n_unjudged: int


def check_votes(votes: Tensor, n_images: int | None = None) -> None:
    """Raise unless votes is a float tensor (N, R) of 0, 1 and NaN (not asked), one row for each image."""
    if not isinstance(votes, Tensor):
        raise TypeError(f"votes: expected a torch tensor (N, R), got {type(votes).__name__}; use torch.as_tensor")
    if not votes.is_floating_point():
        raise TypeError(
            f"votes: expected a float tensor, since NaN stands for not asked, got {votes.dtype}; "
            "convert with .float() and put NaN where nobody was asked"
        )
    if votes.ndim != 2 or 0 in votes.shape:
        raise ValueError(f"votes: expected shape (N, R), a row for each image, got {tuple(votes.shape)}")
    if n_images is not None and len(votes) != n_images:
        raise ValueError(
            f"votes: expected one row for each of the {n_images} predictions, got {len(votes)}; "
            "look the rows up with votes_on"
        )
    other = ~((votes == 0) | (votes == 1) | votes.isnan())
    if other.any():
        row = int(other.any(dim=1).nonzero()[0])
        raise ValueError(
            f"votes: expected 0 (no), 1 (yes) or NaN (not asked), got {votes[row][other[row]][0].item():g} in row "
            f"{row}; turn counts into votes with votes_from_counts"
        )


def panel_shares(votes: Tensor, *, panel: int = 5) -> Float[Tensor, "N P"]:
    r"""Return for each image the probability that a panel drawn from its answers says yes 0, 1, ..., panel times.

    With a answers, s of them yes, and a panel of p people drawn without replacement,
        P(y yes) = C(s, y) C(a - s, p - y) / C(a, p);
    with exactly p answers that is 1 at y = s and 0 elsewhere, the plain count.

    Args:
        votes: (N, R), 1 = yes, 0 = no, NaN = not asked; R may exceed the panel (all workers of a study).
        panel: people in a panel, at least 1.

    Returns:
        (N, panel + 1) in float64, rows adding up to 1; NaN for an image with fewer than `panel` answers.

    Raises:
        TypeError, ValueError: bad votes or panel.

    Source: P4 Sec. 3.1 (five workers). Differs from the paper: an image with more than five answers gets the
    exact expectation over all panels, which the paper did not need.
    """
    checks.check_number(panel, "panel", at_least=1, integer=True)
    check_votes(votes)
    yes, asked = (votes == 1).sum(dim=1), (~votes.isnan()).sum(dim=1)
    size = max(int(asked.max()), panel)
    # Binomial coefficients as whole numbers: with exactly `panel` answers the shares are 0 and 1, not nearly so.
    table = torch.tensor(
        [[float(math.comb(n, k)) for k in range(panel + 1)] for n in range(size + 1)],
        dtype=torch.float64,
        device=votes.device,
    )
    ways = table[yes] * table[asked - yes].flip(1)
    return ways / torch.where(asked >= panel, table[asked, panel], math.nan)[:, None]


def vote_breakdown(votes: Tensor, *, panel: int = 5) -> VoteBreakdown:
    """Return how many images get how many yes answers from a panel, in percent.

    Args:
        votes: see `panel_shares`; of mistakes for Figure 2, of ground-truth labels for a control.
        panel: see `panel_shares`.

    Returns:
        VoteBreakdown; every share is NaN if no image has enough answers.

    Raises:
        TypeError, ValueError: as `panel_shares`.

    Source: P4 Fig. 2 and 4.
    """
    shares = panel_shares(votes, panel=panel)
    judged = ~shares[:, 0].isnan()
    mean = 100 * shares[judged].mean(dim=0)
    return VoteBreakdown(mean, mean.flip(0).cumsum(0).flip(0), int(judged.sum()), int((~judged).sum()))
