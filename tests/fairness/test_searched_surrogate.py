"""The finer search: never below one ascent, past a local maximum, and the same problem throughout."""

import pytest
import torch

from blindspots.fairness.robust_surrogate import robust_surrogate, squared_distance
from blindspots.fairness.searched_surrogate import better_surrogate, searched_surrogate
from blindspots.seeding import generator


def two_hills(outputs, labels):
    """Rise to 0.2 at the start, and to 1 at a place of pixels 0.9 each."""
    return outputs[:, 0]


def hills(images):
    near = 0.2 * (-50 * (images - 0.2).square().flatten(1).sum(1)).exp()
    far = (-50 * (images - 0.9).square().flatten(1).sum(1)).exp()
    return (near + far)[:, None]


IMAGES = torch.full((3, 1, 1, 1), 0.25, dtype=torch.float64)
LABELS = torch.zeros(3, dtype=torch.long)


def test_it_finds_the_higher_hill_that_one_ascent_misses():
    options = dict(weight=0.5, losses=two_hills)
    one = robust_surrogate(hills, IMAGES, LABELS, steps=400, step_size=0.005, schedule="constant", **options)
    many = searched_surrogate(
        hills, IMAGES, LABELS, starts=30, spread=0.4, steps=400, step_size=0.005, generator=generator(0), **options
    )
    assert one.images.max() < 0.3 and (many.images > 0.85).all() and (many.values > 0.7).all()
    torch.testing.assert_close(many.distances, squared_distance(many.images, IMAGES))
    torch.testing.assert_close(many.values, many.losses - 0.5 * many.distances)


def test_one_start_is_the_ascent_and_more_never_lose(network, task):
    data, model = task(), network()
    common = dict(weight=0.3, steps=5, step_size=0.5)
    one = searched_surrogate(model, data.images, data.labels, starts=1, generator=generator(0), **common)
    plain = robust_surrogate(model, data.images, data.labels, schedule="constant", **common)
    assert torch.equal(one.images, plain.images)
    more = searched_surrogate(model, data.images, data.labels, starts=4, generator=generator(0), **common)
    assert (more.values >= one.values).all() and (more.values > one.values).any()
    assert more.images.min() >= 0 and more.images.max() <= 1
    for change in (dict(spread=0.3), dict(steps=9), dict(step_size=0.1), dict(weight=0.5), dict(clip=False)):
        other = searched_surrogate(
            model, data.images, data.labels, starts=4, generator=generator(0), **(common | change)
        )
        assert not torch.equal(other.images, more.images), change


def test_the_better_of_two_needs_one_problem(network, task):
    data, model = task(), network()
    first, second = (robust_surrogate(model, data.images, data.labels, weight=w, steps=2) for w in (0.3, 0.4))
    with pytest.raises(ValueError, match=r"second: expected weight 0\.3"):
        better_surrogate(first, second)
    with pytest.raises(ValueError, match="starts: expected"):
        searched_surrogate(model, data.images, data.labels, weight=1.0, starts=0, generator=generator(0))
    with pytest.raises(ValueError, match="spread: expected"):
        searched_surrogate(model, data.images, data.labels, weight=1.0, spread=0.0, generator=generator(0))
