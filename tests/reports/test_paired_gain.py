"""The interval of a paired difference: by hand, by symmetry, and by how often it holds the truth."""

import pytest
import torch

from blindspots.reports.paired_gain import paired_gain
from blindspots.seeding import generator


def flags(*counts):
    """Return flags of (both, only the first, only the second, neither)."""
    table = torch.tensor([[1, 1], [1, 0], [0, 1], [0, 0]]).bool().repeat_interleave(torch.tensor(counts), dim=0)
    return table[:, 0], table[:, 1]


def test_value_and_interval_are_those_computed_by_hand():
    gain = paired_gain(*flags(70, 18, 6, 6))
    assert (gain.value, gain.wins, gain.losses, gain.n) == (0.12, 18, 6, 100)
    reach = 1.959964 * ((25 - 144 / 102) ** 0.5) / 102
    assert (gain.low, gain.high) == pytest.approx((12 / 102 - reach, 12 / 102 + reach), abs=1e-6)


def test_the_two_models_change_places():
    first, second = flags(5, 3, 1, 1)
    one, other = paired_gain(first, second), paired_gain(second, first)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_models_that_never_differ_leave_a_width():
    first, _ = flags(6, 0, 0, 4)
    gain = paired_gain(first, first)
    assert gain.value == 0 and gain.low == -gain.high and gain.high > 0


@pytest.mark.parametrize("counts", [(0, 1, 0, 0), (0, 0, 1, 0), (0, 50, 0, 0), (3, 9, 0, 1), (1, 0, 1, 90)])
def test_the_interval_holds_the_value_and_stays_in_range(counts):
    gain = paired_gain(*flags(*counts))
    assert -1 <= gain.low <= gain.value <= gain.high <= 1


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    draws, held, runs, n = generator(0), 0, 2000, 60
    chances = torch.tensor([0.6, 0.2, 0.1, 0.1])  # the true gain is 0.1
    for _ in range(runs):
        counts = torch.multinomial(chances, n, replacement=True, generator=draws).bincount(minlength=4)
        gain = paired_gain(*flags(*counts.tolist()))
        held += gain.low <= 0.1 <= gain.high
    assert 0.93 <= held / runs <= 0.98  # 0.95 has a standard error of 0.005; the interval errs to the wide side


def test_what_does_not_fit_is_refused():
    with pytest.raises(TypeError, match="first: expected a boolean tensor"):
        paired_gain(torch.ones(3), torch.ones(3).bool())
    for first, second in ((3, 2), (0, 0)):
        with pytest.raises(ValueError, match="second: expected the flags"):
            paired_gain(torch.ones(first).bool(), torch.ones(second).bool())
