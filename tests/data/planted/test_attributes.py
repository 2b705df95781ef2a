"""Binary attributes with chosen correlations."""

import itertools
import math

import pytest
import torch

from blindspots.data.planted.attributes import correlated_attributes, phi_coefficient, phi_range
from blindspots.seeding import generator

NAMES = ("a", "b", "c", "d")


def draw(n=1000, seed=0, **options):
    return correlated_attributes(n, NAMES, generator=generator(seed), **options)


@pytest.mark.parametrize("phi", [-1.0, -0.6, 0.0, 0.25, 0.9, 1.0])
def test_the_chosen_correlation_is_realized_up_to_rounding(phi):
    drawn = draw(correlations={("a", "c"): phi})
    # half a row in one cell moves phi by 0.5 / (1000 * 0.25) = 0.002
    assert phi_coefficient(drawn[:, 0], drawn[:, 2]) == pytest.approx(phi, abs=0.0021)


def test_prevalences_are_realized_up_to_rounding():
    drawn = draw(prevalences={"a": 0.1, "d": 0.333}, correlations={("a", "d"): 0.2})
    assert drawn.sum(0).tolist() == [100, 500, 500, 333]
    # half a row of rounding moves phi by at most 0.5 / (1000 * sqrt(.1 * .9 * .333 * .667))
    assert phi_coefficient(drawn[:, 0], drawn[:, 3]) == pytest.approx(0.2, abs=0.004)


def test_several_pairs_hold_at_once_and_a_chain_multiplies():
    drawn = draw(20000, correlations={("a", "b"): 0.8, ("b", "c"): -0.5})
    assert phi_coefficient(drawn[:, 0], drawn[:, 1]) == pytest.approx(0.8, abs=1e-3)
    assert phi_coefficient(drawn[:, 1], drawn[:, 2]) == pytest.approx(-0.5, abs=1e-3)
    # four standard errors of a correlation over 20,000 rows
    assert phi_coefficient(drawn[:, 0], drawn[:, 2]) == pytest.approx(-0.4, abs=4 / math.sqrt(20000))


def test_attributes_not_paired_are_independent():
    drawn = draw(10000, correlations={("a", "b"): 0.9})
    for first, second in itertools.combinations(range(4), 2):
        if (first, second) != (0, 1):
            assert abs(phi_coefficient(drawn[:, first], drawn[:, second])) < 4 / math.sqrt(10000)


def test_the_attainable_range_is_attained():
    low, high = phi_range(0.2, 0.5)
    assert (low, high) == pytest.approx((-0.5, 0.5))
    drawn = draw(prevalences={"a": 0.2}, correlations={("a", "b"): high})
    assert not (drawn[:, 0] & ~drawn[:, 1]).any()


def test_phi_agrees_with_the_correlation_coefficient():
    drawn = draw(prevalences={"a": 0.3}, correlations={("a", "b"): 0.4})
    expected = torch.corrcoef(drawn[:, :2].T.double())[0, 1]
    assert phi_coefficient(drawn[:, 0], drawn[:, 1]) == pytest.approx(expected.item())


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    assert torch.equal(draw(seed=3), draw(seed=3))
    assert not torch.equal(draw(seed=3), draw(seed=4))


def test_a_correlation_the_prevalences_forbid_is_refused_with_the_range():
    with pytest.raises(
        ValueError, match=r"expected a phi in \[-0.500, 0.500\] for prevalences 0.2 and 0.5, got 0.6"
    ):
        draw(prevalences={"a": 0.2}, correlations={("a", "b"): 0.6})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prevalences": {"a": 0.0}}, "prevalences.*expected a finite number > 0"),
        ({"prevalences": {"a": 1.0}}, "share in .0, 1. that leaves both values"),
        ({"prevalences": {"a": 0.0001}}, "leaves both values among 1000 rows"),
        ({"prevalences": {"z": 0.5}}, "prevalences: expected one of a, b, c, d; got 'z'"),
        ({"correlations": {("a", "z"): 0.5}}, "correlations: expected one of a, b, c, d; got 'z'"),
        ({"correlations": {("a", "b"): 1.5}}, "correlations.*<= 1"),
        ({"correlations": {"ab": 0.5}}, "correlations: expected pairs of names as keys"),
        ({"correlations": {("a", "a"): 0.5}}, "form no loop"),
        ({"correlations": {("a", "b"): 0.5, ("b", "a"): 0.5}}, "form no loop"),
        ({"correlations": {("a", "b"): 0.5, ("b", "c"): 0.5, ("c", "a"): 0.5}}, "form no loop"),
    ],
)
def test_requests_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw(**options)


def test_phi_of_a_constant_vector_is_refused():
    with pytest.raises(ValueError, match="phi is undefined"):
        phi_coefficient(torch.ones(5), torch.tensor([0, 1, 0, 1, 1]))
