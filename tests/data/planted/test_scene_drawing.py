"""The drawing of household scenes."""

import itertools

import pytest
import torch

from blindspots.data.planted.scene_drawing import (
    CLUTTER_VARIATIONS,
    MAX_CLUTTER,
    OBJECTS,
    VARIATIONS,
    draw_scenes,
)
from blindspots.seeding import generator


def scenes(objects, clutter, size=48, seed=0):
    n, draws = len(objects), generator(seed)
    variations = torch.rand(n, VARIATIONS, generator=draws)
    around = torch.rand(n, CLUTTER_VARIATIONS, generator=draws)
    return draw_scenes(torch.as_tensor(objects), torch.as_tensor(clutter), variations, around, size)


@pytest.mark.parametrize("size", [16, 33, 96])
def test_scenes_are_in_the_unit_range_at_any_size(size):
    drawn = scenes([0, 1, 2, 3, 4, 5], [0, 3, 6, 9, 12, MAX_CLUTTER], size)
    assert drawn.shape == (6, 3, size, size)
    assert torch.isfinite(drawn).all() and drawn.min() >= 0 and drawn.max() <= 1


def test_every_object_looks_different_in_the_same_room():
    for first in range(len(OBJECTS)):
        for second in range(first):
            gap = (scenes([first], [0]) - scenes([second], [0])).abs().amax(1)
            assert (gap > 0.1).float().mean() > 0.03, (OBJECTS[first], OBJECTS[second])


def test_each_piece_of_clutter_shows():
    bare = scenes([3], [0], 96)
    covered = [
        ((scenes([3], [count], 96) - bare).abs().amax(1) > 0.01).sum() for count in range(MAX_CLUTTER + 1)
    ]
    assert covered[0] == 0 and covered[1] > 0
    assert all(more >= fewer for fewer, more in itertools.pairwise(covered))
    assert covered[-1] > 3 * covered[2]


def test_clutter_leaves_the_middle_free():
    drawn = scenes([2] * 20, [MAX_CLUTTER] * 20)
    bare = scenes([2] * 20, [0] * 20)
    changed = (drawn - bare).abs().amax(1) > 0.05
    # the center of the object moves by at most 0.2 of half a side
    assert changed[:, 22:27, 22:27].float().mean() < 0.05
    assert changed.float().mean() > 0.2


def test_a_scene_alone_is_the_scene_in_a_batch():
    draws = generator(1)
    variations = torch.rand(6, VARIATIONS, generator=draws)
    around = torch.rand(6, CLUTTER_VARIATIONS, generator=draws)
    objects, clutter = torch.arange(6), torch.full((6,), 7)
    together = draw_scenes(objects, clutter, variations, around, 48)
    alone = torch.cat(
        [
            draw_scenes(
                objects[row, None], clutter[row, None], variations[row, None], around[row, None], 48
            )
            for row in range(6)
        ]
    )
    # powers are computed by other instructions at the end of a vector: float32 rounding
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)
