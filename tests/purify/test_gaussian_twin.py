"""Features with the means and covariances of others, and no clusters."""

import pytest
import torch

from blindspots.purify import fit_semantic_clusters, gaussian_twin


def drawn(n=4000, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    mix = torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0]])
    features = torch.randn(n, 2, generator=generator, **options) @ mix.to(**options)
    return features + 5.0 * labels[:, None], labels


def test_means_and_covariances_are_those_of_each_class():
    features, labels = drawn()
    twin = gaussian_twin(features, labels, generator=torch.Generator().manual_seed(1))
    for label in (0, 1):
        mine, theirs = features[labels == label], twin[labels == label]
        # Standard errors: 2.2 / sqrt(2000) = 0.05 for a mean, about 0.16 for the largest variance, 5.
        assert torch.allclose(mine.mean(0), theirs.mean(0), atol=0.25)
        assert torch.allclose(mine.T.cov(), theirs.T.cov(), atol=0.65)


def test_directions_without_spread_stay_without():
    features, labels = drawn(200)
    twin = gaussian_twin(features, labels, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(twin[:, 2], 5.0 * labels.float(), atol=1e-5)


def test_clusters_that_were_there_are_gone():
    generator = torch.Generator().manual_seed(0)
    centers = torch.tensor([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0], [20.0, 20.0]])
    features = centers.repeat(100, 1) + torch.randn(400, 2, generator=generator)
    labels = torch.zeros(400, dtype=torch.long)
    twin = gaussian_twin(features, labels, generator=generator)
    left = []
    for rows in (features, twin):
        curve = fit_semantic_clusters(rows, labels, covariance="euclidean", generator=generator).wcss[0]
        left.append(curve[3] / curve[0])
    assert left[0] < 0.02 < 0.1 < left[1]


def test_dtype_is_kept_seeds_count_and_inputs_are_left_alone():
    features, labels = drawn(50, dtype=torch.float64)
    before = features.clone()
    first, again, other = (
        gaussian_twin(features, labels, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    )
    assert first.dtype == torch.float64 and torch.equal(features, before)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_one_sample_is_its_own_twin():
    features = torch.tensor([[1.0, 2.0]])
    twin = gaussian_twin(features, torch.tensor([0]), generator=torch.Generator())
    assert torch.equal(twin, features)


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="features: expected float features"):
        gaussian_twin(torch.zeros(3, 2, 2), torch.zeros(3, dtype=torch.long), generator=torch.Generator())
    with pytest.raises(ValueError, match="labels"):
        gaussian_twin(torch.zeros(3, 2), torch.zeros(2, dtype=torch.long), generator=torch.Generator())
