"""Purifiers: what may be done to an image, without knowing the attack, before a model sees it."""

from blindspots.purify.bit_depth import bit_depth
from blindspots.purify.jpeg import jpeg
from blindspots.purify.quantize import to_eight_bit
from blindspots.purify.total_variation import TotalVariationFit, fit_total_variation, total_variation

__all__ = [
    "TotalVariationFit",
    "bit_depth",
    "fit_total_variation",
    "jpeg",
    "to_eight_bit",
    "total_variation",
]
