"""The drawing of toy faces: layers from the background to the glasses, each with its small variations."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blindspots.data.planted.canvas import Canvas, above, below, both, ellipse, ring, stroke

ATTRIBUTES = (
    "long_hair",
    "blond_hair",
    "dark_skin",
    "bushy_eyebrows",
    "blue_eyes",
    "glasses",
    "lipstick",
    "smile",
    "beard",
    "earrings",
    "hat",
    "blue_background",
)
VARIATIONS = 20
CHUNK = 128
_EVERYWHERE = (-1.2, -1.2, 1.2, 1.2)


def draw_faces(attributes: Tensor, variations: Tensor, size: int) -> Tensor:
    """Return images (N, 3, size, size) in [0, 1] for attributes (N, A) bool and variations (N, V) in [0, 1).

    Faces are drawn `CHUNK` at a time. A face drawn in other company differs by rounding, about 1e-6.
    """
    parts = zip(attributes.split(CHUNK), variations.split(CHUNK), strict=True)
    return torch.cat([_Face(has, vary, size).draw() for has, vary in parts])


def _color(*levels: int) -> Tensor:
    return torch.tensor(levels, dtype=torch.float32) / 255


def _between(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return torch.lerp(first.expand(len(share), 3), second.expand(len(share), 3), share.view(-1, 1))


def _palette(colors: list[Tensor], share: Tensor) -> Tensor:
    return torch.stack(colors)[(share * len(colors)).long()]


class _Face:
    """A batch of faces being drawn: attributes by name, variations, colors (N, 3)."""

    def __init__(self, attributes: Tensor, variations: Tensor, size: int) -> None:
        self.has = {name: attributes[:, column].bool() for column, name in enumerate(ATTRIBUTES)}
        self.rows = {name: flags.nonzero().squeeze(1) for name, flags in self.has.items()}
        v = variations
        signed = 2 * v - 1
        self.canvas = Canvas(
            len(attributes),
            size,
            shift=torch.tensor([0.0, 0.06]) + 0.05 * signed[:, :2],
            scale=1.08 + 0.05 * signed[:, 2],
            angle=0.1 * signed[:, 3],
        )
        self.width = (0.405 + 0.02 * signed[:, 4]).view(-1, 1, 1)
        self.height = (0.53 + 0.02 * signed[:, 5]).view(-1, 1, 1)
        self.gaze = (0.022 * signed[:, 6:8]).view(-1, 2, 1, 1)
        self.brow_lift = (0.018 * signed[:, 8]).view(-1, 1, 1)
        self.mouth_width = (0.165 + 0.02 * signed[:, 9]).view(-1, 1, 1)
        self.part = (0.14 * torch.where(v[:, 10] < 0.5, -1.0, 1.0)).view(-1, 1, 1)
        self.light_angle = 2 * math.pi * v[:, 11].view(-1, 1, 1)
        self.light = 0.05 + 0.08 * v[:, 12].view(-1, 1, 1)
        self.brightness = 1 + 0.07 * signed[:, 13].view(-1, 1, 1)
        self.skin = self._choose(
            "dark_skin",
            _between(_color(112, 70, 44), _color(152, 100, 66), v[:, 14]),
            _between(_color(240, 196, 164), _color(252, 218, 190), v[:, 14]),
        )
        self.hair = self._choose(
            "blond_hair",
            _between(_color(214, 166, 74), _color(238, 202, 118), v[:, 15]),
            _between(_color(34, 24, 22), _color(74, 46, 32), v[:, 15]),
        )
        self.background = self._choose(
            "blue_background",
            _between(_color(104, 158, 206), _color(142, 190, 226), v[:, 16]),
            _between(_color(226, 196, 150), _color(240, 214, 178), v[:, 16]),
        )
        shirts = [_color(52, 74, 110), _color(142, 62, 58), _color(62, 106, 86), _color(96, 78, 120)]
        self.shirt = _palette([*shirts, _color(190, 184, 176), _color(66, 66, 72)], v[:, 17])
        hats = [_color(178, 50, 48), _color(40, 92, 120), _color(70, 110, 62), _color(204, 144, 40)]
        self.hat = _palette([*hats, _color(96, 62, 116)], v[:, 18])
        self.lips = self._choose(
            "lipstick",
            _between(_color(190, 16, 52), _color(214, 34, 88), v[:, 19]),
            torch.lerp(self.skin, _color(176, 84, 78).expand_as(self.skin), 0.42),
        )
        self.fur = _between(_color(48, 32, 24), _color(78, 52, 36), v[:, 19])

    def draw(self) -> Tensor:
        """Paint all layers, back to front, then the light."""
        self._background()
        self._hair_behind()
        self._shoulders()
        self._head()
        self._beard()
        self._eyes()
        self._nose()
        self._mouth()
        self._hair_in_front()
        self._earrings()
        self._hat()
        self._glasses()
        return self._lit()

    def _choose(self, name: str, with_it: Tensor, without: Tensor) -> Tensor:
        return torch.where(self.has[name].view(-1, 1), with_it, without)

    def _shade(self, color: Tensor, factor: float) -> Tensor:
        return (color * factor).clamp(0, 1)

    def _background(self) -> None:
        self.canvas.images += self.background.view(-1, 3, 1, 1)
        glow = ellipse((0.0, -0.1), (0.85, 0.85))
        bright = torch.lerp(self.background, torch.ones(3), 0.35)
        self.canvas.paint(glow, bright, box=_EVERYWHERE, softness=0.9)

    def _hair_behind(self) -> None:
        dark = self._shade(self.hair, 0.78)
        cap = ellipse((0.0, -0.13), (self.width + 0.085, 0.5))
        self.canvas.paint(cap, dark, box=(-0.55, -0.68, 0.55, 0.42))
        long = self.rows["long_hair"]
        if len(long):
            mane = ellipse((0.0, 0.16), (self.width[long] + 0.15, 0.8), power=2.8)
            self.canvas.paint(mane, dark[long], box=(-0.62, -0.7, 0.62, 0.98), rows=long)

    def _shoulders(self) -> None:
        body = ellipse((0.0, 1.14), (0.8, 0.46), power=2.6)
        self.canvas.paint(body, self.shirt, box=(-0.85, 0.6, 0.85, 1.2))
        collar = ellipse((0.0, 0.66), (0.24, 0.16))
        self.canvas.paint(ring(collar, 0.05), self._shade(self.shirt, 0.75), box=(-0.3, 0.44, 0.3, 0.88))
        neck = self._shade(self.skin, 0.86)
        self.canvas.paint(ellipse((0.0, 0.52), (0.17, 0.3), power=4), neck, box=(-0.2, 0.2, 0.2, 0.84))
        self.canvas.paint(collar, neck, box=(-0.26, 0.5, 0.26, 0.84))
        long = self.rows["long_hair"]
        for side in (-1, 1):
            if len(long):
                lock = ellipse((side * (self.width[long] + 0.05), 0.42), (0.12, 0.46), power=2.4)
                box = (min(side * 0.3, side * 0.62), -0.08, max(side * 0.3, side * 0.62), 0.9)
                self.canvas.paint(lock, self._shade(self.hair[long], 0.9), box=box, rows=long)

    def _head(self) -> None:
        for side in (-1, 1):
            ear = ellipse((side * (self.width + 0.015), 0.02), (0.06, 0.095))
            box = (min(side * 0.3, side * 0.52), -0.1, max(side * 0.3, side * 0.52), 0.14)
            self.canvas.paint(ear, self._shade(self.skin, 0.9), box=box)
        box = (-0.46, -0.6, 0.46, 0.6)
        shadow = ellipse((0.0, 0.07), (self.width * 0.8, self.height))
        self.canvas.paint(
            both(shadow, below(lambda u: 0.3 + 0 * u)),
            self._shade(self.skin, 0.68),
            box=(-0.36, 0.26, 0.36, 0.66),
        )
        head = ellipse((0.0, 0.0), (self.width, self.height), power=2.15)
        self.canvas.paint(head, self._shade(self.skin, 0.9), box=box)
        inner = ellipse((0.0, -0.02), (self.width * 0.86, self.height * 0.88))
        self.canvas.paint(inner, self.skin, box=box, softness=0.16)
        for side in (-1, 1):
            cheek = ellipse((side * 0.24, 0.14), (0.09, 0.07))
            blush = torch.lerp(self.skin, _color(214, 84, 76).expand_as(self.skin), 0.5)
            cheek_box = (min(side * 0.1, side * 0.38), 0.0, max(side * 0.1, side * 0.38), 0.28)
            self.canvas.paint(cheek, blush, box=cheek_box, opacity=0.4, softness=0.14)

    def _beard(self) -> None:
        rows = self.rows["beard"]
        if not len(rows):
            return
        jaw = ellipse((0.0, 0.012), (self.width[rows] * 1.015, self.height[rows] * 1.03), power=2.15)
        line = below(lambda u: 0.185 + 0.6 * u * u - 4.2 * u.abs().pow(3))
        box = (-0.48, -0.12, 0.48, 0.62)
        self.canvas.paint(both(jaw, line), self.fur[rows], box=box, rows=rows, opacity=0.93, softness=0.05)

    def _eyes(self) -> None:
        iris = self._choose(
            "blue_eyes",
            _color(52, 128, 204).expand(len(self.skin), 3),
            _color(78, 48, 28).expand(len(self.skin), 3),
        )
        black = _color(20, 14, 16)
        gaze_u, gaze_v = self.gaze[:, 0], self.gaze[:, 1] * 0.5
        bushy, plain = self.rows["bushy_eyebrows"], (~self.has["bushy_eyebrows"]).nonzero().squeeze(1)
        for side in (-1, 1):
            center = side * 0.17
            box = (center - 0.13, -0.14, center + 0.13, 0.06)
            self.canvas.paint(
                ellipse((center, -0.052), (0.108, 0.066)), self._shade(self.skin, 0.42), box=box
            )
            white = ellipse((center, -0.04), (0.098, 0.058))
            self.canvas.paint(white, _color(250, 248, 244), box=box)
            pupil = (center + gaze_u, -0.042 + gaze_v)
            self.canvas.paint(both(white, ellipse(pupil, (0.052, 0.054))), iris, box=box)
            self.canvas.paint(ellipse(pupil, (0.025, 0.025)), black, box=box)
            shine = ellipse((pupil[0] + 0.018, pupil[1] - 0.018), (0.014, 0.014))
            self.canvas.paint(shine, torch.ones(3), box=box)
            self._brow(side, bushy, 0.066)
            self._brow(side, plain, 0.026)

    def _brow(self, side: int, rows: Tensor, thickness: float) -> None:
        if not len(rows):
            return
        center, lift = side * 0.175, self.brow_lift[rows]
        arch = stroke(
            lambda u: -0.185 - lift + 1.9 * (u - center - side * 0.01).square(),
            center - 0.115,
            center + 0.115,
            thickness,
        )
        box = (center - 0.15, -0.27, center + 0.15, -0.1)
        self.canvas.paint(arch, self.fur[rows], box=box, rows=rows)

    def _nose(self) -> None:
        box = (-0.1, -0.05, 0.1, 0.2)
        self.canvas.paint(
            ellipse((0.0, 0.125), (0.062, 0.036)), self._shade(self.skin, 0.74), box=box, softness=0.03
        )
        bridge = ellipse((-0.008, 0.05), (0.026, 0.11))
        self.canvas.paint(
            bridge, torch.lerp(self.skin, torch.ones(3), 0.22), box=box, opacity=0.8, softness=0.05
        )
        self.canvas.paint(ellipse((-0.004, 0.11), (0.04, 0.03)), self.skin, box=box, softness=0.03)

    def _mouth(self) -> None:
        box = (-0.24, 0.18, 0.24, 0.42)
        smiling, calm = self.rows["smile"], (~self.has["smile"]).nonzero().squeeze(1)
        if len(calm):
            half = self.mouth_width[calm] * 0.8
            lips = ellipse((0.0, 0.292), (half, 0.036))
            self.canvas.paint(lips, self.lips[calm], box=box, rows=calm)
            seam = both(
                stroke(lambda u: 0.29 + 0 * u, -0.14, 0.14, 0.012), ellipse((0.0, 0.29), (half, 0.04))
            )
            self.canvas.paint(seam, self._shade(self.lips[calm], 0.5), box=box, rows=calm)
        if len(smiling):
            half = self.mouth_width[smiling]
            arc = lambda height: lambda u: 0.232 + height * (1 - (u / half).square())  # noqa: E731
            outer = both(below(arc(0.02)), above(arc(0.158)), ellipse((0.0, 0.26), (half, 0.2)))
            self.canvas.paint(outer, self.lips[smiling], box=box, rows=smiling)
            inner = both(below(arc(0.046)), above(arc(0.122)), ellipse((0.0, 0.26), (half * 0.86, 0.2)))
            self.canvas.paint(inner, _color(252, 250, 246), box=box, rows=smiling)

    def _hair_in_front(self) -> None:
        def hairline(u: Tensor) -> Tensor:
            return -0.4 + 1.15 * (u - self.part).square() - 0.9 * (u - self.part).abs().pow(3)

        crown = both(ellipse((0.0, -0.1), (self.width + 0.06, 0.5)), above(hairline))
        box = (-0.5, -0.64, 0.5, 0.06)
        self.canvas.paint(crown, self.hair, box=box)
        sheen = both(
            ring(ellipse((0.0, 0.0), (self.width - 0.06, 0.5)), 0.05), above(lambda u: -0.36 + 0 * u), crown
        )
        bright = torch.lerp(self.hair, torch.ones(3), 0.3)
        self.canvas.paint(sheen, bright, box=box, opacity=0.55, softness=0.06)

    def _earrings(self) -> None:
        rows = self.rows["earrings"]
        for side in (-1, 1):
            if not len(rows):
                return
            center = side * (self.width[rows] + 0.03)
            box = (min(side * 0.34, side * 0.54), 0.08, max(side * 0.34, side * 0.54), 0.3)
            gold = ring(ellipse((center, 0.185), (0.05, 0.062)), 0.034)
            self.canvas.paint(gold, _color(240, 186, 44), box=box, rows=rows)
            shine = ellipse((center - 0.025, 0.15), (0.014, 0.014))
            self.canvas.paint(shine, _color(255, 246, 200), box=box, rows=rows)

    def _hat(self) -> None:
        rows = self.rows["hat"]
        if not len(rows):
            return
        box = (-0.58, -0.9, 0.58, -0.2)
        color = self.hat[rows]
        self.canvas.paint(
            ellipse((0.0, -0.78), (0.09, 0.085)), self._shade(color, 1.25), box=box, rows=rows
        )
        dome = both(
            ellipse((0.0, -0.34), (self.width[rows] + 0.075, 0.4), power=2.2), above(lambda u: -0.3 + 0 * u)
        )
        self.canvas.paint(dome, color, box=box, rows=rows)
        glow = both(ellipse((-0.12, -0.52), (0.2, 0.12)), dome)
        self.canvas.paint(glow, self._shade(color, 1.3), box=box, rows=rows, opacity=0.6, softness=0.16)
        band = ellipse((0.0, -0.34), (self.width[rows] + 0.1, 0.082), power=5)
        self.canvas.paint(band, self._shade(color, 0.7), box=box, rows=rows)

    def _glasses(self) -> None:
        rows = self.rows["glasses"]
        if not len(rows):
            return
        frame = _color(28, 28, 34)
        for side in (-1, 1):
            center = side * 0.18
            lens = ellipse((center, -0.03), (0.145, 0.115), power=2.8)
            box = (center - 0.18, -0.17, center + 0.18, 0.11)
            self.canvas.paint(lens, _color(226, 240, 250), box=box, rows=rows, opacity=0.22)
            self.canvas.paint(ring(lens, 0.034), frame, box=box, rows=rows)
            ends = sorted((side * 0.32, side * 0.44))
            temple = stroke(lambda u: -0.06 + 0 * u, ends[0], ends[1], 0.03)
            self.canvas.paint(temple, frame, box=(ends[0], -0.1, ends[1], -0.02), rows=rows)
        bridge = stroke(lambda u: -0.055 + 3 * u * u, -0.045, 0.045, 0.03)
        self.canvas.paint(bridge, frame, box=(-0.06, -0.1, 0.06, 0.0), rows=rows)

    def _lit(self) -> Tensor:
        """Return the images under a light that falls from one side and is stronger or weaker."""
        slope = self.light_angle.cos() * self.canvas.u + self.light_angle.sin() * self.canvas.v
        return (self.canvas.images * (self.brightness * (1 + self.light * slope))[:, None]).clamp(0, 1)
