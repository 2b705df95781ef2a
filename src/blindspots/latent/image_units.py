"""Lengths of image changes in units of [-1, 1], as P2 has them, and of [0, 1], as this package has them."""

from __future__ import annotations

from blindspots import checks


def unit_range_length(length: float | int) -> float:
    """Return a length given for images in [-1, 1] as one for images in [0, 1]: half of it.

    It serves scaled L2 and Linf norms, steps and the standard deviation of noise, all of which are linear in the range.
    P2's image-space noise of 0.8 is 0.4 here, its bounds of 0.6 and 0.05 (scaled L2) 0.3 and 0.025, those of 1.2 and
    0.1 (Linf) 0.6 and 0.05.

    Raises:
        TypeError, ValueError: no number >= 0.
    """
    checks.check_number(length, "length", at_least=0.0)
    return length / 2.0


def symmetric_range_length(length: float | int) -> float:
    """Return a length for images in [0, 1] as one for images in [-1, 1]: twice of it; the inverse of the other."""
    checks.check_number(length, "length", at_least=0.0)
    return length * 2.0
