"""What the rounds of P0's Algorithm 4.1 drew, attacked and moved."""

from __future__ import annotations

from dataclasses import dataclass

from blindspots.fairness import RobustDataset


@dataclass(frozen=True)
class RobustRound:
    """One round of Algorithm 4.1.

    Attributes:
        round: k, from 1.
        n_items: to draw from when it began.
        originals_expected: share in [0, 1] of originals among draws, by the weights.
        originals_drawn: that share of what was drawn; the rest had been attacked before.
        already_wrong: share of the drawn items that the model got wrong before the attack.
        turned: share of the others that the attack turned; NaN if there are none.
        moved: mean L2 length by which the attack moved those others, in units of the [0, 1] range; NaN if none.
        n_right: how many the others are.
    """

    round: int
    n_items: int
    originals_expected: float
    originals_drawn: float
    already_wrong: float
    turned: float
    moved: float
    n_right: int


def robust_rounds(made: RobustDataset) -> list[RobustRound]:
    r"""Return a summary of each round.

    When round k begins, n = (k - 1) N attacked items weigh 1, 2, ..., n and N originals weigh 1 each, so that
        originals_expected = N / (N + n (n + 1) / 2).

    Args:
        made: of `generate_adversarial_dataset`.

    Source: P0, Section 4, Algorithm 4.1: "the batches are sampled biased towards recent iterations".
    """
    lengths = (made.images - made.images[made.parents]).flatten(1).norm(dim=1)
    originals = int((made.rounds == 0).sum())
    summaries = []
    for k in range(1, len(made.seconds) + 1):
        mine = made.rounds == k
        right = mine & ~made.already_wrong
        later = (k - 1) * originals
        summaries.append(
            RobustRound(
                round=k,
                n_items=originals + later,
                originals_expected=originals / (originals + later * (later + 1) / 2),
                originals_drawn=(made.rounds[made.parents[mine]] == 0).double().mean().item(),
                already_wrong=made.already_wrong[mine].double().mean().item(),
                turned=made.success_rates[k - 1],
                moved=lengths[right].double().mean().item(),
                n_right=int(right.sum()),
            )
        )
    return summaries
