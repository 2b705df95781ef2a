"""Round covariances for clusters of two: what is changed, what is not, and what it cures."""

import pytest
import torch

from blindspots.purify import fit_semantic_clusters, round_small_clusters
from blindspots.seeding import generator

DRAWS = torch.randn(40, 16, generator=generator(0), dtype=torch.float64)
FEATURES = torch.cat([DRAWS[:38], DRAWS[38:] + 20.0])
LABELS = torch.tensor([0] * 38 + [1] * 2)


def fitted(covariance="ledoit_wolf"):
    return fit_semantic_clusters(FEATURES, LABELS, max_clusters=1, covariance=covariance, generator=generator(1))


def test_small_clusters_get_the_mean_variance_in_every_direction():
    known, found = fitted(), round_small_clusters(fitted())
    means = torch.stack([FEATURES[label == LABELS].mean(0) for label in (0, 1)])
    variance = (FEATURES - means[LABELS]).square().mean()
    torch.testing.assert_close(found.covariances[1], variance * torch.eye(16).double(), rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(found.precisions[1] @ found.covariances[1], torch.eye(16).double())
    torch.testing.assert_close(found.log_determinants[1], torch.logdet(found.covariances[1]))
    for name in ("covariances", "precisions", "log_determinants"):
        assert torch.equal(getattr(found, name)[0], getattr(known, name)[0])
    assert torch.equal(found.means, known.means) and torch.equal(found.members, known.members)


def test_another_image_of_the_pair_is_no_longer_at_an_absurd_distance():
    other = FEATURES[38:].mean(0, keepdim=True) + torch.randn(1, 16, generator=generator(2), dtype=torch.float64)
    typical = fitted().mahalanobis(FEATURES)[:38, 0].max()
    assert fitted().mahalanobis(other)[0, 1] > 100 * typical
    assert round_small_clusters(fitted()).mahalanobis(other)[0, 1] < 2 * typical


def test_at_most_decides_which_clusters_change():
    known = fitted()
    assert torch.equal(round_small_clusters(known, at_most=1).precisions, known.precisions)
    changed = (round_small_clusters(known, at_most=38).precisions != known.precisions).flatten(1).any(1)
    assert changed.tolist() == [True, True]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at_most: expected"):
        round_small_clusters(fitted(), at_most=0)
    for covariance in ("paper_pinv", "euclidean"):
        with pytest.raises(ValueError, match="clusters: expected covariance 'ledoit_wolf'"):
            round_small_clusters(fitted(covariance))
