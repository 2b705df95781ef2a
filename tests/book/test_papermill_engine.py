import nbformat.v4 as nb
import papermill

from blindspots.book.papermill_engine import ENGINE, register_engine


def test_each_code_cell_is_reported_before_it_runs(tmp_path):
    lines = []
    register_engine(lines.append)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nb.new_markdown_cell("# A"), nb.new_code_cell("\na = 1"), nb.new_code_cell("b = 2")]
    notebook = nb.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata["tags"] = []
    papermill.execute_notebook(notebook, tmp_path / "o.ipynb", engine_name=ENGINE, progress_bar=False)
    assert lines == ["cell 2 of 3: a = 1", "cell 3 of 3: b = 2"]
