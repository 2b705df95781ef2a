"""A batch of canvases painted with anti-aliased shapes, all images at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Shape = Callable[[Tensor, Tensor], Tensor]
"""(u, v) coordinates (N, h, w) -> signed distance to the shape's border, negative inside, in units of u."""


class Canvas:
    """Images (N, 3, S, S) under a pose each: shift, scale, rotation. u runs right, v down, from -1 to 1.

    A shape is painted inside a box of scene coordinates only: pixels that the box reaches under no pose are
    never touched and cost nothing.
    """

    def __init__(self, n: int, size: int, *, shift: Tensor, scale: Tensor, angle: Tensor) -> None:
        """Start from black images; shift (N, 2), scale (N,), angle (N,) in radians."""
        self.images = torch.zeros(n, 3, size, size)
        self.size = size
        axis = (torch.arange(size) + 0.5) * (2 / size) - 1
        right = (axis.view(1, 1, -1) - shift[:, 0].view(-1, 1, 1)) / scale.view(-1, 1, 1)
        down = (axis.view(1, -1, 1) - shift[:, 1].view(-1, 1, 1)) / scale.view(-1, 1, 1)
        cosine, sine = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
        self._cosine, self._sine, self._scale, self._shift = cosine, sine, scale, shift
        self.u = cosine * right + sine * down
        self.v = cosine * down - sine * right
        self._pixels_per_unit = size / 2 * scale.view(-1, 1, 1)

    def paint(
        self,
        shape: Shape,
        color: Tensor,
        *,
        box: tuple[float, float, float, float],
        rows: Tensor | None = None,
        opacity: float = 1.0,
        softness: float = 0.0,
    ) -> None:
        """Paint a shape in a color (3,) or (M, 3), on rows (M,) of the batch (None = all).

        The box (left, top, right, bottom) must hold the shape. A shape or color given per image has one row
        for each of `rows`. `softness` is the width of the border's blur in scene units; 0 = one pixel.
        """
        rows = torch.arange(len(self.images)) if rows is None else rows
        if len(rows) == 0:
            return
        window = (rows, *self._window(rows, box, softness))
        distance = shape(self.u[window], self.v[window])
        sharpness = self._pixels_per_unit[rows]
        if softness:
            sharpness = sharpness.clamp(max=1 / softness)
        cover = (0.5 - distance * sharpness).clamp(0, 1)
        if softness:
            cover = cover * cover * (3 - 2 * cover)
        self.blend(cover * opacity, color, window)

    def blend(self, cover: Tensor, color: Tensor, window: tuple) -> None:
        """Mix a color into a window (rows, vertical, horizontal slice) by a cover (M, h, w) in [0, 1]."""
        rows, vertical, horizontal = window
        old = self.images[rows, :, vertical, horizontal]
        self.images[rows, :, vertical, horizontal] = torch.lerp(
            old, color.view(-1, 3, 1, 1).expand(old.shape[0], 3, 1, 1), cover[:, None]
        )

    def _window(
        self, rows: Tensor, box: tuple[float, float, float, float], blur: float
    ) -> tuple[slice, slice]:
        """Return the pixels that a box covers under any pose of the rows, and what its border blurs into."""
        left, top, right, bottom = box
        u, v = torch.tensor([left, right, left, right]), torch.tensor([top, top, bottom, bottom])
        cosine, sine, scale = (each[rows].view(-1, 1) for each in (self._cosine, self._sine, self._scale))
        right_of = scale * (cosine * u - sine * v) + self._shift[rows, 0:1]
        below_of = scale * (sine * u + cosine * v) + self._shift[rows, 1:2]
        margin = 1 + blur / 2 * self.size / 2 * float(scale.max())
        return self._pixels(below_of, margin), self._pixels(right_of, margin)

    def _pixels(self, positions: Tensor, margin: float) -> slice:
        low, high = ((edge.item() + 1) / 2 * self.size for edge in torch.aminmax(positions))
        start = min(max(math.floor(low - margin), 0), self.size)
        return slice(start, min(max(math.ceil(high + margin), start), self.size))


def ellipse(center: tuple, radii: tuple, *, power: float = 2.0) -> Shape:
    """Return an ellipse; power > 2 makes it squarer. Center and radii are numbers or tensors (M, 1, 1)."""
    (cu, cv), (a, b) = center, radii

    def distance(u: Tensor, v: Tensor) -> Tensor:
        p, q = ((u - cu) / a).abs(), ((v - cv) / b).abs()
        if power == 2.0:
            level = (p * p + q * q).clamp(min=1e-6).sqrt()
            slope = ((p / a).square() + (q / b).square()).clamp(min=1e-6).sqrt() / level
        else:
            level = (p.pow(power) + q.pow(power)).clamp(min=1e-9).pow(1 / power)
            gradient_u = (p / level).pow(power - 1) / a
            gradient_v = (q / level).pow(power - 1) / b
            slope = (gradient_u.square() + gradient_v.square()).clamp(min=1e-6).sqrt()
        return (level - 1) / slope

    return distance


def below(line: Callable[[Tensor], Tensor]) -> Shape:
    """Return the half plane below the curve v = line(u), for curves that are not steep."""
    return lambda u, v: line(u) - v


def above(line: Callable[[Tensor], Tensor]) -> Shape:
    """Return the half plane above the curve v = line(u), for curves that are not steep."""
    return lambda u, v: v - line(u)


def stroke(line: Callable[[Tensor], Tensor], left: float, right: float, thickness: float) -> Shape:
    """Return a line of the given thickness along v = line(u) between two u, for curves that are not steep."""
    middle, half = (left + right) / 2, (right - left) / 2
    return lambda u, v: torch.maximum((v - line(u)).abs() - thickness / 2, (u - middle).abs() - half)


def ring(shape: Shape, thickness: float) -> Shape:
    """Return the border of a shape, with the given thickness."""
    return lambda u, v: shape(u, v).abs() - thickness / 2


def both(*shapes: Shape) -> Shape:
    """Return what lies in all of the shapes."""

    def distance(u: Tensor, v: Tensor) -> Tensor:
        largest = shapes[0](u, v)
        for shape in shapes[1:]:
            largest = torch.maximum(largest, shape(u, v))
        return largest

    return distance
