"""Agreement of assignments, counted by hand on clusters a line apart."""

import pytest
import torch

from blindspots.purify import cluster_agreement, fit_semantic_clusters
from blindspots.seeding import generator

SPOTS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]])
LABELS = torch.arange(3).repeat_interleave(20)
SAMPLES = SPOTS[LABELS] + torch.randn(60, 2, generator=generator(0))
CLUSTERS = fit_semantic_clusters(SAMPLES, LABELS, max_clusters=1, generator=generator(1))


def agreement(clean, attacked, own=None, labels=None):
    clean, attacked = (torch.tensor(indices) for indices in (clean, attacked))
    own = clean if own is None else torch.tensor(own)
    labels = own if labels is None else torch.tensor(labels)
    return cluster_agreement(CLUSTERS, SPOTS[clean], SPOTS[attacked], own, labels)


def test_shares_are_those_counted_by_hand():
    found = agreement([0, 0, 1, 2], [0, 1, 1, 0], own=[0, 0, 2, 0], labels=[0, 1, 1, 2])
    assert (found.same, found.reference, found.right_class, found.n_used) == (0.5, 0.5, 0.75, 2)
    assert found.chance == pytest.approx(0.5 * 0.5 + 0.25 * 0.5)
    assert found.beyond_chance == pytest.approx((0.5 - 0.375) / (1 - 0.375))


def test_identical_features_agree_fully():
    found = agreement([0, 1, 2], [0, 1, 2])
    assert (found.same, found.reference, found.right_class, found.beyond_chance, found.n_used) == (1, 1, 1, 1, 3)


def test_one_cluster_for_all_is_agreement_without_merit():
    found = agreement([1, 1, 1], [1, 1, 1], own=[0, 1, 2])
    assert found.same == found.chance == 1 and found.beyond_chance == 0 and found.n_used == 1
    assert found.reference == pytest.approx(1 / 3)


def test_order_of_the_images_does_not_matter():
    assert agreement([0, 1, 2], [0, 2, 2]) == agreement([2, 1, 0], [2, 2, 0])


@pytest.mark.parametrize(
    ("clean", "attacked", "own", "message"),
    [
        (SPOTS, SPOTS[:2], torch.arange(3), "attacked: expected features of the shape of clean"),
        (SPOTS[:0], SPOTS[:0], torch.arange(0), "clean: expected at least one image"),
        (SPOTS, SPOTS, torch.tensor([0, 1, 3]), "own"),
        (SPOTS, SPOTS, torch.arange(2), "own"),
    ],
)
def test_what_does_not_fit_is_refused(clean, attacked, own, message):
    with pytest.raises(ValueError, match=message):
        cluster_agreement(CLUSTERS, clean, attacked, own, torch.zeros(len(clean), dtype=torch.long))
