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


def path_steps(text):
    """Return a path as (letter, numbers) with every letter that is understood written out."""
    steps, letter, left = [], "", {"M": 2, "L": 2, "Q": 4, "C": 6, "z": 0}
    numbers = []
    for token in re.findall(r"[A-Za-z]|-?[\d.]+(?:e-?\d+)?", text):
        if token.isalpha():
            assert not numbers
            letter = token
            if letter == "z":
                steps.append(("z", ()))
            continue
        numbers.append(float(token))
        if len(numbers) == left[letter]:
            steps.append((letter, tuple(numbers)))
            letter, numbers = "L" if letter == "M" else letter, []
    assert not numbers
    return steps


def drawing(svg):
    """Return what is drawn, in order: each mark with its look, its geometry, and where the groups around it put it."""
    found, parts = [], {}

    def walk(element, around):
        kind = element.tag.split("}")[1]
        if kind == "metadata":
            return
        given = {key.split("}")[-1]: value for key, value in element.attrib.items()}
        parts[given.get("id")] = element
        look = re.sub(r"\s", "", given.get("style", ""))
        shift = re.fullmatch(r"translate\((\S+) 0\)", given.get("transform", "")) if kind == "use" else None
        if shift:
            given |= {"x": shift.group(1)}
            del given["transform"]
        if kind in ("path", "use", "image"):
            what = path_steps(given.get("d", "")) if kind == "path" else None
            if kind == "use":
                what = path_steps(parts[given["href"][1:]].attrib.get("d", ""))
            place = {key: given[key] for key in ("x", "y", "width", "height", "transform") if key in given}
            found.append((kind, look, bool(given.get("clip-path")), tuple(around), place, what))
        inner = [*around, (look, given.get("transform", ""))] if look or given.get("transform") else around
        for child in element:
            walk(child, inner if kind == "g" else around)

    walk(ElementTree.fromstring(svg), [])
    return found


def numbers(svg):
    """Return the numbers of each mark's geometry, in order."""
    return [[float(part) for part in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", repr(mark[3:]))] for mark in drawing(svg)]


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


def words(mark):
    return re.sub(r"-?\d+\.?\d*(?:e-?\d+)?", "0", repr(mark))


def test_every_mark_stays_in_its_place_with_its_look():
    svg = drawn()
    before, after = drawing(svg), drawing(compact_svg(svg))
    assert len(before) > 100 and {mark[0] for mark in before} == {"path", "use"}
    assert [words(mark) for mark in before] == [words(mark) for mark in after]
    assert len(compact_svg(svg)) < 0.7 * len(svg)


def test_groups_without_attributes_go_and_the_others_stay_closed():
    path = b'<path id="c" d="M 0 0 L 1 1 L 2 -1 z"/>'
    svg = b'<svg><g id="a"><g/><g id="b"/><g style="fill: #111111"><g>' + path + b"</g></g></g></svg>"
    small = compact_svg(svg)
    assert small.replace(b"\n", b"") == b'<svg><g style="fill:#111111"><path d="M0 0 1 1 2-1z"/></g></svg>'
    clipped = (
        b'<svg><clipPath id="old"><path d="M 0 0"/></clipPath><use xlink:href="#old" clip-path="url(#old)"/></svg>'
    )
    assert compact_svg(clipped).count(b"g0") == 3


def test_a_compact_figure_stays_as_it_is():
    small = compact_svg(drawn(np.random.default_rng(0).random((8, 8, 3))))
    assert compact_svg(small) == small


def test_small_scales_keep_their_digits():
    svg = b'<svg><g transform="scale(0.0156250 -0.0156250) translate(3.14159 -0.00001)"/></svg>'
    assert compact_svg(svg) == b'<svg><g transform="scale(0.015625 -0.015625) translate(3.14 -0.00001)"/></svg>'


def test_space_within_text_stays():
    svg = b"<svg>\n  <text>\n  <tspan>a</tspan> <tspan>b</tspan></text></svg>"
    assert compact_svg(svg) == svg
