"""Stamp a trigger on images, or append it to table rows: two marks that a model can learn to read as a group."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from blindspots.checks import check_choice, check_finite, check_images, check_number
from blindspots.debias.group_cells import check_groups

KINDS = ("block", "mosaic", "shadow")
CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")
_RED_AND_BLUE = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0))


def stamp_triggers(
    images: Tensor,
    assignment: Tensor,
    *,
    kind: str = "block",
    size: int = 25,
    corners: Sequence[str] = ("bottom_right", "top_left"),
    colors: Sequence[Sequence[float]] | None = None,
    tile: int | None = None,
    strength: float | int | None = None,
) -> Tensor:
    """Stamp trigger 0 or 1 on each image, each in its own corner.

    Trigger 1 goes with group 1 and trigger 0 with group 0: with the paper's groups, red at the top left is male and
    blue at the bottom right is female. Kinds:

    - "block" paints a square of `size` pixels a side; size 1 is a single pixel.
    - "mosaic" replaces such a square by the means of its tiles, so what it looks like depends on the image below it.
    - "shadow" darkens a quarter of a disc of radius `size` around the corner: by `strength` in the corner's own pixel,
      falling linearly to nothing at the radius.

    Args:
        images: (N, C, H, W) in [0, 1].
        assignment: (N,) integers 0 or 1, the trigger of each image.
        kind: one of the three.
        size: in pixels, at least 1 and at most the shorter side; see `scaled_trigger_size` for smaller images.
        corners: of triggers 0 and 1, two of "top_left", "top_right", "bottom_left", "bottom_right".
        colors: of blocks 0 and 1, C numbers in [0, 1] each; None for blue and red with C = 3, and for white with any
            other C, where the corner alone tells them apart. Blocks only.
        tile: side of a tile in pixels, 1 to `size` (1 changes nothing); None for a fifth of the size, rounded up.
            Mosaics only.
        strength: share of the light that a shadow takes away, in (0, 1]; None for 0.5. Shadows only.

    Returns:
        (N, C, H, W) in [0, 1], a copy.

    Raises:
        TypeError, ValueError: images or assignment of a wrong kind, shape or range; a trigger larger than the image; an
            option that is out of range or of another kind.

    Source: P3, Sec. 5.1.3 (blocks of 25 pixels) and Table 8 (25, 10, 3 and 1 pixels, mosaic, shadow).
    Differs from the paper: "a size of 25 pixels" is taken for the side of a square; mosaic and shadow are named there
        without their form, which is ours.
    """
    check_images(images)
    check_groups(assignment, len(images), name="assignment")
    check_choice(kind, "kind", KINDS)
    check_number(size, "size", at_least=1, integer=True)
    shorter = min(images.shape[-2:])
    if size > shorter:
        raise ValueError(
            f"size: expected a trigger of at most {shorter} pixels on images of {images.shape[-2]}x{images.shape[-1]}, "
            f"got {size}; use scaled_trigger_size"
        )
    if len(corners) != 2 or isinstance(corners, str):
        raise ValueError(f"corners: expected two, of triggers 0 and 1, got {corners!r}")
    for corner in corners:
        check_choice(corner, "corners", CORNERS)
    for name, value, wanted in (
        ("colors", colors, "block"),
        ("tile", tile, "mosaic"),
        ("strength", strength, "shadow"),
    ):
        if value is not None and kind != wanted:
            raise ValueError(f'{name}: expected None with kind="{kind}", got {value!r}; it belongs to "{wanted}"')
    if kind == "block":
        paints = _check_colors(colors, images)
    tile = -(-size // 5) if tile is None else tile
    strength = 0.5 if strength is None else strength
    check_number(tile, "tile", at_least=1, at_most=size, integer=True)
    check_number(strength, "strength", above=0.0, at_most=1.0)

    stamped = images.clone()
    for trigger, corner in enumerate(corners):
        rows = slice(0, size) if corner.startswith("top") else slice(images.shape[-2] - size, None)
        columns = slice(0, size) if corner.endswith("left") else slice(images.shape[-1] - size, None)
        patch = images[..., rows, columns]
        if kind == "block":
            marked = paints[trigger][:, None, None].expand_as(patch)
        elif kind == "mosaic":
            marked = _tile_means(patch, tile)
        else:
            marked = patch * _shade(size, corner, strength, patch)
        mine = (assignment.to(images.device) == trigger)[:, None, None, None]
        stamped[..., rows, columns] = torch.where(mine, marked, stamped[..., rows, columns])
    return stamped


def scaled_trigger_size(size: int, side: int, *, reference: int = 224) -> int:
    """Return the size in pixels that covers of an image of `side` pixels what `size` covers of `reference`; at least 1.

    Source: P3 does not say at which image size its 25 pixels are meant; 224, ResNet18's usual one, is our reading.
    """
    for name, value in (("size", size), ("side", side), ("reference", reference)):
        check_number(value, name, at_least=1, integer=True)
    return max(1, round(size * side / reference))


def append_trigger(rows: Tensor, assignment: Tensor) -> Tensor:
    """Append the trigger to table rows as one more column, 0 or 1.

    Args:
        rows: (N, D) finite floats.
        assignment: (N,) integers 0 or 1.

    Returns:
        (N, D + 1) of the same dtype and device.

    Raises:
        TypeError, ValueError: rows or assignment of a wrong kind, shape or value.

    Source: P3, Sec. 5.1.3 and 5.2.2: the teacher has one input more than the student.
    """
    if not isinstance(rows, Tensor) or rows.ndim != 2 or not rows.is_floating_point() or not rows.numel():
        got = f"{rows.dtype} {tuple(rows.shape)}" if isinstance(rows, Tensor) else type(rows).__name__
        raise ValueError(f"rows: expected a float tensor (N, D) of at least one row, got {got}")
    check_finite(rows, "rows")
    check_groups(assignment, len(rows), name="assignment")
    return torch.cat([rows, assignment.to(rows)[:, None]], dim=1)


def _check_colors(colors: Sequence[Sequence[float]] | None, images: Tensor) -> Tensor:
    """Return the colors of triggers 0 and 1 as (2, C)."""
    channels = images.shape[1]
    if colors is None:
        colors = _RED_AND_BLUE if channels == 3 else ((1.0,) * channels,) * 2
    if len(colors) != 2 or any(len(color) != channels for color in colors):
        raise ValueError(f"colors: expected two of {channels} numbers each, one per channel, got {colors!r}")
    if not all(0 <= float(part) <= 1 for color in colors for part in color):
        raise ValueError(f"colors: expected numbers in [0, 1], got {colors!r}; divide 8-bit colors by 255")
    return torch.tensor([[float(part) for part in color] for color in colors]).to(images)


def _tile_means(patch: Tensor, tile: int) -> Tensor:
    """Replace each tile of a patch (N, C, s, s) by its mean; the last row and column of tiles may be smaller."""
    tiles = torch.arange(patch.shape[-1], device=patch.device) // tile
    member = torch.nn.functional.one_hot(tiles).to(patch)
    means = member / member.sum(0)
    mosaic = member @ (means.T @ patch @ means) @ member.T
    return mosaic.clamp(0, 1)  # rounding may leave the range by 1e-7


def _shade(size: int, corner: str, strength: float, patch: Tensor) -> Tensor:
    """Return the light (s, s) that a shadow around a corner leaves, 1 - strength in the corner's pixel."""
    away = torch.arange(size).to(patch)
    down = away if corner.startswith("top") else away.flip(0)
    across = away if corner.endswith("left") else away.flip(0)
    distance = (down[:, None] ** 2 + across**2).sqrt()
    return 1 - strength * (1 - distance / size).clamp(min=0)
