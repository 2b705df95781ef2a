"""Anti-aliased shapes on a batch of canvases."""

import math

import pytest
import torch

from blindspots.data.planted.canvas import Canvas, above, below, both, ellipse, ring, stroke

WHITE = torch.ones(3)
ALL = (-1.0, -1.0, 1.0, 1.0)


def canvas(n=1, size=64, shift=(0.0, 0.0), scale=1.0, angle=0.0):
    return Canvas(
        n,
        size,
        shift=torch.tensor([shift] * n),
        scale=torch.full((n,), scale),
        angle=torch.full((n,), angle),
    )


def area(painted):
    """Return the painted area in scene units: the scene is 2 x 2."""
    return painted.images[0, 0].mean().item() * 4


@pytest.mark.parametrize("size", [32, 128])
def test_a_disk_covers_its_area_at_any_resolution(size):
    made = canvas(size=size)
    made.paint(ellipse((0.1, -0.2), (0.5, 0.5)), WHITE, box=ALL)
    # anti-aliasing keeps the area to a small share of one border of pixels
    assert area(made) == pytest.approx(math.pi * 0.25, rel=0.01)


def test_ellipse_squarer_ellipse_ring_and_stroke_cover_their_areas():
    for shape, expected in (
        (ellipse((0.0, 0.0), (0.6, 0.3)), math.pi * 0.18),
        # a superellipse of power 4 has area 4 a b gamma(5/4)^2 / gamma(3/2)
        (ellipse((0.0, 0.0), (0.6, 0.3), power=4), 0.72 * math.gamma(1.25) ** 2 / math.gamma(1.5)),
        (ring(ellipse((0.0, 0.0), (0.5, 0.5)), 0.1), 2 * math.pi * 0.5 * 0.1),
        (stroke(lambda u: 0 * u, -0.5, 0.5, 0.2), 0.2),
        (both(ellipse((0.0, 0.0), (0.5, 0.5)), above(lambda u: 0 * u)), math.pi * 0.125),
        (both(ellipse((0.0, 0.0), (0.5, 0.5)), below(lambda u: 0 * u)), math.pi * 0.125),
    ):
        made = canvas(size=128)
        made.paint(shape, WHITE, box=ALL)
        assert area(made) == pytest.approx(expected, rel=0.02)


def test_pose_shifts_scales_and_turns_what_is_painted():
    moved = canvas(shift=(0.25, 0.5), scale=0.5, angle=math.pi / 2)
    moved.paint(ellipse((0.4, 0.0), (0.2, 0.2)), WHITE, box=(0.2, -0.2, 0.6, 0.2))
    mass = moved.images[0, 0]
    axis = (torch.arange(64) + 0.5) / 32 - 1
    # a quarter turn takes u to v; the center lands at shift + scale * 0.4
    assert (mass.sum(0) @ axis / mass.sum()).item() == pytest.approx(0.25, abs=0.005)
    assert (mass.sum(1) @ axis / mass.sum()).item() == pytest.approx(0.7, abs=0.005)
    assert area(moved) == pytest.approx(math.pi * 0.01, rel=0.03)


def test_the_box_changes_nothing_for_a_shape_that_it_holds():
    for softness in (0.0, 0.1):
        pictures = []
        for box in (ALL, (-0.3, -0.2, 0.1, 0.2)):
            made = canvas(n=2, angle=0.3, scale=1.1)
            made.paint(ellipse((-0.1, 0.0), (0.2, 0.2)), WHITE, box=box, softness=softness)
            pictures.append(made.images)
        torch.testing.assert_close(*pictures)


def test_only_the_rows_asked_for_are_painted_and_opacity_mixes():
    made = canvas(n=3)
    made.paint(ellipse((0.0, 0.0), (0.5, 0.5)), WHITE, box=ALL, rows=torch.tensor([0, 2]), opacity=0.25)
    assert made.images[1].max() == 0
    assert made.images[0].max().item() == pytest.approx(0.25)
    assert torch.equal(made.images[0], made.images[2])


def test_a_box_outside_the_picture_paints_nothing():
    made = canvas()
    made.paint(ellipse((3.0, 3.0), (0.5, 0.5)), WHITE, box=(2.5, 2.5, 3.5, 3.5))
    assert made.images.max() == 0
