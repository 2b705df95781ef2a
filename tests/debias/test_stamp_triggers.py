"""Triggers on images and tables: exact pixels, own corners, and sizes that do not fit."""

import pytest
import torch

from blindspots.debias.stamp_triggers import append_trigger, scaled_trigger_size, stamp_triggers
from blindspots.seeding import generator

IMAGES = torch.rand(4, 3, 32, 40, generator=generator(0)) * 0.8 + 0.1
ASSIGNMENT = torch.tensor([1, 0, 0, 1])


def changed(stamped, images=IMAGES):
    """(N, H, W): where any channel changed."""
    return (stamped != images).any(1)


@pytest.mark.parametrize("size", [25, 10, 3, 1])
def test_blocks_are_red_at_the_top_left_and_blue_at_the_bottom_right(size):
    stamped = stamp_triggers(IMAGES, ASSIGNMENT, size=size)
    expected = IMAGES.clone()
    red, blue = torch.tensor([1.0, 0, 0]), torch.tensor([0, 0, 1.0])
    expected[[0, 3], :, :size, :size] = red[:, None, None]
    expected[[1, 2], :, 32 - size :, 40 - size :] = blue[:, None, None]
    assert torch.equal(stamped, expected)


@pytest.mark.parametrize("kind", ["block", "mosaic", "shadow"])
def test_each_image_is_changed_in_the_corner_of_its_own_trigger_only(kind):
    stamped = stamp_triggers(IMAGES, ASSIGNMENT, kind=kind, size=8)
    for image, trigger in enumerate(ASSIGNMENT.tolist()):
        where = changed(stamped)[image]
        corner = where[:8, :8] if trigger else where[24:, 32:]
        assert corner.any()
        assert where.sum() == corner.sum()
    assert stamped.min() >= 0
    assert stamped.max() <= 1


@pytest.mark.parametrize("kind", ["block", "mosaic", "shadow"])
def test_corners_can_be_chosen_and_a_whole_side_fits(kind):
    stamped = stamp_triggers(IMAGES, ASSIGNMENT, kind=kind, size=8, corners=("bottom_left", "top_right"))
    assert changed(stamped)[0, :8, 32:].any()
    assert changed(stamped)[0].sum() == changed(stamped)[0, :8, 32:].sum()
    assert changed(stamped)[1, 24:, :8].any()
    assert changed(stamped)[1].sum() == changed(stamped)[1, 24:, :8].sum()
    assert stamp_triggers(IMAGES, ASSIGNMENT, kind=kind, size=32).shape == IMAGES.shape


def test_both_triggers_may_share_a_corner():
    stamped = stamp_triggers(IMAGES, ASSIGNMENT, size=2, corners=("top_left", "top_left"))
    assert stamped[:, :, 0, 0].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0]]


def test_colors_can_be_chosen_and_are_white_on_gray_images():
    stamped = stamp_triggers(IMAGES, ASSIGNMENT, size=2, colors=((0, 1, 0), (0.5, 0.5, 0)))
    assert stamped[0, :, 0, 0].tolist() == [0.5, 0.5, 0]
    assert stamped[1, :, -1, -1].tolist() == [0, 1, 0]
    gray = stamp_triggers(IMAGES[:, :1], ASSIGNMENT, size=2)
    assert gray[0, 0, 0, 0] == gray[1, 0, -1, -1] == 1
    assert stamp_triggers(IMAGES[:, :1], ASSIGNMENT, size=2, colors=((0,), (1,)))[1, 0, -1, -1] == 0


def test_a_mosaic_is_the_mean_of_each_tile():
    stamped = stamp_triggers(IMAGES, ASSIGNMENT, kind="mosaic", size=7, tile=3)
    for rows in (slice(0, 3), slice(3, 6), slice(6, 7)):
        for columns in (slice(0, 3), slice(3, 6), slice(6, 7)):
            tile = IMAGES[0, :, rows, columns]
            mean = tile.mean((1, 2), keepdim=True).expand_as(tile)
            assert torch.allclose(stamped[0, :, rows, columns], mean, atol=1e-6)
    default = stamp_triggers(IMAGES, ASSIGNMENT, kind="mosaic", size=7)
    assert torch.equal(default, stamp_triggers(IMAGES, ASSIGNMENT, kind="mosaic", size=7, tile=2))
    one = stamp_triggers(IMAGES, ASSIGNMENT, kind="mosaic", size=7, tile=1)
    assert torch.allclose(one, IMAGES, atol=1e-6)


def test_a_shadow_falls_off_from_its_corner():
    white = torch.ones(2, 1, 20, 20)
    stamped = stamp_triggers(white, torch.tensor([1, 0]), kind="shadow", size=10, strength=0.4)
    light = stamped[0, 0]
    assert light[0, 0] == pytest.approx(0.6)
    assert light[0, 5] == light[5, 0] == pytest.approx(1 - 0.4 * 0.5)
    assert light[3, 4] == pytest.approx(1 - 0.4 * 0.5)  # five pixels away, too
    assert light[9, 9] == light[10, 0] == 1
    assert torch.equal(stamped[1, 0], light.flip(0, 1))
    usual = stamp_triggers(white, torch.tensor([1, 0]), kind="shadow", size=10)
    assert usual[0, 0, 0, 0] == 0.5


def test_batches_agree_inputs_stay_and_dtype_is_kept():
    before = IMAGES.clone()
    for kind in ("block", "mosaic", "shadow"):
        whole = stamp_triggers(IMAGES, ASSIGNMENT, kind=kind, size=5)
        for index in range(4):
            one = stamp_triggers(IMAGES[index : index + 1], ASSIGNMENT[index : index + 1], kind=kind, size=5)
            assert torch.allclose(one, whole[index : index + 1], atol=1e-7)
        assert stamp_triggers(IMAGES.double(), ASSIGNMENT, kind=kind, size=5).dtype == torch.float64
    assert torch.equal(IMAGES, before)


def test_sizes_scale_with_the_image():
    assert [scaled_trigger_size(25, side) for side in (224, 448, 64, 32, 4)] == [25, 50, 7, 4, 1]
    assert scaled_trigger_size(25, 64, reference=100) == 16
    with pytest.raises(ValueError, match="side: expected a finite number >= 1"):
        scaled_trigger_size(25, 0)


def test_a_table_gets_one_more_column():
    rows = torch.rand(4, 3, generator=generator(0), dtype=torch.float64)
    triggered = append_trigger(rows, ASSIGNMENT)
    assert torch.equal(triggered[:, :3], rows)
    assert triggered[:, 3].tolist() == [1, 0, 0, 1]
    assert triggered.dtype == torch.float64


@pytest.mark.parametrize(
    ("rows", "assignment", "message"),
    [
        (IMAGES, ASSIGNMENT, r"rows: expected a float tensor \(N, D\)"),
        (torch.zeros(4, 2).long(), ASSIGNMENT, r"rows: expected a float tensor \(N, D\)"),
        (torch.full((4, 2), float("nan")), ASSIGNMENT, "rows: expected finite values"),
        (torch.zeros(4, 2), ASSIGNMENT * 2, "assignment: expected two values, 0 and 1"),
        (torch.zeros(3, 2), ASSIGNMENT, r"assignment: expected shape \(3,\)"),
    ],
)
def test_bad_rows_are_refused(rows, assignment, message):
    with pytest.raises(ValueError, match=message):
        append_trigger(rows, assignment)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": 33}, ValueError, "size: expected a trigger of at most 32 pixels on images of 32x40, got 33"),
        ({"size": 33, "kind": "shadow"}, ValueError, "size: expected a trigger of at most 32 pixels"),
        ({"size": 0}, ValueError, "size: expected a finite number >= 1"),
        ({"size": 2.5}, TypeError, "size: expected an integer"),
        ({"kind": "stripes"}, ValueError, "kind: expected one of block, mosaic, shadow"),
        ({"corners": ("top_left",)}, ValueError, "corners: expected two"),
        ({"corners": ("top_left", "middle")}, ValueError, "corners: expected one of top_left"),
        ({"colors": ((1.0,), (0.0,))}, ValueError, "colors: expected two of 3 numbers each"),
        ({"colors": ((255, 0, 0), (0, 0, 255))}, ValueError, r"colors: expected numbers in \[0, 1\].*by 255"),
        ({"tile": 2}, ValueError, 'tile: expected None with kind="block", got 2; it belongs to "mosaic"'),
        ({"strength": 0.5}, ValueError, 'strength: expected None with kind="block"'),
        ({"kind": "shadow", "colors": ((0, 0, 0),) * 2}, ValueError, 'colors: expected None with kind="shadow"'),
        ({"kind": "mosaic", "tile": 6}, ValueError, "tile: expected a finite number >= 1 and <= 5"),
        ({"kind": "shadow", "strength": 1.5}, ValueError, "strength: expected a finite number > 0 and <= 1"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        stamp_triggers(IMAGES, ASSIGNMENT, **({"size": 5} | options))


def test_bad_images_and_assignments_are_refused():
    with pytest.raises(ValueError, match=r"images: expected values in \[0, 1\]"):
        stamp_triggers(IMAGES * 255, ASSIGNMENT, size=5)
    with pytest.raises(ValueError, match="assignment: expected two values, 0 and 1"):
        stamp_triggers(IMAGES, ASSIGNMENT * 2, size=5)
