"""A number in a sentence: its format, its unit, its provenance, and what happens when it is not there."""

import pytest

from blindspots.book.sphinx.numbers import provenance_line, written

ENTRY = {"value": 0.51234, "unit": "", "n": 100, "seeds": [3], "spread": [0.49, 0.53], "note": "", "format": ".3f"}


def test_a_number_is_written_as_its_record_says():
    assert written(ENTRY, "") == "0.512"
    assert written({**ENTRY, "unit": "ms"}, "") == "0.512 ms"


def test_an_own_format_takes_the_place_of_the_records():
    assert written(ENTRY, ".1f") == "0.5"
    assert written({**ENTRY, "unit": "ms"}, ".1f") == "0.5 ms"


def test_a_percent_format_drops_the_unit():
    assert written({**ENTRY, "unit": "share"}, ".1%") == "51.2%"


def test_the_spread_is_written_on_demand():
    assert written(ENTRY, "spread") == "0.512 (0.490 to 0.530; n = 100)"


def test_a_format_that_cannot_print_the_value_is_an_error():
    with pytest.raises(ValueError, match="expected a number's format"):
        written(ENTRY, "nonsense")


def test_the_title_tells_images_seed_and_profile():
    assert provenance_line(ENTRY, "quick").endswith("n = 100); seed 3; profile quick")


def test_the_page_shows_numbers_with_their_provenance(book):
    book.record()
    names = ("ssim|spread", "time", "share", "holds", "success|.0%")
    book.page("page", "# Page\n\n" + ", ".join(f"{{record}}`attacks/step#{name}`" for name in names) + "\n")
    assert book.build() == ""
    html = book.html("page")
    for text in ("0.512 (0.490 to 0.530; 2 seeds; n = 100; planted data)", "12.3 ms", "95.0%", "yes", "97%"):
        assert f">{text}</span>" in html
    assert 'title="12.3 ms (n = 100); seed 0; profile quick"' in html


def test_a_prefix_reads_a_recorded_run(book, record):
    book.record()
    record["profile"], record["values"]["success"]["value"] = "real", 0.125
    book.record(record, folder="results/real")
    book.page("page", "# Page\n\n{record}`real:attacks/step#success` and {record}`attacks/step#success`\n")
    assert book.build() == ""
    assert "0.125" in book.html("page") and "0.970" in book.html("page")
    assert "profile real" in book.html("page")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("attacks/step#renamed", "has no values 'renamed'; it has: holds, share, ssim, success, time"),
        ("attacks/gone#success", "no record at attacks/gone.json"),
        ("real:attacks/step#success", "no record at attacks/step.json"),
        ("attacks/step#success|q", "expected a number's format"),
        ("success", "expected part/notebook#key"),
    ],
)
def test_a_number_that_is_not_there_warns_with_file_and_line(book, text, message):
    book.record()
    book.page("page", f"# Page\n\nFirst line.\n\nIt is {{record}}`{text}`.\n")
    warnings = book.build()
    assert "page.md:5: WARNING: record: " in warnings
    assert message in warnings


def test_a_damaged_record_warns(book):
    path = book.record()
    path.write_text("{")
    book.page("page", "# Page\n\n{record}`attacks/step#success`\n")
    assert "expected a JSON record" in book.build()
