"""The rules by which a measured value answers a claim: fixed before the run, said in words, applied the same way.

Every rule has the bound that counts as reproduced and may have a looser one that counts as partly reproduced. Bounds
are inclusive, up to a relative slack of 1e-9 that forgives the rounding of decimal fractions only; "greater" and
"ordering" are strict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from blindspots.reports.values import is_number

REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_ATTEMPTED = "reproduced", "partly", "not reproduced", "not attempted"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_ATTEMPTED)

_SLACK = 1e-9

# kind: (required parameters, optional parameters, fewest values, most values)
_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], int, float]] = {
    "within": (("value", "tolerance"), ("relative", "partly"), 1, 1),
    "at_least": (("value",), ("partly",), 1, 1),
    "at_most": (("value",), ("partly",), 1, 1),
    "between": (("low", "high"), ("partly",), 1, 1),
    "true": ((), (), 1, 1),
    "greater": ((), ("margin", "partly"), 2, 2),
    "ordering": ((), ("partly",), 2, math.inf),
}
KINDS = tuple(_KINDS)


@dataclass(frozen=True)
class Rule:
    """One kind of rule and its parameters, as `parse_rule` found them sound."""

    kind: str
    parameters: Mapping[str, Any]
    n_values: int

    def words(self) -> str:
        """Return the rule as a phrase, for example "at least 0.95; partly from 0.8"."""
        full, partly = _WORDS[self.kind](self.parameters, self.n_values)
        return full if self.parameters.get("partly") is None else f"{full}; partly {partly}"

    def verdict(self, values: Sequence[Any]) -> str:
        """Return "reproduced", "partly" or "not reproduced" for the values, in the claim's order.

        Raises:
            ValueError: the wrong number of values, or one of the wrong kind.
        """
        if len(values) != self.n_values:
            raise ValueError(f"rule {self.kind}: expected {self.n_values} values, got {len(values)}")
        for value in values:
            fits = isinstance(value, bool) if self.kind == "true" else is_number(value)
            if not fits:
                wanted = "a truth value" if self.kind == "true" else "numbers"
                raise ValueError(f"rule {self.kind}: expected {wanted}, got {value!r}")
        full, partly = _TESTS[self.kind](self.parameters, values)
        if full:
            return REPRODUCED
        return PARTLY if self.parameters.get("partly") is not None and partly else NOT_REPRODUCED


def parse_rule(rule: object, n_values: int) -> Rule:
    """Return the rule that a claim's mapping describes.

    Args:
        rule: {"kind": ..., parameters}; the YAML word `true` as a kind is the rule "true".
        n_values: how many records the claim names.

    Raises:
        ValueError: an unknown kind or parameter, a missing one, bounds the wrong way round, or a `partly` that is not
            looser than the rule itself.
    """
    if not isinstance(rule, Mapping) or "kind" not in rule:
        raise ValueError(f"rule: expected a mapping with a kind, got {rule!r}")
    kind = "true" if rule["kind"] is True else rule["kind"]
    if kind not in _KINDS:
        raise ValueError(f"rule: expected a kind of {', '.join(KINDS)}; got {kind!r}")
    required, optional, fewest, most = _KINDS[kind]
    parameters = {name: value for name, value in rule.items() if name != "kind"}
    missing = [name for name in required if name not in parameters]
    unknown = [str(name) for name in parameters if name not in required + optional]
    if missing or unknown:
        wanted = ", ".join(required + optional) or "none"
        problem = f"no {', '.join(missing)}" if missing else f"the unknown {', '.join(unknown)}"
        raise ValueError(f"rule {kind}: expected parameters of {wanted}; got {problem}")
    if not fewest <= n_values <= most:
        wanted = f"{fewest}" if fewest == most else f"{fewest} or more"
        raise ValueError(f"rule {kind}: expected {wanted} record{'s' * (wanted != '1')}, got {n_values}")
    _check_parameters(kind, parameters, n_values)
    return Rule(kind, parameters, n_values)


def _check_parameters(kind: str, parameters: Mapping[str, Any], n_values: int) -> None:
    for name, value in parameters.items():
        if name == "relative":
            right, wanted = isinstance(value, bool), "true or false"
        elif name == "partly" and kind == "between":
            right = isinstance(value, list) and len(value) == 2 and all(_finite(one) for one in value)
            wanted = "[low, high]"
        elif name == "partly" and kind == "ordering":
            right = isinstance(value, int) and _finite(value)
            wanted = "a number of pairs"
        else:
            right, wanted = _finite(value), "a finite number"
        if not right:
            raise ValueError(f"rule {kind}: {name}: expected {wanted}, got {value!r}")
    if kind == "within" and parameters["tolerance"] < 0:
        raise ValueError(f"rule within: tolerance: expected >= 0, got {parameters['tolerance']!r}")
    if kind == "within" and parameters.get("relative") and parameters["value"] == 0:
        raise ValueError("rule within: a relative tolerance of the value 0 is 0; give an absolute one")
    if kind == "between" and not parameters["low"] < parameters["high"]:
        raise ValueError(f"rule between: expected low < high, got {parameters['low']!r} and {parameters['high']!r}")
    if parameters.get("partly") is not None and not _is_looser(kind, parameters, n_values):
        raise ValueError(f"rule {kind}: partly: expected a looser bound than the rule, got {parameters['partly']!r}")


def _is_looser(kind: str, parameters: Mapping[str, Any], n_values: int) -> bool:
    partly = parameters["partly"]
    if kind == "within":
        return partly > parameters["tolerance"]
    if kind == "at_least":
        return partly < parameters["value"]
    if kind == "at_most":
        return partly > parameters["value"]
    if kind == "between":
        low, high = parameters["low"], parameters["high"]
        return partly[0] <= low and high <= partly[1] and partly != [low, high]
    if kind == "greater":
        return partly < parameters.get("margin", 0)
    return 0 < partly < math.comb(n_values, 2)


def _finite(value: object) -> bool:
    return is_number(value) and math.isfinite(value)


def _number(value: float) -> str:
    return f"{value:.10g}"


def _within(p: Mapping[str, Any], bound: str) -> str:
    return f"{_number(100 * p[bound])}%" if p.get("relative") else _number(p[bound])


def _reaches(value: float, bound: float) -> bool:
    return value >= bound - _SLACK * max(abs(value), abs(bound))


def _is_within(p: Mapping[str, Any], value: float, bound: str) -> bool:
    if p.get(bound) is None:
        return False
    tolerance = p[bound] * (abs(p["value"]) if p.get("relative") else 1.0)
    return abs(value - p["value"]) <= tolerance + _SLACK * max(abs(value), abs(p["value"]))


def _is_between(value: float, bounds: Sequence[float] | None) -> bool:
    return bounds is not None and _reaches(value, bounds[0]) and _reaches(-value, -bounds[1])


def _pairs_in_order(values: Sequence[float]) -> int:
    return sum(first > second for first, second in combinations(values, 2))


_Words = Callable[[Mapping[str, Any], int], tuple[str, str]]
_WORDS: dict[str, _Words] = {
    "within": lambda p, n: (
        f"within {_within(p, 'tolerance')} of {_number(p['value'])}",
        f"within {_within(p, 'partly')}" if "partly" in p else "",
    ),
    "at_least": lambda p, n: (f"at least {_number(p['value'])}", f"from {_number(p.get('partly', 0))}"),
    "at_most": lambda p, n: (f"at most {_number(p['value'])}", f"up to {_number(p.get('partly', 0))}"),
    "between": lambda p, n: (
        f"between {_number(p['low'])} and {_number(p['high'])}",
        "between {} and {}".format(*(_number(bound) for bound in p.get("partly") or (0, 0))),
    ),
    "true": lambda p, n: ("holds", ""),
    "greater": lambda p, n: (
        "the first greater than the second" + (f" by more than {_number(p['margin'])}" if p.get("margin") else ""),
        f"by more than {_number(p.get('partly', 0))}",
    ),
    "ordering": lambda p, n: (
        f"all {n} in the stated order, greatest first",
        f"with {p.get('partly')} of the {math.comb(n, 2)} pairs in order",
    ),
}

_Test = Callable[[Mapping[str, Any], Sequence[Any]], tuple[bool, bool]]
_TESTS: dict[str, _Test] = {
    "within": lambda p, v: (_is_within(p, v[0], "tolerance"), _is_within(p, v[0], "partly")),
    "at_least": lambda p, v: (_reaches(v[0], p["value"]), _reaches(v[0], p.get("partly", math.inf))),
    "at_most": lambda p, v: (_reaches(-v[0], -p["value"]), _reaches(-v[0], -p.get("partly", -math.inf))),
    "between": lambda p, v: (_is_between(v[0], (p["low"], p["high"])), _is_between(v[0], p.get("partly"))),
    "true": lambda p, v: (v[0], False),
    "greater": lambda p, v: (v[0] - v[1] > p.get("margin", 0), v[0] - v[1] > p.get("partly", math.inf)),
    "ordering": lambda p, v: (
        _pairs_in_order(v) == math.comb(len(v), 2),
        _pairs_in_order(v) >= p.get("partly", math.inf),
    ),
}
