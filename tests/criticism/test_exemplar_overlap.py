"""Shares counted by hand, and what chance shares."""

import pytest
import torch

from blindspots.criticism import exemplar_overlap, random_prototypes


def showing(*rows):
    return {label: torch.tensor(shown) for label, shown in enumerate(rows)}


def test_shares_are_means_over_classes_of_the_part_of_the_smaller_set():
    shares = exemplar_overlap({"a": [showing([0, 1, 2, 3], [10, 11, 12, 13])], "b": [showing([2, 3], [13, 14])]})
    assert shares.tolist() == [[1.0, 0.75], [0.75, 1.0]] and shares.dtype == torch.float64


def test_all_pairs_of_showings_count_and_the_diagonal_compares_a_method_with_itself():
    shares = exemplar_overlap({"a": [showing([0, 1]), showing([1, 2]), showing([3, 4])], "b": [showing([1, 4])]})
    # Of the draws of a, one pair of three shares one of two; with b each shares one of two.
    assert torch.allclose(shares, torch.tensor([[0.5 / 3, 0.5], [0.5, 1.0]], dtype=torch.float64))


def test_independent_random_choices_share_what_chance_says():
    draws = torch.Generator().manual_seed(0)
    few, many = ([{0: random_prototypes(60, size, generator=draws).prototypes} for _ in range(60)] for size in (3, 6))
    shares = exemplar_overlap({"few": few, "many": many})
    # 3,600 pairs of sets; one share has a deviation of 0.17, and sets come in several pairs.
    assert shares[0, 1].item() == pytest.approx(6 / 60, abs=0.02)
    assert shares[1, 1].item() == pytest.approx(6 / 60, abs=0.02)


def test_the_order_of_rows_says_nothing_and_the_matrix_is_symmetric():
    draws = torch.Generator().manual_seed(1)
    methods = {name: [{4: torch.randperm(12, generator=draws)[:5]} for _ in range(3)] for name in "abc"}
    shares = exemplar_overlap(methods)
    turned = exemplar_overlap({name: [{4: one[4].flip(0)} for one in of_name] for name, of_name in methods.items()})
    assert torch.equal(shares, turned) and torch.allclose(shares, shares.T)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({}, "at least one"),
        ({"a": []}, "at least one showing"),
        ({"a": [showing([1]), showing([1], [2])]}, r"methods\['a'\]: expected the classes \[0\]"),
        ({"a": [showing([1])], "b": [{3: torch.tensor([1])}]}, r"methods\['b'\].*got \[3\]"),
        ({"a": [showing([1, 1])]}, r"methods\['a'\]\[0\]: expected different rows"),
        ({"a": [{0: torch.tensor([], dtype=torch.long)}]}, "at least one, got"),
    ],
)
def test_bad_showings_are_named(methods, message):
    with pytest.raises(ValueError, match=message):
        exemplar_overlap(methods)
