"""Strata of a target: nearly equal in size, and the paper's groups of 30 years."""

import pytest
import torch

from blindspots.debias.target_strata import quantile_edges, target_strata

AGES = torch.tensor([0.0, 29.9, 30.0, 59.0, 60.0, 116.0])


def test_an_edge_belongs_to_the_stratum_above_it():
    assert target_strata(AGES, (30, 60)).tolist() == [0, 0, 1, 1, 2, 2]


def test_integers_are_parted_as_floats_are():
    assert target_strata(torch.tensor([29, 30, 61]), (30, 60)).tolist() == [0, 1, 2]


def test_quantile_edges_part_the_targets_into_equal_numbers():
    targets = torch.arange(120.0)[torch.randperm(120, generator=torch.Generator().manual_seed(0))]
    strata = target_strata(targets, quantile_edges(targets, 4))
    assert torch.bincount(strata).tolist() == [30, 30, 30, 30]


@pytest.mark.parametrize("edges", [(), (60, 30), (30, 30), (30, float("inf"))])
def test_edges_that_do_not_rise_are_refused(edges):
    with pytest.raises(ValueError, match="edges: expected finite numbers that rise"):
        target_strata(AGES, edges)


@pytest.mark.parametrize(
    ("targets", "n_strata", "message"),
    [
        (torch.zeros(0), 2, "targets: expected a tensor"),
        (torch.zeros(3, 2), 2, "targets: expected a tensor"),
        (torch.tensor([1.0, float("nan")]), 2, "targets"),
        (AGES, 1, "n_strata"),
        (torch.ones(10), 2, "expected strata that are parted"),
        (torch.tensor([0.0] * 9 + [1.0]), 3, "expected strata that are parted"),
    ],
)
def test_targets_without_strata_are_refused(targets, n_strata, message):
    with pytest.raises(ValueError, match=message):
        quantile_edges(targets, n_strata)
