"""Run one notebook: jupytext -> papermill -> finished page, in place only when it succeeded.

A page carries the key of its execution: its code, parameters, profile, thread count, claims and package sources. Where
only prose changed, the outputs of the page that is there are kept and the notebook is not executed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blindspots.book.finishing import finish_page
from blindspots.book.parameters import check_parameters, read_parameters
from blindspots.book.repository import Layout
from blindspots.provenance import source_fingerprint, versions

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class NotebookFailed(RuntimeError):
    """A cell raised: the message names the cell and the error, `.partial` is the notebook as far as it got."""

    def __init__(self, message: str, partial: Path):
        super().__init__(message)
        self.partial = partial


@dataclass(frozen=True)
class Execution:
    """What a run left: the page, the record (None where the notebook wrote none), seconds, and whether it ran."""

    page: Path
    record: Path | None
    seconds: float
    executed: bool


def run_notebook(
    layout: Layout,
    name: str,
    *,
    parameters: Mapping[str, Any],
    profile: str,
    output: Path,
    results: Path,
    threads: int = 1,
    reuse: bool = False,
    report: Callable[[str], None] | None = None,
) -> Execution:
    """Execute a notebook and put its page and record into place.

    Args:
        layout: the checkout.
        name: <part>/<name> of a notebook below notebooks/.
        parameters: values for its parameters cell; checked before anything runs.
        profile: the name its record carries; "local" for a run of one's own.
        output: where the finished page goes; replaced only by a run that succeeded.
        results: folder of records; the record goes to <results>/<profile>/<part>/<name>.json.
        threads: CPU threads of torch and BLAS in the kernel.
        reuse: keep the outputs of the page at `output` where its execution key is the same.
        report: called with a line of progress per cell.

    Raises:
        ValueError: a parameter that does not exist or has another type.
        NotebookFailed: a cell raised; the partial notebook is kept below _build/failed/.
    """
    source = layout.source(name)
    declared = read_parameters(source)
    check_parameters(declared, parameters, name)
    notebook = read_notebook(source)
    key = execution_key(layout, name, notebook, declared | dict(parameters), profile, threads)
    record = results / profile / f"{name}.json"
    started = time.monotonic()
    if reuse and record.is_file() and _refresh_prose(notebook, output, key, layout):
        return Execution(output, record, time.monotonic() - started, executed=False)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.stem}-") as scratch:
        page = Path(scratch) / "page.ipynb"
        environment = {
            **dict.fromkeys(THREAD_VARIABLES, str(threads)),
            "BLINDSPOTS_RESULTS": str(Path(scratch) / "results"),
            "BLINDSPOTS_PROFILE": profile,
            "BLINDSPOTS_ROOT": str(layout.root),
            "BLINDSPOTS_CACHE": os.environ.get("BLINDSPOTS_CACHE", str(layout.build / "cache")),
        }
        with _environment(environment):
            _execute(layout, name, notebook, page, dict(parameters), report)
        executed = finish_page(_read_ipynb(page), root=layout.root)
        executed.metadata["blindspots"] = {"notebook": name, "profile": profile, "execution_key": key}
        written = _publish_results(Path(scratch) / "results" / profile, results / profile, name)
        _write_ipynb(executed, output)
    return Execution(output, record if written else None, time.monotonic() - started, executed=True)


def read_notebook(source: Path) -> Any:
    """Return a py:percent source as a notebook with the python3 kernel, which Papermill asks for."""
    import jupytext

    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata.pop("jupytext", None)
    return notebook


def execution_key(
    layout: Layout, name: str, notebook: Any, parameters: Mapping[str, Any], profile: str, threads: int
) -> str:
    """Return the SHA-256 of all that decides the outputs of a notebook; prose does not."""
    code = [[cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells if cell.cell_type == "code"]
    claims = {path.name: path.read_text(encoding="utf-8") for path in sorted((layout.book / "claims").glob("*.yml"))}
    parts = {
        "name": name,
        "code": code,
        "parameters": dict(parameters),
        "profile": profile,
        "threads": threads,
        "claims": claims,
        "sources": source_fingerprint(layout.source(name)),
        "versions": versions(("torch", "numpy", "scikit-learn", "scikit-image")),
        "data_root": os.environ.get("BLINDSPOTS_DATA", ""),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _refresh_prose(notebook: Any, output: Path, key: str, layout: Layout) -> bool:
    """Put the prose of `notebook` around the outputs of the page at `output` if its key is the same."""
    if not output.is_file():
        return False
    page = _read_ipynb(output)
    if page.metadata.get("blindspots", {}).get("execution_key") != key:
        return False
    old_code = [cell for cell in page.cells if cell.cell_type == "code"]
    injected = [cell for cell in old_code if "injected-parameters" in cell.metadata.get("tags", [])]
    outputs = iter([cell for cell in old_code if cell not in injected])
    cells = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            cells.append(cell)
            continue
        cells.append(next(outputs))
        if "parameters" in cell.metadata.get("tags", []):
            cells.extend(injected)
    page.cells = cells
    _write_ipynb(page, output)
    return True


def _execute(
    layout: Layout,
    name: str,
    notebook: Any,
    page: Path,
    parameters: dict[str, Any],
    report: Callable[[str], None] | None,
) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from blindspots.book.papermill_engine import ENGINE, register_engine

    register_engine(report)
    try:
        papermill.execute_notebook(
            notebook,
            str(page),
            parameters=parameters,
            engine_name=ENGINE,
            kernel_name="python3",
            cwd=str(layout.root),
            progress_bar=False,
            request_save_on_cell_execute=False,
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],  # it warns of its transport at every start
        )
    except PapermillExecutionError as error:
        failed = layout.build / "failed" / f"{name}.ipynb"
        failed.parent.mkdir(parents=True, exist_ok=True)
        os.replace(page, failed)
        raise NotebookFailed(
            f"{name}: cell {error.cell_index} raised {error.ename}: {error.evalue}\n"
            f"  as far as it got: {failed.relative_to(layout.root)}; the page that was there is unchanged",
            failed,
        ) from error


def _publish_results(made: Path, into: Path, name: str) -> bool:
    """Move a run's figures, then its record, to their places; return whether there was a record."""
    record = made / f"{name}.json"
    if not record.is_file():
        return False
    target = into / name
    target.parent.mkdir(parents=True, exist_ok=True)
    figures = made / name
    if figures.is_dir():
        target.mkdir(exist_ok=True)
        fresh = {path.name for path in figures.iterdir()}
        for path in figures.iterdir():
            os.replace(path, target / path.name)
        for path in target.iterdir():
            if path.name not in fresh:
                path.unlink()
    elif target.is_dir():
        shutil.rmtree(target)
    os.replace(record, into / f"{name}.json")
    return True


def _read_ipynb(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)


def _write_ipynb(notebook: Any, path: Path) -> None:
    import nbformat

    temporary = path.with_name(f".{path.name}.tmp")
    try:
        nbformat.write(notebook, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
