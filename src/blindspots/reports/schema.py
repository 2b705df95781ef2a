"""What a record file must hold, and how it is read back.

A record is one JSON file per notebook run, `<results>/<profile>/<part>/<name>.json`, with its figures in the folder
`<name>/` beside it. Whatever reads records goes through here, so a damaged or foreign file is named before it is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blindspots.reports.values import is_number

SCHEMA = 1
KEY = re.compile(r"[a-z0-9][a-z0-9_.-]*")
NOTEBOOK = re.compile(r"[a-z0-9_]+/[a-z0-9_]+")
PROFILE = re.compile(r"[a-z0-9_]+")

RecordData = dict[str, Any]

_PROVENANCE = {
    "parameters": dict,
    "data": list,
    "versions": dict,
    "device": str,
    "device_name": str,
    "threads": int,
    "started": str,
    "duration_s": (int, float),
}
_VALUE = {"unit": str, "note": str, "format": str, "seeds": list}
_FIGURE = {"file": str, "dark": str, "caption": str, "alt": str}
_TABLE = {"columns": list, "units": list, "rows": list, "caption": str}
_DATA = {"name": str, "split": str, "n": int, "sha256": str, "origin": str, "licence": str}


def read_record(path: str | Path) -> RecordData:
    """Return the record in a file, after checking every field of it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON, not a record of this schema, or not the record that its place says; the message
            names the file and the key.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such record; run its notebook first (blindspots run)")
    try:
        record = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: expected a JSON record, got {error.msg}; run it again") from error
    except ValueError as error:
        raise ValueError(f"{path}: expected a JSON record, {error}; run its notebook again") from error
    check_record(record, source=str(path))
    place = f"{path.parent.name}/{path.stem}"
    _expect(record["notebook"] == place, str(path), "notebook", f"{place!r} (its place)", record["notebook"])
    return record


def read_records(folder: str | Path) -> dict[str, RecordData]:
    """Return the records below `<results>/<profile>` by notebook, none where there is no such folder."""
    records = (read_record(path) for path in sorted(Path(folder).glob("*/*.json")))
    return {record["notebook"]: record for record in records}


def check_record(record: object, *, source: str = "record") -> None:
    """Raise a ValueError that names the source and the key unless this is a record of the present schema."""
    _expect(isinstance(record, dict), source, "(whole file)", "an object", record)
    _expect(record.get("schema") == SCHEMA, source, "schema", str(SCHEMA), record.get("schema"))
    for key, pattern in (("notebook", NOTEBOOK), ("profile", PROFILE)):
        text = record.get(key)
        _expect(isinstance(text, str) and pattern.fullmatch(text), source, key, f"text like {pattern.pattern}", text)
    _check_provenance(record.get("provenance"), source)
    for kind, check in (("values", _check_value), ("figures", _check_figure), ("tables", _check_table)):
        entries = record.get(kind)
        _expect(isinstance(entries, dict), source, kind, "an object", entries)
        for key, entry in entries.items():
            _expect(KEY.fullmatch(key), source, f"{kind}.{key}", f"a key like {KEY.pattern}", key)
            _expect(isinstance(entry, dict), source, f"{kind}.{key}", "an object", entry)
            check(entry, key, f"{kind}.{key}", record, source)


def _check_provenance(provenance: object, source: str) -> None:
    _expect(isinstance(provenance, dict), source, "provenance", "an object", provenance)
    _check_fields(provenance, _PROVENANCE, "provenance", source)
    seed = provenance.get("seed")
    _expect(seed is None or _is_integer(seed), source, "provenance.seed", "an integer or null", seed)
    git = provenance.get("git")
    known = isinstance(git, dict) and isinstance(git.get("commit"), str) and isinstance(git.get("clean"), bool)
    _expect(git is None or known, source, "provenance.git", '{"commit": text, "clean": true or false} or null', git)
    for index, entry in enumerate(provenance["data"]):
        _expect(isinstance(entry, dict), source, f"provenance.data.{index}", "an object", entry)
        _check_fields(entry, _DATA, f"provenance.data.{index}", source)


def _check_value(entry: dict[str, Any], _key: str, where: str, _record: RecordData, source: str) -> None:
    value = entry.get("value")
    _expect(isinstance(value, bool | int | float | str), source, f"{where}.value", "a number, truth or text", value)
    _check_fields(entry, _VALUE, where, source)
    n, seeds, spread, by_seed = (entry.get(key) for key in ("n", "seeds", "spread", "by_seed"))
    _expect(n is None or (_is_integer(n) and n > 0), source, f"{where}.n", "a count or null", n)
    _expect(all(_is_integer(seed) for seed in seeds), source, f"{where}.seeds", "integers", seeds)
    pair = isinstance(spread, list) and len(spread) == 2 and all(map(is_number, spread)) and spread[0] <= spread[1]
    _expect(spread is None or pair, source, f"{where}.spread", "[low, high] or null", spread)
    listed = isinstance(by_seed, list) and len(by_seed) == len(seeds) and all(map(is_number, by_seed))
    _expect(by_seed is None or listed, source, f"{where}.by_seed", "one number per seed, or null", by_seed)
    if is_number(value):
        try:
            format(value, entry["format"])
        except ValueError:
            _expect(False, source, f"{where}.format", "a number's format such as '.3f'", entry["format"])


def _check_figure(entry: dict[str, Any], key: str, where: str, record: RecordData, source: str) -> None:
    _check_fields(entry, _FIGURE, where, source)
    name = record["notebook"].split("/")[1]
    for variant, file in (("file", f"{name}/{key}.svg"), ("dark", f"{name}/{key}-dark.svg")):
        _expect(entry[variant] == file, source, f"{where}.{variant}", repr(file), entry[variant])
    for text in ("caption", "alt"):
        _expect(entry[text].strip(), source, f"{where}.{text}", "text", entry[text])
    for count in ("n", "seed"):
        number = entry.get(count)
        _expect(number is None or _is_integer(number), source, f"{where}.{count}", "an integer or null", number)


def _check_table(entry: dict[str, Any], _key: str, where: str, _record: RecordData, source: str) -> None:
    _check_fields(entry, _TABLE, where, source)
    columns = entry["columns"]
    _expect(columns and all(isinstance(c, str) for c in columns), source, f"{where}.columns", "column names", columns)
    _expect(len(entry["units"]) == len(columns), source, f"{where}.units", f"{len(columns)} units", entry["units"])
    for index, row in enumerate(entry["rows"]):
        fits = isinstance(row, list) and len(row) == len(columns)
        _expect(fits, source, f"{where}.rows.{index}", f"{len(columns)} cells", row)


def _check_fields(entry: Mapping[str, Any], fields: Mapping[str, Any], where: str, source: str) -> None:
    for key, kind in fields.items():
        value = entry.get(key)
        right = isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        _expect(right, source, f"{where}.{key}", " or ".join(one.__name__ for one in kinds), value)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _expect(condition: object, source: str, key: str, expected: str, got: object) -> None:
    if not condition:
        raise ValueError(f"{source}: {key}: expected {expected}, got {got!r:.120}; run its notebook again")


def _refuse_constant(text: str) -> None:
    raise ValueError(f"got the number {text}")
