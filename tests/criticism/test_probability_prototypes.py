"""Thresholds on the probability of an example's own class, and draws among those that meet them."""

import pytest
import torch

from blindspots.criticism import probability_prototypes

PROBABILITIES = torch.tensor([0.95, 0.02, 0.5, 0.99, 0.9, 0.1, 0.05, 0.92, 0.3])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def choose(*counts, **options):
    return probability_prototypes(PROBABILITIES, *counts, generator=seeded(), **options)


def test_the_thresholds_are_strict():
    found = choose(3, 2, rule="literal")
    assert sorted(found.prototypes.tolist()) == [0, 3, 7] and sorted(found.criticisms.tolist()) == [1, 6]
    with pytest.raises(ValueError, match="n_prototypes: expected at most 3"):
        choose(4, rule="literal")


def test_the_next_most_and_least_probable_follow_and_are_counted():
    found = choose(5, 4)
    assert found.prototypes.tolist()[3:] == [4, 2] and found.criticisms.tolist()[2:] == [5, 8]
    assert found.n_literal_prototypes == 3 and found.n_literal_criticisms == 2


def test_thresholds_can_be_moved():
    assert sorted(choose(2, above=0.94, rule="literal").prototypes.tolist()) == [0, 3]
    assert choose(1, 1, below=0.04, rule="literal").criticisms.tolist() == [1]


def test_a_seed_decides_among_those_that_qualify():
    confident = torch.linspace(0.91, 1.0, 50)
    first, same = (probability_prototypes(confident, 6, generator=seeded(1)).prototypes for _ in range(2))
    assert torch.equal(first, same) and first.sort().values.tolist() != list(range(44, 50))
    assert not torch.equal(first, probability_prototypes(confident, 6, generator=seeded(2)).prototypes)


@pytest.mark.parametrize(
    ("probabilities", "options", "message"),
    [
        (torch.ones(2, 3), {}, r"probabilities: expected \(N,\), that of its own class for each example, got \(2, 3\)"),
        (torch.tensor([0.1, 1.5]), {}, r"probabilities: expected values in \[0, 1\], got \[0.1, 1.5\]; take a softmax"),
        (torch.tensor([0.1, float("nan")]), {}, "probabilities: expected finite values"),
        (torch.tensor([0.1, 0.9]), dict(above=1.5), "above: expected a finite number >= 0 and <= 1"),
        (torch.tensor([0.1, 0.9]), dict(below=0.95), "below: expected a finite number >= 0 and <= 0.9"),
        (torch.tensor([0.1]), {}, r"expected at most 1 together.* got 1 \+ 1"),
    ],
)
def test_bad_arguments_are_named(probabilities, options, message):
    with pytest.raises(ValueError, match=message):
        probability_prototypes(probabilities, 1, 1, generator=seeded(), **options)
