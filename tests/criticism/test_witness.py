"""The witness against its definition, and what it says about prototypes that miss a group."""

import pytest
import torch

from blindspots.criticism import select_criticisms, select_prototypes, witness


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(features, prototypes, points, bandwidth):
    def mean(rows):
        return torch.exp(-(points[:, None] - rows[None]).square().sum(-1) / (2 * bandwidth**2)).mean(1)

    return mean(features) - mean(prototypes)


@pytest.mark.parametrize("n", [3, 700])
def test_it_is_the_difference_of_two_mean_kernels(n):
    features, points = draw(n, 4) + 50.0, draw(600, 4, seed=1) + 50.0
    found = witness(features, features[:2], points, bandwidth=1.5)
    torch.testing.assert_close(found, by_definition(features, features[:2], points, 1.5), rtol=0, atol=1e-12)


def test_it_vanishes_where_everything_is_a_prototype_and_changes_sign_with_its_samples():
    features, points = draw(20, 3), draw(5, 3, seed=1)
    assert witness(features, features, points, bandwidth=1.0).abs().max() < 1e-15
    forth = witness(features, features[:4], points, bandwidth=1.0)
    torch.testing.assert_close(witness(features[:4], features, points, bandwidth=1.0), -forth, rtol=0, atol=1e-14)


def test_it_is_positive_at_a_group_without_a_prototype_and_negative_at_one_with_all_of_them():
    features = torch.cat([draw(10, 2) * 0.1, draw(10, 2, seed=1) * 0.1 + 5.0])
    values = witness(features, features[:3], torch.tensor([[5.0, 5.0], [0.0, 0.0]]), bandwidth=1.0)
    assert values[0] > 0.4 and values[1] < -0.4 and values.dtype == torch.float32


def test_criticisms_are_where_its_absolute_value_is_largest():
    features = draw(50, 3, seed=2)
    prototypes = select_prototypes(features, 5)
    values = witness(features, features[prototypes.indices], features, bandwidth=prototypes.bandwidth).abs()
    values[prototypes.indices] = -1.0
    first = select_criticisms(features, prototypes, 4, regularizer="none").indices
    assert torch.equal(first, values.argsort(descending=True)[:4])


def test_bad_arguments_are_named():
    features = draw(5, 3)
    with pytest.raises(ValueError, match="bandwidth: expected a finite number > 0"):
        witness(features, features, features, bandwidth=0)
    with pytest.raises(ValueError, match="points: expected 3 dimensions, as the features have, got 2; use the same"):
        witness(features, features, draw(5, 2), bandwidth=1.0)
    with pytest.raises(ValueError, match=r"prototypes: expected shape \(N, D\)"):
        witness(features, features[0], features, bandwidth=1.0)
