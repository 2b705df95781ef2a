"""How strong must a planted bias be before prototypes and criticisms show it: a power curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from statsmodels.stats.proportion import proportion_confint

from blindspots import checks
from blindspots.criticism.attribute_skew import AttributeSkew


@dataclass(frozen=True)
class PowerPoint:
    """What one method recovered of a bias of one strength.

    Attributes:
        method: its name.
        strength: of the planted bias; 0 = none.
        n_repetitions: R, data sets drawn.
        power: share of them in which the bias was recovered; at strength 0 the rate of false alarms.
        interval: Wilson's 95 % interval of that share.
        mean_gap: mean over the repetitions of the share among prototypes less that among criticisms.
        mean_class_share: mean share in the class, which the planted bias must leave alone.
    """

    method: str
    strength: float
    n_repetitions: int
    power: float
    interval: tuple[float, float]
    mean_gap: float
    mean_class_share: float


def planted_correlation(
    share_in_class: float, share_elsewhere: float, *, class_share: float = 0.5
) -> tuple[float, float]:
    """Return the prevalence and the phi that give an attribute one share in a class and another outside it.

    P4 suspects that what counts is not how frequent an attribute is in a class but how frequent relative to the other
    classes. So the share in the class stays, and the one elsewhere is what a strength changes.

    Args:
        share_in_class: of the examples of the class that have the attribute, in (0, 1).
        share_elsewhere: of the other examples, in (0, 1).
        class_share: of all examples that are of the class, in (0, 1).

    Returns:
        The attribute's prevalence over all examples, and its correlation phi with membership of the class, as
        `planted_faces` takes them.

    Raises:
        TypeError, ValueError: a share that is not in (0, 1).

    Source: P4 Section 3.4, "more represented in this class in comparison to the other classes".
    """
    for name, value in (
        ("share_in_class", share_in_class), ("share_elsewhere", share_elsewhere), ("class_share", class_share),
    ):  # fmt: skip
        checks.check_number(value, name, above=0.0, at_most=1.0)
        if value == 1.0:
            raise ValueError(f"{name}: expected a share in (0, 1), got 1")
    prevalence = class_share * share_in_class + (1.0 - class_share) * share_elsewhere
    covariance = class_share * (share_in_class - prevalence)
    scale = math.sqrt(class_share * (1.0 - class_share) * prevalence * (1.0 - prevalence))
    return prevalence, covariance / scale


def bias_recovery(
    strengths: Sequence[float],
    run: Callable[[float, int], Mapping[str, AttributeSkew]],
    *,
    n_repetitions: int = 20,
    direction: int = 1,
    alpha: float = 0.05,
) -> tuple[PowerPoint, ...]:
    """Plant a bias of each strength again and again and count how often each method shows it.

    Args:
        strengths: of the bias, in the order wanted; 0 = none planted, where every significant gap is a false alarm. The
            meaning of other values is run's.
        run: (strength, repetition) -> by method, the skew it found. It plants the bias, trains the model and chooses
            the exemplars; the repetition, 0 to n_repetitions - 1, is its seed.
        n_repetitions: data sets per strength, at least 1.
        direction: 1 = the attribute is planted as typical of the class, -1 = as untypical.
        alpha: level of each test, in (0, 1).

    Returns:
        PowerPoint by strength, and within it by method.

    Raises:
        TypeError, ValueError: no strength, other methods in one repetition than in another, bad options.

    Source: P4 Section 3.4 shows one class, in which the bias was found and not planted. The curve is this package's.
    """
    if not len(strengths):
        raise ValueError("strengths: expected at least one, got none; begin with 0 for the false alarms")
    for strength in strengths:
        checks.check_number(strength, "strengths")
    checks.check_number(n_repetitions, "n_repetitions", at_least=1, integer=True)
    checks.check_number(direction, "direction", at_least=-1, at_most=1, integer=True)
    if direction == 0:
        raise ValueError("direction: expected 1 or -1, got 0; a strength of 0 plants nothing")
    methods: list[str] | None = None
    points = []
    for strength in strengths:
        found: dict[str, list[AttributeSkew]] = {}
        for repetition in range(n_repetitions):
            skews = run(strength, repetition)
            methods = list(skews) if methods is None else methods
            if list(skews) != methods or not methods:
                raise ValueError(f"run: expected the methods {methods} at every call, got {list(skews)}")
            for method, skew in skews.items():
                found.setdefault(method, []).append(skew)
        wanted = 0 if strength == 0 else direction
        points += [_point(method, strength, skews, wanted, alpha) for method, skews in found.items()]
    return tuple(points)


def _point(method: str, strength: float, skews: list[AttributeSkew], direction: int, alpha: float) -> PowerPoint:
    hits, n = sum(skew.recovers(direction, alpha=alpha) for skew in skews), len(skews)
    low, high = proportion_confint(hits, n, method="wilson")
    return PowerPoint(
        method=method,
        strength=float(strength),
        n_repetitions=n,
        power=hits / n,
        interval=(float(low), float(high)),
        mean_gap=sum(skew.gap for skew in skews) / n,
        mean_class_share=sum(skew.class_share for skew in skews) / n,
    )
