"""One thread for everybody, and a table of medians and ratios at the end of `pytest benchmarks`.

Each test times one contestant; contestants of one `benchmark.group` do the same work, and their answers are compared
before the clock starts. The one whose extra_info says `ours` is set against each of the others. Best times stand beside
the medians, because other programs on the machine only ever make a run slower.
"""

import ast
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from blindspots.provenance import device_info, git_state, versions

RESULTS = Path(__file__).resolve().parents[1] / "_build" / "benchmarks" / "medians.json"


@pytest.fixture(autouse=True)
def one_thread():
    """Run on one thread, on both sides, and give the threads back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _module(bench):
    """Return the file's name without "test_", and the first sentence of what it says of itself."""
    path = RESULTS.parents[2] / bench.fullname.split("::")[0]
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
    return path.stem.removeprefix("test_"), " ".join(text.split("\n\n")[0].split())


def pytest_sessionstart(session):
    """Note how busy the machine is before anything runs."""
    session.config.load_before = os.getloadavg()[0]


def _rows(benchmarks):
    groups = {}
    for bench in benchmarks:
        if not bench.has_error:
            groups.setdefault(bench.group or bench.name, []).append(bench)
    for group, members in groups.items():
        ours = next((bench for bench in members if bench.extra_info.get("ours")), None)
        for bench in members:
            ratio = best_ratio = None
            if ours is not None and bench is not ours:
                ratio = bench.stats.median / ours.stats.median
                best_ratio = bench.stats.min / ours.stats.min
            yield {
                "module": _module(bench)[0],
                "about": _module(bench)[1],
                "group": group,
                "contestant": bench.extra_info.get("contestant", bench.name),
                "median_ms": 1e3 * bench.stats.median,
                "best_ms": 1e3 * bench.stats.min,
                "rounds": bench.stats.rounds,
                "ratio": ratio,
                "best_ratio": best_ratio,
                "goal": bench.extra_info.get("goal"),
                "note": bench.extra_info.get("note", ""),
            }


def pytest_terminal_summary(terminalreporter, config):
    """Print the medians and ratios and write them to _build/benchmarks/medians.json."""
    session = getattr(config, "_benchmarksession", None)
    rows = list(_rows(session.benchmarks)) if session is not None else []
    if not rows:
        return
    terminalreporter.section("medians on one thread; ratio = peer / ours")
    line = "{:38} {:44} {:>11} {:>11} {:>6} {:>9} {:>9}  {}"
    terminalreporter.write_line(
        line.format("work", "contestant", "median ms", "best ms", "rounds", "ratio", "of bests", "goal, note")
    )
    for row in rows:
        ratios = ["" if row[key] is None else f"{row[key]:.1f}x" for key in ("ratio", "best_ratio")]
        remark = "; ".join(text for text in (row["goal"], row["note"]) if text)
        times = [f"{row[key]:.2f}" for key in ("median_ms", "best_ms")]
        terminalreporter.write_line(
            line.format(row["group"], row["contestant"], *times, row["rounds"], *ratios, remark)
        )
    record = {
        "rows": rows,
        "git": git_state(RESULTS.parents[2]),
        "device_name": device_info()["device_name"],
        "threads": 1,
        "load_before": round(config.load_before, 2),
        "finished": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "versions": versions(("torch", "numpy", "scipy", "sporco", "foolbox", "scikit-learn", "lime")),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    partial = RESULTS.with_name(f"{RESULTS.name}.{os.getpid()}.part")
    partial.write_text(json.dumps(record, indent=1) + "\n")
    partial.replace(RESULTS)
    terminalreporter.write_line("written to _build/benchmarks/medians.json; keep it with: blindspots record-speed")
