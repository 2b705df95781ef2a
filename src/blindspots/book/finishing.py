"""The finishing step between an executed notebook and a page: no paths of the machine, no progress bars, tidy tags."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

CARRIAGE_RETURN = re.compile(r"\r|\x1b\[A")


def finish_page(notebook: Any, *, root: Path) -> Any:
    """Clean an executed notebook in place and return it.

    Papermill's metadata hold absolute paths and times; both go. The cell of injected parameters is folded under
    "Parameters of this run". Progress bars are dropped from the outputs, other messages stay, and paths below the
    repository or the home folder are shortened.
    """
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.metadata["tags"] = ["injected-parameters", "hide-input"]
            cell.metadata["mystnb"] = {"code_prompt_show": "Parameters of this run", "code_prompt_hide": "Hide"}
        if cell.cell_type == "code":
            cell.outputs = [_shorten(output, root) for output in cell.outputs if not _is_progress(output)]
    return notebook


def _is_progress(output: Any) -> bool:
    return output.output_type == "stream" and output.name == "stderr" and bool(CARRIAGE_RETURN.search(output.text))


def _shorten(output: Any, root: Path) -> Any:
    for key in ("text", "traceback", "evalue"):
        if key in output:
            output[key] = _without_paths(output[key], root)
    for kind in output.get("data", {}):
        if kind.startswith("text/"):
            output["data"][kind] = _without_paths(output["data"][kind], root)
    return output


def _without_paths(content: Any, root: Path) -> Any:
    if isinstance(content, list):
        return [_without_paths(item, root) for item in content]
    return content.replace(f"{root}/", "").replace(f"{Path.home()}/", "~/")
