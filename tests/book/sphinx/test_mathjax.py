"""Equations need no network: the bundle is copied once, beside the pages, and found by relative addresses."""

import types

from blindspots.book.sphinx.mathjax import BUNDLE, copy_bundle, packaged_bundle


def app(outdir, kind="html"):
    return types.SimpleNamespace(builder=types.SimpleNamespace(format=kind), outdir=str(outdir))


def test_the_installed_package_holds_a_bundle_that_needs_no_fonts():
    text = packaged_bundle().read_text(errors="replace")
    assert packaged_bundle().name == "tex-svg.js" and "SVG" in text


def test_the_bundle_is_copied_whole_and_only_once(tmp_path):
    copy_bundle(app(tmp_path), None)
    copied = tmp_path / "mathjax" / BUNDLE
    assert copied.read_bytes() == packaged_bundle().read_bytes()
    before = copied.stat().st_mtime_ns
    copy_bundle(app(tmp_path), None)
    assert copied.stat().st_mtime_ns == before
    assert [path.name for path in copied.parent.iterdir()] == [BUNDLE], "no half-written file is left"


def test_a_cut_off_copy_is_replaced(tmp_path):
    (tmp_path / "mathjax").mkdir()
    (tmp_path / "mathjax" / BUNDLE).write_text("cut")
    copy_bundle(app(tmp_path), None)
    assert (tmp_path / "mathjax" / BUNDLE).stat().st_size == packaged_bundle().stat().st_size


def test_nothing_is_copied_after_a_failure_or_for_other_formats(tmp_path):
    copy_bundle(app(tmp_path), RuntimeError())
    copy_bundle(app(tmp_path, "latex"), None)
    assert not (tmp_path / "mathjax").exists()


def test_pages_with_equations_load_it_by_a_relative_address(book):
    book.page("deep/page", "# Page\n\n```{math}\nx = 1\n```\n")
    assert book.build() == ""
    html = book.html("deep/page")
    assert 'src="../_static/../mathjax/tex-svg.js' in html
    assert "https://" not in html.split("</head>")[0]
