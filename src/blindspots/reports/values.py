"""One recorded number: what may be stored, and how it reads in a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Plain = bool | int | float | str

SPREADS = {"range": "range over seeds", "t95": "95% t interval over seeds"}
"""The kinds of spread, and how each is named beside a number."""


def plain_value(value: object, name: str = "value") -> Plain:
    """Return a Python bool, integer, float or text for a number of any library.

    Args:
        value: a Python or numpy scalar, or a zero-dimensional array or tensor on any device.
        name: what the value is, for the messages.

    Raises:
        ValueError: NaN, infinity, empty text, or an array that holds more than one number.
        TypeError: anything else that is not a number, a truth value or text.
    """
    if isinstance(value, str):
        if not value.strip():
            raise ValueError(f"{name}: expected text, got an empty string")
        return str(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(
                f"{name}: expected a finite number, got {value!r}; find out why, or record what was measured instead"
            )
        return float(value)
    if hasattr(value, "item") and hasattr(value, "ndim"):
        if value.ndim != 0:
            raise ValueError(
                f"{name}: expected one number, got an array of shape {tuple(value.shape)}; "
                "reduce it first, or record a table"
            )
        if not isinstance(value.item(), bool | int | float | str):
            raise TypeError(f"{name}: expected a real number, got {value.item()!r}")
        return plain_value(value.item(), name)
    raise TypeError(f"{name}: expected a number, a truth value or text, got {type(value).__name__} {value!r}")


def is_number(value: object) -> bool:
    """Return whether a stored value is an integer or a float (a truth value is not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_format(spec: str, value: Plain, name: str = "format") -> str:
    """Return a format specification that can print the value, as in `format(0.51234, ".3f")`.

    Raises:
        ValueError: the specification does not fit the value.
    """
    if not is_number(value):
        return ""
    try:
        format(value, spec)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected a number's format such as '.3f', got {spec!r} for {value!r}") from error
    return spec


def format_value(entry: Mapping[str, Any]) -> str:
    """Return a recorded value as it is printed, with its unit: "0.510", "12.3 ms", "95.0%", "yes"."""
    return _with_unit(entry["value"], entry)


def describe_value(entry: Mapping[str, Any]) -> str:
    """Return a recorded value with what a reader needs to weigh it: spread, seeds, n and note.

    For example "0.510 (0.480 to 0.530, range over seeds; 3 seeds; n = 100; planted data)".
    """
    remarks = _remarks(entry, spread=True)
    return format_value(entry) + (f" ({'; '.join(remarks)})" if remarks else "")


def describe_values(entries: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return several recorded values in a row, and the remarks that hold for all of them.

    Two values stand "against" each other, with their spreads; more are a list, whose spreads are left to the
    chapter. A remark that not all share stands with its own value. For example
    ("0.52 (0.48 to 0.53) against 0.61 (0.57 to 0.66; PGD)", "range over seeds; 3 seeds; n = 100").
    """
    if len(entries) == 1:
        return format_value(entries[0]), "; ".join(_remarks(entries[0], spread=True))
    pair = len(entries) == 2
    own = [_remarks(entry, spread=False) for entry in entries]
    shared = [remark for remark in own[0] if all(remark in others for others in own)]
    kinds = {SPREADS.get(entry.get("spread_kind") or "", "") for entry in entries if entry.get("spread")} - {""}
    named = len(kinds) == 1
    texts = []
    for entry, remarks in zip(entries, own, strict=True):
        beside = [remark for remark in remarks if remark not in shared]
        if pair and entry.get("spread"):
            beside = [_spread_text(entry, named=not named), *beside]
        texts.append(format_value(entry) + (f" ({'; '.join(beside)})" if beside else ""))
    common = [*kinds, *shared] if pair and named else shared
    return (" against " if pair else "; ").join(texts), "; ".join(common)


def _remarks(entry: Mapping[str, Any], *, spread: bool) -> list[str]:
    remarks = [_spread_text(entry, named=True)] if spread and entry.get("spread") else []
    if len(entry.get("seeds") or ()) > 1:
        remarks.append(f"{len(entry['seeds'])} seeds")
    if entry.get("n") is not None:
        remarks.append(f"n = {entry['n']:,}")
    if entry.get("note"):
        remarks.append(entry["note"])
    return remarks


def _spread_text(entry: Mapping[str, Any], *, named: bool) -> str:
    low, high = (format(float(bound), _spread_format(entry)) for bound in entry["spread"])
    kind = SPREADS.get(entry.get("spread_kind") or "", "") if named else ""
    return f"{low} to {high}" + (f", {kind}" if kind else "")


def _with_unit(value: Plain, entry: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = format(value, entry["format"]) if is_number(value) else str(value)
    unit = entry.get("unit", "")
    return f"{text}{unit}" if unit in ("", "%") else f"{text} {unit}"


def _spread_format(entry: Mapping[str, Any]) -> str:
    return "g" if entry["format"].endswith("d") else entry["format"]
