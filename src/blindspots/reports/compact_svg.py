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
_ASIDES = re.compile(rb"<!--.*?-->|<!DOCTYPE[^>]*>|<metadata>.*?</metadata>", re.DOTALL)
_PATH = re.compile(rb'( d=")([^"]*)(")')
_TOKEN = re.compile(rb"[A-Za-z]|-?[\d.]+(?:e-?\d+)?")
_SHIFTED = re.compile(rb'(<use [^>]*?)transform="translate\((\S+) 0\)"')
_REFERENCE = re.compile(rb'(href="#|url\(#)([^")]+)')
_NAME = re.compile(rb' id="([^"]*)"')
_GROUP = re.compile(rb"<g/>\s*|<g(?: [^>]*[^/>])?>\s*|</g>\s*")
_STYLE = re.compile(rb'(style=")([^"]*)(")')
_SPACE_OF_LINKS = b' xmlns:xlink="http://www.w3.org/1999/xlink"'


def compact_svg(svg: bytes) -> bytes:
    """Return the same drawing in fewer bytes.

    Embedded pictures keep every pixel: opaque ones lose their alpha channel, gray ones their colors, and those of at
    most 256 colors get a palette. Coordinates keep hundredths of a point, which is less than a screen shows; scales
    below 1 keep six digits. Comments, metadata, groups without attributes and names that nothing refers to go, and so
    does space between elements, except around text. Other names become short, paths lose the spaces and letters that
    are understood, links and shifted glyphs take their short form (SVG 2, which the browsers of today read).

    Args:
        svg: UTF-8, as matplotlib writes it with text as paths.

    Returns:
        UTF-8. What is compact already comes back as it is.
    """
    small = _PICTURE.sub(lambda found: found.group(1) + _smaller_png(found.group(2)), svg)
    small = _GEOMETRY.sub(lambda found: found.group(1) + _shorter_numbers(found.group(2)) + found.group(3), small)
    small = _ASIDES.sub(b"", small)
    small = _PATH.sub(lambda found: found.group(1) + _shorter_path(found.group(2)) + found.group(3), small)
    small = small.replace(b"xlink:href=", b"href=").replace(_SPACE_OF_LINKS, b"")
    small = _STYLE.sub(lambda found: found.group(1) + _tight(found.group(2)) + found.group(3), small)
    small = _short_names(_SHIFTED.sub(rb'\1x="\2"', small))
    return small if b"<text" in small else _BETWEEN.sub(b">\n<", _without_bare_groups(small))


def _shorter_numbers(text: bytes) -> bytes:
    return _SPACES.sub(b" ", _NUMBER.sub(_rounded, text)).strip()


def _rounded(found: re.Match[bytes]) -> bytes:
    value = float(found.group())
    text = f"{value:.{2 if abs(value) >= 1 else 6}f}".rstrip("0").rstrip(".")
    return b"0" if text == "-0" else text.encode()


def _shorter_path(text: bytes) -> bytes:
    """Return a path without the spaces and the repeated letters that are understood."""
    parts, last = [], b""
    for token in _TOKEN.findall(text):
        if token.isalpha():
            understood = (token == last and token in b"LQC") or (last, token) == (b"M", b"L")
            last = token
            if not understood:
                parts.append(token)
        else:
            follows = parts and not parts[-1].isalpha()
            parts.append(b" " + token if follows and not token.startswith(b"-") else token)
    return b"".join(parts)


def _tight(style: bytes) -> bytes:
    return style.replace(b": ", b":").replace(b"; ", b";")


def _without_bare_groups(svg: bytes) -> bytes:
    """Return the drawing without the groups that have no attributes, which group nothing."""
    bare: list[bool] = []

    def kept(tag: re.Match[bytes]) -> bytes:
        if tag.group().startswith(b"<g/>"):
            return b""
        if not tag.group().startswith(b"</"):
            bare.append(tag.group().startswith(b"<g>"))
            return b"" if bare[-1] else tag.group()
        return b"" if bare.pop() else tag.group()

    return _GROUP.sub(kept, svg)


def _short_names(svg: bytes) -> bytes:
    """Return the drawing with names of a letter or two in place of those referred to, and without the others."""
    short: dict[bytes, bytes] = {}
    for _, name in _REFERENCE.findall(svg):
        short.setdefault(name, b"g%x" % len(short))
    svg = _NAME.sub(lambda found: b' id="%s"' % short[found.group(1)] if found.group(1) in short else b"", svg)
    return _REFERENCE.sub(lambda found: found.group(1) + short[found.group(2)], svg)


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
