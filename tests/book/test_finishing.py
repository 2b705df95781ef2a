from pathlib import Path

import nbformat.v4 as nb

from blindspots.book.finishing import finish_page


def page(tmp_path):
    injected = nb.new_code_cell("epsilon = 5", metadata={"tags": ["injected-parameters"], "papermill": {"a": 1}})
    outputs = [
        nb.new_output("stream", name="stderr", text="\r 10%|#   | 1/10"),
        nb.new_output("stream", name="stderr", text=f"warning in {tmp_path}/src/a.py"),
        nb.new_output("display_data", data={"text/plain": f"read {Path.home()}/data", "image/png": "AAAA"}),
    ]
    code = nb.new_code_cell("run()", outputs=outputs, metadata={"papermill": {}, "execution": {}})
    return nb.new_notebook(cells=[injected, code], metadata={"papermill": {"input_path": "/x"}})


def test_paths_and_times_are_gone(tmp_path):
    finished = finish_page(page(tmp_path), root=tmp_path)
    text = str(finished)
    assert str(tmp_path) not in text
    assert str(Path.home()) not in text
    assert "papermill" not in finished.metadata
    assert "papermill" not in finished.cells[1].metadata


def test_progress_bars_go_and_warnings_stay(tmp_path):
    outputs = finish_page(page(tmp_path), root=tmp_path).cells[1].outputs
    assert [output.output_type for output in outputs] == ["stream", "display_data"]
    assert outputs[0].text == "warning in src/a.py"


def test_injected_parameters_are_folded(tmp_path):
    cell = finish_page(page(tmp_path), root=tmp_path).cells[0]
    assert "hide-input" in cell.metadata["tags"]
    assert cell.metadata["mystnb"]["code_prompt_show"] == "Parameters of this run"
