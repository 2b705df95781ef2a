"""The drawing of toy faces."""

import pytest
import torch

from blindspots.data.planted.face_drawing import ATTRIBUTES, VARIATIONS, draw_faces
from blindspots.seeding import generator

# where an attribute may show, as shares of the image side (left, top, right, bottom), under any pose
PLACES = {
    "long_hair": (0.1, 0.08, 0.9, 1.0),
    "blond_hair": (0.1, 0.08, 0.9, 1.0),
    "dark_skin": (0.15, 0.1, 0.85, 1.0),
    "bushy_eyebrows": (0.25, 0.25, 0.75, 0.6),
    "blue_eyes": (0.25, 0.35, 0.75, 0.65),
    "glasses": (0.15, 0.3, 0.85, 0.7),
    "lipstick": (0.25, 0.5, 0.75, 0.85),
    "smile": (0.25, 0.5, 0.75, 0.85),
    "beard": (0.15, 0.4, 0.85, 0.95),
    "earrings": (0.1, 0.45, 0.9, 0.8),
    "hat": (0.1, 0.0, 0.9, 0.5),
    "blue_background": (0.0, 0.0, 1.0, 1.0),
}
VISIBLE = 0.004  # one grey level


def some(n=40):
    draws = generator(0, "test")
    return torch.rand(n, len(ATTRIBUTES), generator=draws) < 0.5, torch.rand(n, VARIATIONS, generator=draws)


def changed_by(name, size=64):
    attributes, variations = some()
    column = ATTRIBUTES.index(name)
    attributes[:, column] = False
    without = draw_faces(attributes, variations, size)
    attributes[:, column] = True
    return (draw_faces(attributes, variations, size) - without).abs().amax(1) > VISIBLE


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_attribute_changes_every_face_and_only_where_it_belongs(name):
    changed = changed_by(name)
    assert changed.flatten(1).any(1).all()
    left, top, right, bottom = (round(edge * 64) for edge in PLACES[name])
    changed[:, top:bottom, left:right] = False
    assert not changed.any()


def test_local_attributes_leave_most_of_the_face_alone():
    for name in ("bushy_eyebrows", "blue_eyes", "glasses", "lipstick", "smile", "earrings"):
        assert changed_by(name).float().mean() < 0.1, name


def test_the_background_shows_only_outside_the_head():
    changed = changed_by("blue_background")
    assert not changed[:, 34:38, 28:36].any()
    assert changed[:, :3, :12].all() and changed[:, :3, -12:].all()


@pytest.mark.parametrize("size", [16, 33, 128])
def test_faces_are_finite_and_in_the_unit_range_at_any_size(size):
    faces = draw_faces(*some(6), size)
    assert faces.shape == (6, 3, size, size)
    assert torch.isfinite(faces).all() and faces.min() >= 0 and faces.max() <= 1


@pytest.mark.parametrize("size", [32, 64])
def test_a_face_alone_is_the_face_in_a_batch(size):
    attributes, variations = some(12)
    together = draw_faces(attributes, variations, size)
    alone = torch.cat([draw_faces(attributes[row, None], variations[row, None], size) for row in range(12)])
    # powers are computed by other instructions at the end of a vector: float32 rounding, some 1e-6
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


def test_sizes_show_the_same_face():
    attributes, variations = some(8)
    large = torch.nn.functional.avg_pool2d(draw_faces(attributes, variations, 128), 2)
    # averaging covers is not covering averages: borders differ, the mean difference stays small
    assert (large - draw_faces(attributes, variations, 64)).abs().mean() < 0.01


def test_every_variation_changes_some_face():
    attributes, variations = some(16)
    base = draw_faces(attributes, variations, 48)
    for column in range(VARIATIONS):
        other = variations.clone()
        other[:, column] = 1 - other[:, column]
        assert ((draw_faces(attributes, other, 48) - base).abs().amax() > VISIBLE).item(), column
