import json
import os

import nbformat
import pytest

from blindspots.book import execution


@pytest.fixture
def run(layout):
    def call(name="part/one", parameters=None, **options):
        arguments = {
            "parameters": parameters or {},
            "profile": "smoke",
            "output": layout.page("smoke", name),
            "results": layout.results,
        }
        return execution.run_notebook(layout, name, **(arguments | options))

    return call


def text_of(page):
    return str(nbformat.read(page, as_version=4))


def test_a_run_leaves_a_page_and_a_record(run, layout):
    lines = []
    done = run(parameters={"epsilon": 5}, report=lines.append)
    assert done.executed
    assert json.loads(done.record.read_text()) == {"epsilon": 5, "threads": "1"}
    assert "radius 5" in text_of(done.page)
    assert str(layout.root) not in text_of(done.page)
    assert any(line.startswith("cell 3 of ") for line in lines)
    assert "OMP_NUM_THREADS" not in os.environ or os.environ["OMP_NUM_THREADS"] != "7"


def test_an_unknown_parameter_stops_before_anything_runs(run, layout):
    with pytest.raises(ValueError, match="epsilom: no such parameter; did you mean epsilon"):
        run(parameters={"epsilom": 5})
    assert not layout.page("smoke", "part/one").exists()


def test_a_failed_run_keeps_the_page_and_record_that_were_there(run, layout):
    done = run(parameters={"epsilon": 1.0})
    page, record = done.page.read_bytes(), done.record.read_bytes()
    with pytest.raises(execution.NotebookFailed, match=r"cell .* raised AssertionError: a negative radius") as e:
        run(parameters={"epsilon": -1.0})
    assert (done.page.read_bytes(), done.record.read_bytes()) == (page, record)
    assert e.value.partial == layout.build / "failed" / "part" / "one.ipynb"
    assert "AssertionError" in text_of(e.value.partial)
    assert not list(done.page.parent.glob(".*"))


def test_where_only_prose_changed_the_outputs_are_kept(run, layout):
    first = run()
    source = layout.source("part/one")
    source.write_text(source.read_text().replace("A sentence about", "Another sentence about"))
    again = run(reuse=True)
    assert not again.executed
    assert "Another sentence" in text_of(again.page)
    assert "radius 0.5" in text_of(first.page)


@pytest.mark.parametrize("change", ["code", "parameters", "threads", "claims", "record"])
def test_what_decides_the_outputs_makes_it_run_again(run, layout, change):
    run()
    options = {}
    if change == "code":
        source = layout.source("part/one")
        source.write_text(source.read_text().replace('print("radius"', 'print("a radius"'))
    elif change == "parameters":
        options["parameters"] = {"epsilon": 0.75}
    elif change == "threads":
        options["threads"] = 2
    elif change == "claims":
        (layout.book / "claims" / "p0.yml").write_text("claims: []")
    else:
        layout.record("smoke", "part/one").unlink()
    assert run(reuse=True, **options).executed


def test_threads_reach_the_kernel(run):
    assert json.loads(run(threads=2).record.read_text())["threads"] == "2"


def test_figures_of_an_earlier_run_do_not_stay(tmp_path):
    made, into = tmp_path / "made", tmp_path / "into"
    for folder, name in ((made / "part" / "one", "new.svg"), (into / "part" / "one", "old.svg")):
        folder.mkdir(parents=True)
        (folder / name).write_text(name)
    (made / "part" / "one.json").write_text("{}")
    assert execution._publish_results(made, into, "part/one")
    assert [path.name for path in (into / "part" / "one").iterdir()] == ["new.svg"]
