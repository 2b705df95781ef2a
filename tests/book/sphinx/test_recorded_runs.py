"""The recorded runs on a chapter's page: figures, tables and origin, of other profiles than the build's."""

import re

import nbformat
import pytest

from blindspots.reports.style import DARK_INK, INK


@pytest.fixture
def chapter(book):
    book.record()
    book.notebook([nbformat.v4.new_markdown_cell("# A claim")])
    return book


def box(html):
    return re.findall(r'<details class="recorded-run">(.*?)</details>', html, flags=re.S)


def test_a_recorded_run_is_shown_with_figures_tables_and_origin(chapter, record):
    chapter.record(record | {"profile": "real"}, folder="results/real")
    assert chapter.build() == ""
    html = chapter.html("notebooks/attacks/step")
    (shown,) = box(html)
    assert "<summary>The recorded run (real), with figures: 1, tables: 1</summary>" in shown
    assert shown.count("<img") == 2 and record["figures"]["curve"]["alt"] in shown and "Success rises" in shown
    assert "Success at a short step." in shown and "SSIM step" in shown
    assert "On digits (embedded), test, n = 100. Licence: free. Code 0123456789" in shown
    assert html.index("recorded-run") < html.index('details class="provenance"')


def test_the_dark_figure_is_drawn_from_the_light_one(chapter, record):
    path = chapter.record(record | {"profile": "real"}, folder="results/real")
    light = f'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><path fill="{INK}" d="M0 0h9v9z"/></svg>'
    (path.parent / record["figures"]["curve"]["file"]).write_text(light)
    (path.parent / record["figures"]["curve"]["dark"]).unlink()
    assert chapter.build() == ""
    files = [file.read_text() for file in (chapter.root / "html" / "_images").iterdir()]
    assert light in files and light.replace(INK, DARK_INK) in files


def test_no_box_without_a_recorded_run_nor_for_this_builds_own_profile(chapter, record):
    assert chapter.build() == ""
    assert not box(chapter.html("notebooks/attacks/step"))
    chapter.record(record | {"profile": "real"}, folder="results/real")
    chapter.record(record | {"profile": "real"}, folder="_build/results/real")
    assert chapter.build(blindspots_profile="real") == ""
    assert not box(chapter.html("notebooks/attacks/step"))


def test_a_run_recorded_later_reaches_the_page(chapter, record):
    chapter.build()
    chapter.record(record | {"profile": "real"}, folder="results/real")
    assert chapter.build() == ""
    assert "notebooks/attacks/step" in chapter.read
    assert len(box(chapter.html("notebooks/attacks/step"))) == 1


def test_a_missing_figure_warns(chapter, record):
    path = chapter.record(record | {"profile": "real"}, folder="results/real")
    (path.parent / record["figures"]["curve"]["file"]).unlink()
    assert "recorded run: figure file curve.svg is missing beside its record" in chapter.build()
