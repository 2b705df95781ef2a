"""Both ends of a ranking, ties, thresholds, and rows that may not be shown."""

import pytest
import torch

from blindspots.criticism.ranked_exemplars import ranked_exemplars

INF = float("inf")
FIT = torch.tensor([INF, 2.0, -INF, 1.0, INF, 3.0])
FORTH, BACK = torch.arange(6), torch.arange(6).flip(0)
ALL = torch.ones(6, dtype=torch.bool)


def take(n_prototypes, n_criticisms, *, ties=(FORTH, FORTH), allowed=ALL, rule="ranked"):
    return ranked_exemplars(FIT, n_prototypes, n_criticisms, ties=ties, allowed=allowed, rule=rule)


def test_the_top_and_the_bottom_are_taken():
    found = take(3, 2)
    assert found.prototypes.tolist() == [0, 4, 5] and found.criticisms.tolist() == [2, 3]
    assert found.n_literal_prototypes == 2 and found.n_literal_criticisms == 1


def test_ties_decide_among_equals_at_each_end():
    assert take(1, 1, ties=(BACK, FORTH)).prototypes.tolist() == [4]
    flat = torch.zeros(6)
    found = ranked_exemplars(flat, 2, 2, ties=(FORTH, BACK), allowed=ALL, rule="ranked")
    assert found.prototypes.tolist() == [0, 1] and found.criticisms.tolist() == [5, 4]


def test_no_example_is_both_and_only_allowed_ones_are_shown():
    found = take(4, 2)
    assert sorted(found.shown.tolist()) == list(range(6))
    allowed = torch.tensor([False, True, True, True, True, True])
    assert take(2, 1, allowed=allowed).prototypes.tolist() == [4, 5]


def test_the_literal_rule_goes_no_further_than_the_thresholds():
    assert take(2, 1, rule="literal").shown.tolist() == [0, 4, 2]
    with pytest.raises(ValueError, match=r"n_prototypes: expected at most 2, the examples that meet .* got 3; use ru"):
        take(3, 1, rule="literal")
    with pytest.raises(ValueError, match=r"n_criticisms: expected at most 1, the examples that meet .* got 2"):
        take(2, 2, rule="literal")


def test_too_few_examples_and_bad_options_are_named():
    with pytest.raises(ValueError, match=r"n_prototypes, n_criticisms: expected at most 6 together.* got 5 \+ 2"):
        take(5, 2)
    with pytest.raises(ValueError, match="n_prototypes: expected a finite number >= 1"):
        take(0, 2)
    with pytest.raises(ValueError, match="n_criticisms: expected a finite number >= 0"):
        take(1, -1)
    with pytest.raises(ValueError, match="rule: expected one of ranked, literal"):
        take(1, 1, rule="strict")
