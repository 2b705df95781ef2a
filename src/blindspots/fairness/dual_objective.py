"""P0's dual: the worst case over nearby distributions as a minimum over one multiplier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blindspots import checks
from blindspots.fairness.robust_surrogate import RobustSurrogate


@dataclass(frozen=True)
class DualMinimum:
    """The smallest dual value over lambda.

    Attributes:
        value: lambda bound + mean phi_lambda, the worst-case loss within the bound.
        weight: lambda where it is taken.
        distance: mean distance of the worst-case images there; equals the bound at an interior minimum.
        surrogate: phi there.
        iterations: halvings of the interval.
        converged: whether distance meets the bound to the tolerance, or `low` is the minimum since even there the
            images move less than the bound.
    """

    value: float
    weight: float
    distance: float
    surrogate: RobustSurrogate
    iterations: int
    converged: bool


def dual_objective(surrogate: RobustSurrogate, bound: float | int) -> float:
    r"""Return lambda bound + mean_i phi_lambda(theta; x_i, y_i), the inside of P0's Eq. 3.2.

    For every lambda it is an upper bound of the mean loss under any distribution within `bound` of the data, in the
    units of the distance, if phi is exact.

    Args:
        surrogate: phi at lambda = its weight.
        bound: delta, >= 0, in the units of the distance.

    Source: P0, Eq. 3.2; Blanchet and Murthy (2019), Theorem 1.
    """
    checks.check_number(bound, "bound", at_least=0.0)
    return surrogate.weight * bound + surrogate.values.double().mean().item()


def dual_minimum(
    surrogate_at: Callable[[float], RobustSurrogate],
    bound: float | int,
    *,
    low: float | int,
    high: float | int,
    tolerance: float | int = 1e-4,
    max_iterations: int = 60,
) -> DualMinimum:
    r"""Minimize the dual over lambda by bisection of its slope.

        d/d lambda (lambda delta + mean phi_lambda) = delta - mean c_0(x*_lambda, x_0),
    which rises with lambda. If `surrogate_at` trains theta for each lambda first, this solves all of Eq. 3.2, since the
    slope of a minimum over theta is that at the minimizer.

    Args:
        surrogate_at: lambda -> RobustSurrogate, exact enough that its distances fall as lambda grows.
        bound: delta, > 0, in the units of the distance.
        low: smallest lambda that is tried, > 0; phi has to be finite there.
        high: largest; there the worst-case images have to be nearer than the bound.
        tolerance: relative difference of mean distance and bound that is accepted, > 0.
        max_iterations: most halvings, at least 1.

    Returns:
        DualMinimum; `converged` is False where the halvings ran out.

    Raises:
        TypeError, ValueError: an option out of range, or a `high` at which images still move farther than the bound.

    Source: P0, Eq. 3.2.
    Differs from the paper: it fixes lambda = 1 and names no delta.
    """
    checks.check_number(bound, "bound", above=0.0)
    checks.check_number(low, "low", above=0.0)
    checks.check_number(high, "high", above=float(low))
    checks.check_number(tolerance, "tolerance", above=0.0)
    checks.check_number(max_iterations, "max_iterations", at_least=1, integer=True)

    def ask(weight: float) -> tuple[RobustSurrogate, float]:
        found = surrogate_at(weight)
        return found, found.distances.double().mean().item()

    def made(surrogate: RobustSurrogate, distance: float, iterations: int, converged: bool) -> DualMinimum:
        value = dual_objective(surrogate, bound)
        return DualMinimum(value, surrogate.weight, distance, surrogate, iterations, converged)

    found, distance = ask(float(low))
    if distance <= bound:
        return made(found, distance, 0, True)
    found, distance = ask(float(high))
    if distance > bound * (1 + tolerance):
        raise ValueError(
            f"high: expected a multiplier at which images move less than the bound {bound:g}, got {high:g} where they "
            f"move {distance:g} in the mean; raise it"
        )
    left, right = float(low), float(high)
    for iteration in range(1, max_iterations + 1):
        middle = (left * right) ** 0.5
        found, distance = ask(middle)
        if abs(distance - bound) <= tolerance * bound:
            return made(found, distance, iteration, True)
        left, right = (middle, right) if distance > bound else (left, middle)
    return made(found, distance, max_iterations, False)
