"""The two selections one after the other, and within classes."""

import pytest
import torch

from blindspots.criticism import exemplars_by_class, mmd_exemplars, select_criticisms, select_prototypes


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_the_two_selections():
    features = draw(40, 3)
    options = dict(regularizer="logdet", weight=1e-2)
    found = mmd_exemplars(features, 4, 5, bandwidth=0.7, **options)
    prototypes = select_prototypes(features, 4, bandwidth=0.7)
    assert torch.equal(found.prototypes, prototypes.indices)
    assert torch.equal(found.criticisms, select_criticisms(features, prototypes, 5, **options).indices)
    assert found.n_literal_prototypes == 4 and found.n_literal_criticisms == 5


def test_options_reach_the_selections():
    features = draw(60, 2, seed=8)
    base = mmd_exemplars(features, 4, 8)
    for options in (dict(regularizer="none"), dict(weight=1e-3), dict(bandwidth=0.2)):
        assert not torch.equal(mmd_exemplars(features, 4, 8, **options).criticisms, base.criticisms), options


def test_no_criticisms_may_be_asked():
    found = mmd_exemplars(draw(10, 2), 3)
    assert len(found.criticisms) == 0 and len(found.shown) == 3


def test_within_a_class_it_sees_that_class_only():
    features, labels = draw(40, 3), torch.arange(40) % 2
    chosen = exemplars_by_class(labels, lambda rows: mmd_exemplars(features[rows], 3, 2))
    alone = mmd_exemplars(features[1::2], 3, 2)
    assert torch.equal(chosen[1].shown, 2 * alone.shown + 1)


def test_a_class_that_is_too_small_is_named():
    features, labels = draw(12, 3), torch.tensor([0] * 9 + [1] * 3)
    with pytest.raises(ValueError, match=r"class 1 \(3 examples\): n: expected at most one prototype per example"):
        exemplars_by_class(labels, lambda rows: mmd_exemplars(features[rows], 4))
    with pytest.raises(ValueError, match=r"class 1 \(3 examples\): n: expected at most 1 criticisms"):
        exemplars_by_class(labels, lambda rows: mmd_exemplars(features[rows], 2, 2))
    with pytest.raises(ValueError, match="n_criticisms: expected a finite number >= 0"):
        mmd_exemplars(features, 2, -1)
