"""An SVG of matplotlib in fewer bytes, with the same picture: recorded figures travel with the repository."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

_PICTURE = re.compile(rb'(data:image/png;base64,)([^"]*)')
_GEOMETRY = re.compile(rb'( (?:d|x|y|width|height|points|transform)=")([^"]*)(")')
_NUMBER = re.compile(rb"-?\d+\.\d{3,}")
_BETWEEN = re.compile(rb">\s+<")
_SPACES = re.compile(rb"\s+")


def compact_svg(svg: bytes) -> bytes:
    """Return the same drawing in fewer bytes.

    Embedded pictures keep every pixel: opaque ones lose their alpha channel, gray ones their colors, and those of at
    most 256 colors get a palette. Coordinates keep hundredths of a point, which is less than a screen shows; scales
    below 1 keep six digits. Space between elements goes, except around text.

    Args:
        svg: UTF-8, as matplotlib writes it with text as paths.

    Returns:
        UTF-8. What is compact already comes back as it is.
    """
    small = _PICTURE.sub(lambda found: found.group(1) + _smaller_png(found.group(2)), svg)
    small = _GEOMETRY.sub(lambda found: found.group(1) + _shorter_numbers(found.group(2)) + found.group(3), small)
    return small if b"<text" in small else _BETWEEN.sub(b">\n<", small)


def _shorter_numbers(text: bytes) -> bytes:
    return _SPACES.sub(b" ", _NUMBER.sub(_rounded, text)).strip()


def _rounded(found: re.Match[bytes]) -> bytes:
    value = float(found.group())
    text = f"{value:.{2 if abs(value) >= 1 else 6}f}".rstrip("0").rstrip(".")
    return b"0" if text == "-0" else text.encode()


def _smaller_png(encoded: bytes) -> bytes:
    """Return a PNG with the same pixels in the form that takes least, base64 like what is given."""
    given = Image.open(io.BytesIO(base64.b64decode(encoded)))
    picture = given.convert("RGBA")
    candidates = [encoded]
    if picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
        red, green, blue = picture.split()
        if red.tobytes() == green.tobytes() == blue.tobytes():
            picture = red
        elif picture.getcolors(256) is not None:
            candidates.append(_png(_with_palette(picture)))
    candidates.append(_png(picture))
    return min(candidates, key=len)


def _with_palette(picture: Image.Image) -> Image.Image:
    """Return an RGB picture of at most 256 colors with a palette of just these."""
    values = np.asarray(picture)
    colors, places = np.unique(values.reshape(-1, 3), axis=0, return_inverse=True)
    indexed = Image.fromarray(places.reshape(values.shape[:2]).astype(np.uint8), mode="P")
    indexed.putpalette(colors.flatten().tolist())
    return indexed


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue())
