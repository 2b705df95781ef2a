"""Papermill's own engine, with a call per cell so that a run can show how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from papermill.engines import NBClientEngine, papermill_engines

ENGINE = "blindspots"


def register_engine(report: Callable[[str], None] | None) -> None:
    """Register the engine; `report` is called with "cell 3 of 20: first line of code" before each cell."""

    class ReportingEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            start_cell, count = nb_man.cell_start, len(nb_man.nb.cells)

            def cell_start(cell: Any, cell_index: int | None = None, **arguments: Any) -> Any:
                if report is not None and cell.cell_type == "code" and cell_index is not None:
                    lines = [line for line in cell.source.splitlines() if line.strip()]
                    report(f"cell {cell_index + 1} of {count}: {lines[0][:60] if lines else ''}")
                return start_cell(cell, cell_index=cell_index, **arguments)

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register(ENGINE, ReportingEngine)
