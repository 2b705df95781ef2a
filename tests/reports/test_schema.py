import copy

import pytest

from blindspots.reports.schema import check_record, read_record, read_records


def test_a_written_record_is_read_back_unchanged(tmp_path, make_record, write_record, with_figure):
    record = with_figure(make_record(success=0.5))
    assert read_record(write_record(record, tmp_path)) == record


def test_records_are_read_by_notebook(tmp_path, make_record, write_record):
    for name in ("attacks/two", "attacks/one", "latent/one"):
        write_record(make_record(name), tmp_path)
    assert list(read_records(tmp_path / "quick")) == ["attacks/one", "attacks/two", "latent/one"]
    assert read_records(tmp_path / "paper") == {}


def test_a_missing_record_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"one\.json: no such record; run its notebook first"):
        read_record(tmp_path / "one.json")


@pytest.mark.parametrize("text", ['{"schema": 1,\n "notebook": ', "\n\nnot JSON"])
def test_a_truncated_record_is_named_with_its_line(tmp_path, text):
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(ValueError, match=r"one\.json:[23]: expected a JSON record"):
        read_record(tmp_path / "one.json")


def test_a_number_that_is_not_finite_is_refused_on_reading(tmp_path, make_record, write_record):
    path = write_record(make_record(success=0.5), tmp_path)
    path.write_text(path.read_text().replace("0.5", "NaN"))
    with pytest.raises(ValueError, match=r"one\.json: expected a JSON record, got the number NaN"):
        read_record(path)


def test_a_record_in_another_records_place_is_refused(tmp_path, make_record, write_record):
    path = write_record(make_record(), tmp_path)
    path.rename(path.with_name("two.json"))
    with pytest.raises(ValueError, match=r"two\.json: notebook: expected 'attacks/two' \(its place\), got"):
        read_record(path.with_name("two.json"))


def broken(record, path, value):
    record = copy.deepcopy(record)
    *folders, last = path
    inner = record
    for key in folders:
        inner = inner[key]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return record


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("notebook",), "../one"),
        (("profile",), "Quick"),
        (("provenance",), KeyError),
        (("provenance", "threads"), KeyError),
        (("provenance", "threads"), True),
        (("provenance", "seed"), "0"),
        (("provenance", "git"), {"commit": 1}),
        (("provenance", "data"), [{"name": "digits"}]),
        (("values",), []),
        (("values", "success", "value"), None),
        (("values", "success", "value"), [1]),
        (("values", "success", "n"), 0),
        (("values", "success", "n"), 1.5),
        (("values", "success", "seeds"), ["0"]),
        (("values", "success", "spread"), [0.6, 0.4]),
        (("values", "success", "by_seed"), [0.5, 0.5]),
        (("values", "success", "format"), ".3q"),
        (("values", "success", "unit"), KeyError),
        (("values", "Success"), {"value": 1}),
        (("figures", "steps", "alt"), ""),
        (("figures", "steps", "file"), "../../steps.svg"),
        (("figures", "steps", "dark"), "one/other-dark.svg"),
        (("figures", "steps", "seed"), "0"),
        (("tables", "all", "rows"), [[1, 2, 3]]),
        (("tables", "all", "columns"), []),
        (("tables", "all", "units"), [""]),
    ],
)
def test_every_field_is_checked_and_named(make_record, with_figure, path, value):
    record = with_figure(make_record(success=0.5))
    record["tables"]["all"] = {"columns": ["a", "b"], "units": ["", ""], "rows": [[1, 2]], "caption": "All."}
    check_record(record)
    with pytest.raises(ValueError, match=rf"here\.json: {path[0]}.*: expected .*, got .*; run its notebook again"):
        check_record(broken(record, path, value), source="here.json")
