"""The drawing of household scenes: a wall, a floor, one object in the middle, and clutter around it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blindspots.data.planted.canvas import Canvas, above, below, both, ellipse, ring

OBJECTS = ("bottle", "chair", "clock", "cup", "lamp", "plant")
VARIATIONS = 12
MAX_CLUTTER = 16
CLUTTER_VARIATIONS = 5 * MAX_CLUTTER
_EVERYWHERE = (-1.6, -1.6, 1.6, 1.6)
_MIDDLE = (-0.6, -0.85, 0.6, 0.75)


def draw_scenes(
    objects: Tensor, clutter: Tensor, variations: Tensor, clutter_variations: Tensor, size: int
) -> Tensor:
    """Return images (N, 3, size, size) in [0, 1] in full light and without noise.

    Args:
        objects: (N,) index into `OBJECTS`.
        clutter: (N,) number of pieces of clutter, 0 to `MAX_CLUTTER`.
        variations: (N, `VARIATIONS`) in [0, 1): pose and colors.
        clutter_variations: (N, `CLUTTER_VARIATIONS`) in [0, 1): places, sizes and colors of the pieces.
        size: image side in pixels.
    """
    signed = 2 * variations - 1
    canvas = Canvas(
        len(objects),
        size,
        shift=torch.tensor([0.0, 0.05]) + 0.14 * signed[:, :2],
        scale=1 + 0.12 * signed[:, 2],
        angle=0.16 * signed[:, 3],
    )
    _room(canvas, variations)
    pieces = clutter_variations.view(len(objects), MAX_CLUTTER, 5)
    for index in range(0, MAX_CLUTTER, 2):
        _piece(canvas, (clutter > index).nonzero().squeeze(1), pieces[:, index], in_front=False)
    paint = {
        "bottle": _bottle,
        "chair": _chair,
        "clock": _clock,
        "cup": _cup,
        "lamp": _lamp,
        "plant": _plant,
    }
    colors = _hue(variations[:, 4], 0.45 + 0.45 * variations[:, 5], 0.55 + 0.4 * variations[:, 6])
    for index, name in enumerate(OBJECTS):
        rows = (objects == index).nonzero().squeeze(1)
        if len(rows):
            paint[name](canvas, rows, colors[rows])
    for index in range(1, MAX_CLUTTER, 2):
        _piece(canvas, (clutter > index).nonzero().squeeze(1), pieces[:, index], in_front=True)
    return canvas.images.clamp(0, 1)


def _hue(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Return colors (N, 3) from hue, saturation and value (N,) in [0, 1]."""
    wheel = (hue[:, None] * 6 + torch.tensor([0.0, 4.0, 2.0])) % 6
    pure = ((wheel - 3).abs() - 1).clamp(0, 1)
    return value[:, None] * (1 + saturation[:, None] * (pure - 1))


def _darker(color: Tensor, factor: float = 0.65) -> Tensor:
    return color * factor


def _flat(level: float):
    return lambda u: level + 0 * u


def _room(canvas: Canvas, variations: Tensor) -> None:
    wall = _hue(variations[:, 7], 0.1 + 0.2 * variations[:, 8], torch.full_like(variations[:, 0], 0.86))
    floor = _hue(
        0.06 + 0.06 * variations[:, 9], 0.25 + 0.3 * variations[:, 10], 0.5 + 0.2 * variations[:, 11]
    )
    canvas.images += wall.view(-1, 3, 1, 1)
    canvas.paint(below(_flat(0.42)), floor, box=(-1.6, 0.3, 1.6, 1.6))
    canvas.paint(both(below(_flat(0.39)), above(_flat(0.44))), floor * 0.7, box=_EVERYWHERE)
    canvas.paint(ellipse((0.0, 0.64), (0.5, 0.1)), floor * 0.6, box=_EVERYWHERE, opacity=0.7, softness=0.15)


def _piece(canvas: Canvas, rows: Tensor, chosen: Tensor, *, in_front: bool) -> None:
    """Paint one piece of clutter per row: a rounded box beside the middle, the front ones lower, smaller."""
    if not len(rows):
        return
    place, distance, breadth, height, hue = (chosen[rows, column].view(-1, 1, 1) for column in range(5))
    angle = math.pi * (place if in_front else 1 + place)
    far = 0.68 + 0.3 * distance
    center = (far * angle.cos(), 0.1 + 0.62 * far * angle.sin())
    radii = (0.1 + 0.14 * breadth, 0.1 + (0.1 if in_front else 0.22) * height)
    color = _hue(hue.flatten(), 0.25 + 0.5 * breadth.flatten(), 0.35 + 0.5 * place.flatten())
    edged = ellipse(center, (radii[0] + 0.025, radii[1] + 0.025), power=6)
    canvas.paint(edged, _darker(color, 0.6), box=_EVERYWHERE, rows=rows)
    canvas.paint(ellipse(center, radii, power=6), color, box=_EVERYWHERE, rows=rows)


def _bottle(canvas: Canvas, rows: Tensor, color: Tensor) -> None:
    canvas.paint(ellipse((0.0, 0.22), (0.19, 0.42), power=5), color, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, -0.14), (0.18, 0.18)), color, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, -0.38), (0.075, 0.26), power=5), color, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, -0.66), (0.09, 0.07), power=5), _darker(color, 0.5), box=_MIDDLE, rows=rows)
    label = torch.lerp(color, torch.ones(3), 0.75)
    canvas.paint(ellipse((0.0, 0.24), (0.19, 0.17), power=8), label, box=_MIDDLE, rows=rows)
    shine = torch.lerp(color, torch.ones(3), 0.5)
    canvas.paint(ellipse((-0.11, 0.0), (0.025, 0.16)), shine, box=_MIDDLE, rows=rows, opacity=0.7)


def _chair(canvas: Canvas, rows: Tensor, color: Tensor) -> None:
    dark = _darker(color)
    for place in (-0.3, 0.3):
        canvas.paint(ellipse((place, 0.38), (0.042, 0.3), power=6), dark, box=_MIDDLE, rows=rows)
        canvas.paint(ellipse((0.78 * place, 0.34), (0.034, 0.22), power=6), dark, box=_MIDDLE, rows=rows)
        canvas.paint(ellipse((place * 0.95, -0.3), (0.04, 0.42), power=6), color, box=_MIDDLE, rows=rows)
    for level in (-0.58, -0.36, -0.14):
        canvas.paint(ellipse((0.0, level), (0.29, 0.05), power=6), color, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, 0.1), (0.37, 0.075), power=5), color, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, 0.16), (0.36, 0.03), power=5), dark, box=_MIDDLE, rows=rows)


def _clock(canvas: Canvas, rows: Tensor, color: Tensor) -> None:
    middle = (0.0, -0.05)
    canvas.paint(ellipse(middle, (0.46, 0.46)), color, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse(middle, (0.37, 0.37)), torch.tensor([0.97, 0.96, 0.92]), box=_MIDDLE, rows=rows)
    ink = torch.tensor([0.1, 0.1, 0.12])
    for hour in range(12):
        turn = hour * math.pi / 6
        mark = ellipse((0.31 * math.sin(turn), -0.05 - 0.31 * math.cos(turn)), (0.025, 0.025))
        canvas.paint(mark, ink, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, -0.16), (0.025, 0.14), power=4), ink, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.09, -0.05), (0.12, 0.025), power=4), ink, box=_MIDDLE, rows=rows)


def _cup(canvas: Canvas, rows: Tensor, color: Tensor) -> None:
    canvas.paint(
        ring(ellipse((0.34, 0.16), (0.17, 0.2)), 0.075), _darker(color, 0.85), box=_MIDDLE, rows=rows
    )
    canvas.paint(ellipse((0.0, 0.18), (0.35, 0.42), power=4), color, box=_MIDDLE, rows=rows)
    shine = torch.lerp(color, torch.ones(3), 0.45)
    canvas.paint(ellipse((-0.2, 0.2), (0.045, 0.22)), shine, box=_MIDDLE, rows=rows, opacity=0.8)
    canvas.paint(
        ellipse((0.0, -0.2), (0.345, 0.09)), torch.lerp(color, torch.ones(3), 0.3), box=_MIDDLE, rows=rows
    )
    canvas.paint(
        ellipse((0.0, -0.19), (0.29, 0.06)), torch.tensor([0.25, 0.14, 0.08]), box=_MIDDLE, rows=rows
    )


def _lamp(canvas: Canvas, rows: Tensor, color: Tensor) -> None:
    metal = torch.tensor([0.32, 0.3, 0.28])
    canvas.paint(ellipse((0.0, 0.2), (0.035, 0.42), power=6), metal, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, 0.6), (0.24, 0.06), power=3), metal, box=_MIDDLE, rows=rows)
    slant = 0.32

    def left(u: Tensor, v: Tensor) -> Tensor:
        return (-u - 0.3 - slant * (v + 0.4)) / math.hypot(1, slant)

    def right(u: Tensor, v: Tensor) -> Tensor:
        return (u - 0.3 - slant * (v + 0.4)) / math.hypot(1, slant)

    shade = both(left, right, below(_flat(-0.74)), above(_flat(-0.1)))
    canvas.paint(shade, color, box=_MIDDLE, rows=rows)
    glow = both(shade, ellipse((0.0, -0.25), (0.26, 0.3)))
    warm = torch.lerp(color, torch.tensor([1.0, 0.95, 0.7]), 0.6)
    canvas.paint(glow, warm, box=_MIDDLE, rows=rows, opacity=0.8, softness=0.2)


def _plant(canvas: Canvas, rows: Tensor, color: Tensor) -> None:
    green = torch.tensor([0.16, 0.45, 0.2])
    for place, level, breadth, height in (
        (-0.27, -0.2, 0.2, 0.15),
        (0.27, -0.24, 0.2, 0.15),
        (-0.15, -0.5, 0.13, 0.24),
        (0.17, -0.5, 0.13, 0.22),
        (0.0, -0.3, 0.12, 0.36),
    ):
        leaf = ellipse((place, level), (breadth, height))
        canvas.paint(leaf, green * 0.75, box=_MIDDLE, rows=rows)
        canvas.paint(ellipse((place, level), (breadth * 0.8, height * 0.86)), green, box=_MIDDLE, rows=rows)

    def taper(sign: float):
        return lambda u, v: (sign * u - 0.27 + 0.25 * (v - 0.1)) / math.hypot(1, 0.25)

    pot = both(taper(-1.0), taper(1.0), below(_flat(0.1)), above(_flat(0.62)))
    canvas.paint(pot, color, box=_MIDDLE, rows=rows)
    canvas.paint(ellipse((0.0, 0.1), (0.31, 0.07), power=6), _darker(color, 0.8), box=_MIDDLE, rows=rows)
