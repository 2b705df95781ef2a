"""Purifiers: what may be done to an image, without knowing the attack, before a model sees it."""

from blindspots.purify.bit_depth import bit_depth
from blindspots.purify.jpeg import jpeg
from blindspots.purify.quantize import to_eight_bit

__all__ = [
    "bit_depth",
    "jpeg",
    "to_eight_bit",
]
