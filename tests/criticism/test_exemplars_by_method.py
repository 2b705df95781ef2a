"""Every method picks from the examples that it is made to pick from."""

import pytest
import torch

from blindspots.criticism import mmd_exemplars
from blindspots.criticism.exemplars_by_method import EXEMPLAR_METHODS, exemplars_by_method


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def study():
    """Return features, steps and probabilities of 60 examples: ten in each of six pools."""
    pool = torch.arange(60) // 10
    steps = torch.tensor([11, 1, 0, 5, 6, 7])[pool]
    probabilities = torch.tensor([0.6, 0.6, 0.3, 0.95, 0.05, 0.5])[pool]
    return torch.randn(60, 4, generator=seeded(1)), steps, probabilities


def test_each_method_shows_its_own_pools(study):
    shown = exemplars_by_method(*study, 5, 5, generator=seeded())
    assert tuple(shown) == EXEMPLAR_METHODS
    pools = {name: ((e.prototypes // 10).unique().tolist(), (e.criticisms // 10).unique().tolist())
             for name, e in shown.items()}  # fmt: skip
    assert pools["adversarial"] == ([0], [1])
    assert pools["adversarial with mistakes"] == ([0], [1, 2])
    assert pools["probability"] == ([3], [4])
    assert len(pools["random"][0]) > 1
    mmd = mmd_exemplars(study[0], 5, 5, weight=1e-5)
    assert torch.equal(shown["MMD"].shown, mmd.shown)
    for exemplars in shown.values():
        assert len(exemplars.shown.unique()) == 10


def test_seed_and_numbers_matter(study):
    one, same, other = (exemplars_by_method(*study, 5, 4, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(one["random"].shown, same["random"].shown)
    assert not torch.equal(one["random"].shown, other["random"].shown)
    assert len(one["MMD"].prototypes) == 5 and len(one["MMD"].criticisms) == 4


def test_bad_arguments_are_named(study):
    features, steps, probabilities = study
    with pytest.raises(ValueError, match="expected equal lengths, got 60, 59 and 60"):
        exemplars_by_method(features, steps[:-1], probabilities, 5, 5, generator=seeded())
    with pytest.raises(ValueError, match="n_criticisms: expected"):
        exemplars_by_method(*study, 5, 0, generator=seeded())
