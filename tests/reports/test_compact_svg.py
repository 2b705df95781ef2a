"""A compact SVG draws the same picture: every pixel of its images, every coordinate to a hundredth of a point."""

import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from blindspots.reports.compact_svg import compact_svg


def drawn(*pictures, text=True):
    figure, axes = plt.subplots(1, max(1, len(pictures)), squeeze=False)
    for axis, picture in zip(axes[0], pictures, strict=False):
        axis.imshow(picture, interpolation="none")
    if not pictures:
        draws = np.random.default_rng(0)
        axes[0, 0].plot(draws.normal(size=60), draws.normal(size=60), marker="o")
        axes[0, 0].set_xlabel("income per person ($)" if text else "")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return buffer.getvalue()


def images(svg):
    found = re.findall(rb'data:image/png;base64,([^"]*)', svg)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(part))).convert("RGBA")) for part in found]


def numbers(svg):
    """Return the numbers of each element's geometry, in order."""
    found = []
    for element in ElementTree.fromstring(svg).iter():
        for name in ("d", "x", "y", "width", "height", "transform"):
            if name in element.attrib:
                found.append([float(part) for part in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", element.attrib[name])])
    return found


@pytest.mark.parametrize("colors", ["many", "few", "gray", "transparent"])
def test_no_pixel_of_a_picture_changes(colors):
    draws = np.random.default_rng(1)
    picture = draws.random((12, 12, 4))
    picture[..., 3] = draws.random((12, 12)) if colors == "transparent" else 1.0
    if colors == "few":
        picture[..., :3] = picture[..., :3].round()
    if colors == "gray":
        picture[..., 1:3] = picture[..., :1]
    svg = drawn(picture)
    small = compact_svg(svg)
    (before,), (after,) = images(svg), images(small)
    assert np.array_equal(before, after) and np.ptp(after[..., :3]) > 50
    assert len(small) < len(svg)


def test_coordinates_move_by_less_than_a_screen_shows():
    svg = drawn()
    before, after = numbers(svg), numbers(compact_svg(svg))
    assert [len(part) for part in before] == [len(part) for part in after]
    moved = [
        abs(a - b) for first, second in zip(before, after, strict=True) for a, b in zip(first, second, strict=True)
    ]
    assert 0 < max(moved) <= 0.005


def test_a_compact_figure_stays_as_it_is():
    small = compact_svg(drawn(np.random.default_rng(0).random((8, 8, 3))))
    assert compact_svg(small) == small


def test_small_scales_keep_their_digits():
    svg = b'<svg><g transform="scale(0.0156250 -0.0156250) translate(3.14159 -0.00001)"/></svg>'
    assert compact_svg(svg) == b'<svg><g transform="scale(0.015625 -0.015625) translate(3.14 -0.00001)"/></svg>'


def test_space_within_text_stays():
    svg = b"<svg>\n  <text>\n  <tspan>a</tspan> <tspan>b</tspan></text></svg>"
    assert compact_svg(svg) == svg
