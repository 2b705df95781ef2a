"""Tables: heads, units, alignment, and links that exist."""

from docutils import nodes

from blindspots.book.sphinx.tables import build_table


def test_a_table_heads_its_rows_and_aligns_its_numbers():
    table = build_table(["name", "value"], [["a", "1"]], numeric=[False, True], row_classes=[["first"]], caption="T")
    assert [spec["stub"] for spec in table.findall(nodes.colspec)] == [1, 0]
    body = next(table.findall(nodes.tbody))
    assert body[0]["classes"] == ["first"]
    assert [entry["classes"] for entry in body[0]] == [[], ["text-right"]]
    assert next(table.findall(nodes.title)).astext() == "T"


def test_a_table_without_row_heads_has_none():
    table = build_table(["value"], [["1"]], stub=False)
    assert [spec["stub"] for spec in table.findall(nodes.colspec)] == [0]


def test_the_directive_shows_units_formats_and_a_number(book):
    book.record()
    book.page("page", "# Page\n\n{numref}`the-sweep`\n\n```{record-table} attacks/step#sweep\n:name: the-sweep\n```\n")
    assert book.build() == ""
    html = book.html("page")
    assert '<span class="caption-number">Table 1 </span>' in html
    assert '<span class="caption-text">Success at a short step.</span>' in html
    assert "epsilon ([0, 1] range)" in html and "success (%)" in html
    assert '<th class="stub"><p>SSIM step</p></th>' in html
    assert '<td class="text-right"><p>12.5</p></td>' in html
    assert '<td class="text-right"><p>–</p></td>' in html


def test_the_formats_of_a_record_are_used(book, record):
    record["tables"]["sweep"]["formats"] = ["", ".1f", ".3f"]
    book.record(record)
    book.page("page", "# Page\n\n```{record-table} attacks/step#sweep\n```\n")
    assert book.build() == ""
    assert "<p>12.500</p>" in book.html("page")


def test_a_table_that_is_not_there_warns_with_file_and_line(book):
    book.record()
    book.page("page", "# Page\n\n```{record-table} attacks/step#gone\n```\n")
    warnings = book.build()
    assert "page.md:3: WARNING: record-table: " in warnings and "it has: sweep" in warnings
