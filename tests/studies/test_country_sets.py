"""Data sets by country that can be drawn again."""

import pytest
import torch

from blindspots.data import country_mix, load
from blindspots.studies.country_sets import country_set, joined


@pytest.fixture(scope="module")
def pool():
    return load("photos", split="test", limit=120)


def test_scenes_are_drawn_with_the_strength_as_a_factor():
    single, double = (country_set(60, size=16, strength=s, illumination=1.5, clutter=4.0, seed=3) for s in (1.0, 2.0))
    assert torch.equal(single.labels, double.labels)
    assert torch.equal(single.groups["country"], double.groups["country"])
    assert double.extras["stops"].mean() > single.extras["stops"].mean() + 0.2
    assert "illumination = 3, clutter = 8" in double.card.notes[-1]


def test_without_strength_nothing_is_planted():
    assert country_set(100, size=16, strength=0.0, seed=0).extras["clutter"].float().mean() < 2.6
    assert country_set(100, size=16, strength=0.0, seed=0).extras["stops"].mean().abs() < 0.1


def test_pictures_of_a_pool_are_drawn_without_replacement_and_again_by_seed(pool):
    first, again, other = (country_set(50, pool=pool, strength=0.0, clutter=0.0, seed=s) for s in (0, 0, 1))
    assert first.card.sha256 == again.card.sha256 != other.card.sha256
    assert first.class_names == pool.class_names
    whole = country_set(120, pool=pool, strength=0.0, seed=2)
    assert torch.equal(whole.labels.bincount(), pool.labels.bincount())


def test_a_pools_pictures_stay_the_same_when_the_strength_changes(pool):
    plain, strong = (country_set(50, pool=pool, strength=s, seed=4) for s in (0.0, 1.0))
    assert torch.equal(plain.labels, strong.labels)
    assert torch.equal(plain.groups["country"], strong.groups["country"])
    assert not torch.equal(plain.images, strong.images)


@pytest.mark.parametrize("use_pool", [False, True])
def test_weights_may_be_a_tensor(pool, use_pool):
    made = country_set(100, pool=pool if use_pool else None, size=16, weights=country_mix("income"), seed=5)
    counts = torch.bincount(made.groups["country"], minlength=41)
    assert counts[30:].float().mean() > 1.5 * counts[:30].float().mean()


def test_requests_that_make_no_sense_are_refused(pool):
    with pytest.raises(ValueError, match="n: expected at most the 120 pictures of the pool, got 121"):
        country_set(121, pool=pool, seed=0)
    with pytest.raises(ValueError, match=r"strength: expected .* <= 2"):
        country_set(60, strength=3.0, seed=0)


def test_two_sets_are_joined_row_by_row(pool):
    first, second = (country_set(n, size=16, seed=s) for n, s in ((41, 0), (50, 1)))
    both = joined(first, second)
    assert torch.equal(both.images[41:], second.images) and torch.equal(both.labels[:41], first.labels)
    assert torch.equal(both.groups["country"][41:], second.groups["country"])
    assert torch.equal(both.extras["income"][:41], first.extras["income"])
    with pytest.raises(ValueError, match="second: expected the countries and classes of the first set"):
        joined(first, country_set(50, pool=pool, seed=0))
