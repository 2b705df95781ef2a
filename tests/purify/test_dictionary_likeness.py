"""Likeness of dictionaries: 1 for shifted and negated filters, the correlation itself where it is known."""

import pytest
import torch

from blindspots.purify import dictionary_likeness
from blindspots.seeding import generator


def filters(n, side=5, channels=3, seed=0):
    return torch.randn(n, channels, side, side, generator=generator(seed), dtype=torch.float64)


def test_filters_are_found_after_a_shift_a_change_of_sign_and_of_length():
    planted = filters(4)
    moved = torch.zeros(4, 3, 9, 9, dtype=torch.float64)
    moved[:, :, 3:8, 1:6] = -2.5 * planted
    found = torch.cat([filters(2, side=9, seed=1), moved.flip(0)])
    torch.testing.assert_close(dictionary_likeness(found, planted), torch.ones(4, dtype=torch.float64))


def test_it_is_the_correlation_that_can_be_worked_out_by_hand():
    step = torch.tensor([1.0, 1.0])[None, None, None]
    edge = torch.tensor([1.0, -1.0])[None, None, None]
    # Overlapping in one pixel: 1 x 1 / (sqrt 2 sqrt 2).
    torch.testing.assert_close(dictionary_likeness(step, edge), torch.tensor([0.5]))


def test_colors_that_are_orthogonal_are_not_alike():
    red, green = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    red[:, 0], green[:, 1] = 1.0, 1.0
    assert dictionary_likeness(red, green).item() == pytest.approx(0.0, abs=1e-12)


def test_the_best_filter_counts_and_their_order_does_not():
    found, planted = filters(6, seed=2), filters(3, seed=3)
    likeness = dictionary_likeness(found, planted)
    one_by_one = torch.stack([dictionary_likeness(one[None], planted) for one in found]).amax(0)
    torch.testing.assert_close(likeness, one_by_one)
    torch.testing.assert_close(likeness, dictionary_likeness(found.flip(0), planted))
    assert (likeness > 0.1).all() and (likeness < 0.9).all()


@pytest.mark.parametrize(
    ("found", "planted", "message"),
    [
        (filters(2), filters(2, channels=1), "of 3 channels, as the dictionary has, got 1"),
        (torch.zeros(1, 3, 5, 5), torch.ones(1, 3, 5, 5), "dictionary: expected filters that are not all zero"),
        (torch.ones(1, 3, 5, 5), torch.zeros(1, 3, 5, 5), "others: expected filters that are not all zero"),
    ],
)
def test_bad_filters_are_named(found, planted, message):
    with pytest.raises(ValueError, match=message):
        dictionary_likeness(found, planted)
