"""Figures: two images, one caption, an alternative text, a number; from a directive and from a notebook's output."""

import os

import nbformat
import pytest

from blindspots.reports.display import FIGURE_MEDIA_TYPE

DIRECTIVE = "# Page\n\nSee {numref}`the-curve`.\n\n```{record-figure} attacks/step#curve\n:name: the-curve\n```\n"


def figure_cell(record, **changes):
    entry = {"notebook": record["notebook"], "key": "curve", **record["figures"]["curve"], **changes}
    data = {FIGURE_MEDIA_TYPE: entry, "text/html": "<figure><img alt='not chosen'></figure>", "text/plain": "figure"}
    return nbformat.v4.new_code_cell("show()", outputs=[nbformat.v4.new_output("display_data", data=data)])


def test_the_directive_shows_a_numbered_figure_for_light_and_dark(book, record):
    book.record()
    book.page("page", DIRECTIVE)
    assert book.build() == ""
    html = book.html("page")
    alt = record["figures"]["curve"]["alt"]
    for shown in ("only-light", "only-dark"):
        assert f'<img alt="{alt}" class="{shown}"' in html
    assert html.count('<span class="caption-number">Fig. 1 </span>') == 1
    assert "Success rises (n = 100, seed 0)." in html
    assert 'href="#the-curve"><span class="std std-numref">Fig. 1</span>' in html
    assert (book.root / "html" / "_images" / "curve-dark.svg").is_file()


def test_a_figure_is_drawn_again_when_its_file_changes(book):
    path = book.record()
    book.page("page", DIRECTIVE)
    book.build()
    (path.parent / "step" / "curve.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' id='new'/>")
    os.utime(path.parent / "step" / "curve.svg", (2e9, 2e9))
    assert book.build() == ""
    assert "new" in (book.root / "html" / "_images" / "curve.svg").read_text()


def test_a_notebooks_figure_is_numbered_and_can_be_referred_to(book, record):
    book.record()
    book.notebook([nbformat.v4.new_markdown_cell("# A claim"), figure_cell(record)])
    book.page("page", "# Page\n\n{numref}`fig-step-curve`\n")
    assert book.build() == ""
    html = book.html("notebooks/attacks/step")
    assert 'id="fig-step-curve"' in html and '<span class="caption-number">Fig. 1 </span>' in html
    assert "not chosen" not in html
    assert "notebooks/attacks/step.html#fig-step-curve" in book.html("page")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("attacks/step#gone", "has no figures 'gone'; it has: curve"),
        ("attacks/gone#curve", "no record at attacks/gone.json"),
    ],
)
def test_a_figure_that_is_not_there_warns_with_file_and_line(book, reference, message):
    book.record()
    book.page("page", f"# Page\n\n```{{record-figure}} {reference}\n```\n")
    warnings = book.build()
    assert "page.md:3: WARNING: record-figure: " in warnings and message in warnings


def test_a_figure_whose_file_is_missing_warns(book):
    path = book.record()
    (path.parent / "step" / "curve-dark.svg").unlink()
    book.page("page", DIRECTIVE.replace("See {numref}`the-curve`.", ""))
    assert "figure file curve-dark.svg is missing" in book.build()


def test_a_notebooks_figure_that_its_record_lacks_warns(book, record):
    cell = figure_cell(record)
    record["figures"] = {}
    book.record(record)
    book.notebook([nbformat.v4.new_markdown_cell("# A claim"), cell])
    assert "has no figures 'curve'" in book.build()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("![](dot.svg)", "image dot.svg has no alternative text"),
        ("```{image} dot.svg\n```", "image dot.svg has no alternative text"),
        ("```{figure} dot.svg\nA caption.\n```", "image dot.svg has no alternative text"),
        ('```{raw} html\n<img src="dot.svg" alt=" ">\n```', "an <img> has no alternative text"),
        ('```{raw} html\n<img src="dot.svg">\n```', "an <img> has no alternative text"),
    ],
)
def test_an_image_without_alternative_text_warns(book, text, message):
    (book.source / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    book.page("page", f"# Page\n\n{text}\n")
    assert message in book.build()


def test_an_image_with_alternative_text_does_not(book):
    (book.source / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    book.page("page", '# Page\n\n![A dot.](dot.svg)\n\n```{raw} html\n<img src="dot.svg" alt="A dot.">\n```\n')
    assert book.build() == ""


def test_a_plain_picture_in_a_notebook_warns_too(book):
    book.record()
    pixel = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    output = nbformat.v4.new_output("display_data", data={"image/png": pixel})
    book.notebook([nbformat.v4.new_markdown_cell("# A claim"), nbformat.v4.new_code_cell("x", outputs=[output])])
    assert "has no alternative text" in book.build()
