"""Keep measured speed: medians of `make bench`, benchmark by benchmark, in `results/speed.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blindspots.reports.writing import write_atomically

SCHEMA = 1
_RUN = {"git": dict, "device_name": str, "threads": int, "load_before": (int, float), "finished": str, "versions": dict}
_ROW = {
    "module": str, "about": str, "group": str, "contestant": str, "median_ms": (int, float), "rounds": int, "note": str,
}  # fmt: skip


def record_speed(measured: str | Path, target: str | Path) -> tuple[str, ...]:
    """Take the benchmarks of a run over into the recorded ones, and return their names.

    A run of some benchmarks renews those alone: each keeps the commit, the machine and the load it was measured with.

    Args:
        measured: `_build/benchmarks/medians.json`, as `pytest benchmarks` writes it.
        target: `results/speed.json`.

    Raises:
        FileNotFoundError: no benchmark has run. ValueError: either file is damaged, or the run was of uncommitted code.
    """
    measured = Path(measured)
    if not measured.is_file():
        raise FileNotFoundError(f"{measured}: no benchmark has run; run make bench first")
    run = _read(measured)
    _expect_fields(run, {**_RUN, "rows": list}, str(measured))
    if not run["git"].get("clean"):
        raise ValueError(f"{measured}: expected a run of committed code, got uncommitted changes; commit, run it again")
    about = {key: run[key] for key in _RUN}
    modules: dict[str, dict[str, Any]] = {}
    for place, row in enumerate(run["rows"]):
        _expect_fields(row, _ROW, f"{measured}: row {place}")
        kept = {key: value for key, value in row.items() if key not in ("module", "about")}
        modules.setdefault(row["module"], {**about, "about": row["about"], "rows": []})["rows"].append(kept)
    if not modules:
        raise ValueError(f"{measured}: expected rows, got none; run make bench again")
    known = read_speed(target) if Path(target).is_file() else {}
    kept = {"schema": SCHEMA, "benchmarks": dict(sorted((known | modules).items()))}
    write_atomically(target, (json.dumps(kept, indent=1) + "\n").encode())
    return tuple(sorted(modules))


def read_speed(path: str | Path) -> dict[str, dict[str, Any]]:
    """Return the recorded benchmarks by name: "about", "rows", and what they were measured with.

    Raises:
        FileNotFoundError: nothing is recorded. ValueError: the file is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no recorded benchmark; run make bench, then blindspots record-speed")
    data = _read(path)
    if data.get("schema") != SCHEMA or not isinstance(data.get("benchmarks"), dict):
        raise ValueError(f"{path}: expected benchmarks of schema {SCHEMA}, got schema {data.get('schema')!r}")
    for name, benchmark in data["benchmarks"].items():
        _expect_fields(benchmark, {**_RUN, "about": str, "rows": list}, f"{path}: {name}")
        for place, row in enumerate(benchmark["rows"]):
            wanted = {key: kind for key, kind in _ROW.items() if key not in ("module", "about")}
            _expect_fields(row, wanted, f"{path}: {name}, row {place}")
    return data["benchmarks"]


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, {error}; run make bench again") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(data).__name__}; run make bench again")
    return data


def _expect_fields(entry: Any, wanted: Mapping[str, Any], place: str) -> None:
    for key, kind in wanted.items():
        value = entry.get(key) if isinstance(entry, dict) else None
        if not isinstance(value, kind):
            raise ValueError(f"{place}: expected a field {key}, got {value!r}; run make bench again")
