"""Records as a run would have written them, made without running anything."""

import json

import pytest

COMMIT = "0" * 40
ENTRY = {"unit": "", "n": 100, "seeds": [0], "spread": None, "by_seed": None, "note": "", "format": ".3f"}


@pytest.fixture
def make_record():
    """Return a function that makes a sound record with the given values (plain, or whole entries)."""

    def make(notebook="attacks/one", profile="quick", commit=COMMIT, clean=True, **values):
        entries = {}
        for key, value in values.items():
            entry = value if isinstance(value, dict) else {"value": value}
            entries[key] = {**ENTRY, **entry}
        return {
            "schema": 1,
            "notebook": notebook,
            "profile": profile,
            "provenance": {
                "parameters": {"epsilon": 10.0},
                "seed": 0,
                "data": [],
                "git": {"commit": commit, "clean": clean},
                "versions": {"python": "3.11.7"},
                "device": "cpu",
                "device_name": "a processor",
                "threads": 1,
                "started": "2026-01-01T00:00:00Z",
                "duration_s": 1.5,
            },
            "values": entries,
            "figures": {},
            "tables": {},
        }

    return make


@pytest.fixture
def write_record():
    """Return a function that puts a record, and empty-looking figures, where a run would have left them."""

    def write(record, results):
        path = results / record["profile"] / f"{record['notebook']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
        for figure in record["figures"].values():
            for variant in ("file", "dark"):
                (path.parent / figure[variant]).parent.mkdir(exist_ok=True)
                (path.parent / figure[variant]).write_text(f"<svg>{record['notebook']} {variant}</svg>")
        return path

    return write


@pytest.fixture
def with_figure():
    """Return a function that adds a figure's entry to a record."""

    def add(record, key="steps"):
        name = record["notebook"].split("/")[1]
        record["figures"][key] = {
            "file": f"{name}/{key}.svg",
            "dark": f"{name}/{key}-dark.svg",
            "caption": "Two steps.",
            "alt": "Two steps of length 10, the first on the border, the second on the strokes.",
            "n": 2,
            "seed": 0,
        }
        return record

    return add
