"""The elbow of a curve that falls fast and then slowly: where more of the same stops paying."""

from __future__ import annotations

from collections.abc import Sequence

from blindspots import checks


def elbow(curve: Sequence[float]) -> int:
    """Return the 0-based place of a falling curve that is farthest below the chord between its ends.

    The curve is scaled to run from 1 to 0 over a unit interval, so that the answer does not depend on units; the
    distance to the chord is then proportional to 1 - x - y.

    Args:
        curve: values that do not rise, such as the within-cluster sum of squares for 1, 2, ... clusters; not empty.

    Returns:
        The place of the elbow, the first of several equally good ones. 0 where there is none: a curve of one or
        two points, a flat one, a straight or bulging one.

    Raises:
        ValueError: an empty curve, or values that are not finite.

    Source: P1 asks for "the elbow method" without naming a rule; the greatest distance from the chord is our
    choice.
    """
    if len(curve) == 0:
        raise ValueError("curve: expected at least one value, got none")
    for value in curve:
        checks.check_number(value, "curve")
    drop, last = curve[0] - curve[-1], len(curve) - 1
    if last < 2 or drop <= 0:
        return 0
    below = [1.0 - place / last - (value - curve[-1]) / drop for place, value in enumerate(curve)]
    # Rounding must not make an elbow of a straight line.
    best = max(below)
    return below.index(best) if best > 1e-9 else 0
