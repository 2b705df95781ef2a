"""Different examples, each as likely as the others, by seed."""

import pytest
import torch

from blindspots.criticism import random_prototypes


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_exemplars_are_different_and_depend_on_the_seed_alone():
    first, same = (random_prototypes(30, 4, 3, generator=seeded(1)) for _ in range(2))
    assert torch.equal(first.shown, same.shown) and len(first.shown.unique()) == 7
    assert not torch.equal(first.shown, random_prototypes(30, 4, 3, generator=seeded(2)).shown)
    assert len(first.prototypes) == first.n_literal_prototypes == 4 and len(first.criticisms) == 3


def test_every_example_is_as_likely_as_the_others():
    generator, counts = seeded(), torch.zeros(6)
    for _ in range(600):
        counts[random_prototypes(6, 2, 1, generator=generator).shown] += 1
    # 300 expected each, with a standard deviation of 12.
    assert (counts - 300).abs().max() < 60


def test_all_may_be_taken_and_no_more():
    assert sorted(random_prototypes(5, 3, 2, generator=seeded()).shown.tolist()) == list(range(5))
    with pytest.raises(ValueError, match=r"expected at most 5 together, the examples, got 3 \+ 3"):
        random_prototypes(5, 3, 3, generator=seeded())


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="n_prototypes: expected a finite number >= 1"):
        random_prototypes(5, 0, generator=seeded())
