import base64
from html.parser import HTMLParser

import pytest

from blindspots.reports.display import (
    FIGURE_MEDIA_TYPE,
    ShownFigure,
    ShownTable,
    check_texts,
    default_formats,
    full_caption,
    table_html,
)

ALT = "Two bars: the SSIM step flips 0.90 of the digits, the L2 step 0.50 of them."


class Tags(HTMLParser):
    """Collects (tag, attributes) and checks that every element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def shown(**changes):
    fields = {
        "notebook": "attacks/one", "key": "bars", "file": "one/bars.svg", "dark": "one/bars-dark.svg",
        "caption": "Share of digits flipped.", "alt": ALT, "n": 200, "seed": 0, "light_svg": b"<svg/>",
        "dark_svg": b"<svg class='dark'/>",
    }  # fmt: skip
    return ShownFigure(**{**fields, **changes})


def table(**changes):
    fields = {
        "columns": ("attack", "success", "flipped"), "rows": (("SSIM", 0.9, 180), ("L2 <b>", None, 100)),
        "caption": "Success of two steps.", "units": ("", "share", ""), "formats": ("", ".2f", "d"),
    }  # fmt: skip
    return ShownTable(**{**fields, **changes})


def test_a_figure_is_one_image_with_alt_text_and_a_caption():
    tags = Tags(shown()._repr_html_())
    (image,) = tags.all("img")
    assert image["alt"] == ALT
    assert base64.b64decode(image["src"].removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"
    assert "background:#ffffff" in image["style"] and "border-radius" in image["style"]
    assert [tag for tag, _ in tags.found] == ["figure", "img", "figcaption"]


def test_texts_cannot_break_out_of_the_html():
    html = shown(alt=f'"><script>alert(1)</script> {ALT}', caption="a < b & c")._repr_html_()
    assert "<script>" not in html
    assert "a &lt; b &amp; c (n = 200, seed 0)</figcaption>" in html
    assert Tags(html).all("img")[0]["alt"].startswith('"><script>')


def test_the_sites_media_type_carries_what_the_renderer_needs():
    bundle = shown()._repr_mimebundle_()
    assert bundle[FIGURE_MEDIA_TYPE] == {
        "notebook": "attacks/one", "key": "bars", "file": "one/bars.svg", "dark": "one/bars-dark.svg",
        "caption": "Share of digits flipped.", "alt": ALT, "n": 200, "seed": 0,
    }  # fmt: skip
    assert set(bundle) == {FIGURE_MEDIA_TYPE, "text/html", "text/plain"}


@pytest.mark.parametrize(
    ("caption", "alt", "message"),
    [
        ("", ALT, "caption: expected text"),
        ("Bars.", "  ", "alt: expected text"),
        ("Bars.", None, "alt: expected text"),
        ("Bars.", "Two bars.", "alt: expected at least 40 characters, got 9"),
        (ALT, f" {ALT.upper()} ", "alt: expected another text than the caption"),
    ],
)
def test_caption_and_alt_text_are_required_and_differ(caption, alt, message):
    with pytest.raises(ValueError, match=message):
        check_texts(caption, alt)
    check_texts("Bars.", ALT)


def test_a_caption_ends_with_n_and_seed_where_they_are_known():
    assert full_caption("Bars.", n=1200, seed=3) == "Bars (n = 1,200, seed 3)."
    assert full_caption("Which one?", seed=0) == "Which one? (seed 0)"
    assert full_caption("Bars.") == "Bars."


def test_a_table_has_a_caption_and_headings_with_scope():
    tags = Tags(table()._repr_html_())
    assert len(tags.all("table")) == len(tags.all("caption")) == 1
    assert [heading["scope"] for heading in tags.all("th")] == ["col"] * 3 + ["row"] * 2
    assert len(tags.all("td")) == 4


def test_numbers_are_flush_right_and_nothing_has_a_fixed_width():
    html = table()._repr_html_()
    tags = Tags(html)
    assert all("text-align:right" in cell["style"] for cell in tags.all("td"))
    assert "text-align:left" in tags.all("th")[0]["style"]
    assert "width" not in html


def test_a_wide_table_scrolls_in_its_own_group_by_keyboard_too():
    region = Tags(table()._repr_html_()).all("div")[0]
    assert region["role"] == "group" and region["tabindex"] == "0"
    assert region["aria-label"] == "Success of two steps."
    assert "overflow-x:auto" in region["style"]


def test_cells_are_formatted_and_escaped():
    html = table()._repr_html_()
    assert ">0.90</td>" in html and ">180</td>" in html and ">–</td>" in html
    assert "L2 &lt;b&gt;" in html and "success (share)" in html


def test_a_recorded_table_without_formats_is_shown_too():
    entry = table().entry()
    del entry["formats"]
    assert ">0.9</td>" in table_html(entry)


def test_the_plain_text_of_a_table_reads_like_it():
    assert repr(table()).splitlines()[:3] == [
        "Success of two steps.", "attack | success (share) | flipped", "SSIM | 0.90 | 180",
    ]  # fmt: skip


def test_default_formats_follow_the_columns():
    assert default_formats([("a", 1, 0.5, True), ("b", None, 2, False)], 4) == ("", "d", ".3g", "")
