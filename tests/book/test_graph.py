import json

from blindspots.book.graph import notebook_jobs, site_inputs


def test_a_job_names_its_inputs_and_plain_values(layout):
    one, two = notebook_jobs(layout, "smoke")
    assert one.inputs == ["notebooks/part/one.py"]
    assert json.loads(one.parameters) == {"parameters": {"epsilon": 0.25}, "threads": 1}
    assert one.stamp == "_build/stamps/smoke/part/one.json"
    assert (one.rule, two.rule) == ("part__one", "part__two")


def test_a_stamp_without_its_page_is_removed(layout):
    stamp = layout.stamp("smoke", "part/one")
    stamp.parent.mkdir(parents=True)
    stamp.write_text("{}")
    notebook_jobs(layout, "smoke")
    assert not stamp.exists()


def test_a_stamp_with_page_and_record_stays(layout):
    for path in (f("smoke", "part/one") for f in (layout.stamp, layout.page, layout.record)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    notebook_jobs(layout, "smoke")
    assert layout.stamp("smoke", "part/one").exists()


def test_the_site_needs_prose_and_recorded_runs_but_not_what_is_built(layout):
    (layout.book / "notebooks").mkdir()
    (layout.book / "notebooks" / "a.ipynb").write_text("{}")
    (layout.book / "intro.md").write_text("# I")
    (layout.recorded / "real").mkdir(parents=True)
    (layout.recorded / "real" / "a.json").write_text("{}")
    inputs = site_inputs(layout)
    assert {"book/intro.md", "results/real/a.json"} <= set(inputs)
    assert "book/notebooks/a.ipynb" not in inputs
