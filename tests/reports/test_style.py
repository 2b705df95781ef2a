import hashlib
import os
import subprocess
import sys
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from blindspots.reports import style

# Machado, Oliveira and Fernandes (2009), severity 1: what linear RGB looks like without long or middle cones.
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)

SCRIPT = """
import hashlib
from blindspots.reports import style
with style.theme():
    figure = style.new_figure(height=2.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label="a line")
    axes.imshow([[0, 1], [1, 0]])
    axes.legend()
print(hashlib.sha256(style.svg_pair(figure)[0]).hexdigest())
"""


def drawn():
    with style.theme():
        figure = style.new_figure(height=2.0)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], label="a line")
        axes.imshow([[0, 1], [1, 0]])
        axes.legend()
    return figure


def lab(color, eye):
    channels = np.array([int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    x, y, z = TO_XYZ @ np.clip(eye @ linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    fx, fy, fz = (np.cbrt(t) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def test_contrast_agrees_with_known_pairs():
    assert style.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert style.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # a well-known near miss of 4.5
    assert style.contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("color", [*style.PALETTE, style.SOFT])
def test_every_color_stands_out_on_both_pages(color):
    # 3 is what WCAG 2.2 asks of graphics (1.4.11).
    assert style.contrast(color, style.LIGHT_PAGE) >= 3
    assert style.contrast(color, style.DARK_PAGE) >= 3


def test_text_is_legible_on_its_page():
    # 4.5 is what WCAG 2.2 asks of text (1.4.3).
    assert style.contrast(style.INK, style.LIGHT_PAGE) >= 4.5
    assert style.contrast(style.DARK_INK, style.DARK_PAGE) >= 4.5
    assert style.contrast(style.DARK_SOFT, style.DARK_PAGE) >= 3


@pytest.mark.parametrize("eye", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_any_two_colors_differ_for_readers_without_red_or_green(eye):
    # A difference of about 2.3 in CIELAB is just noticeable; 20 is plain at a glance.
    for first, second in combinations(style.PALETTE, 2):
        assert np.linalg.norm(lab(first, eye) - lab(second, eye)) > 20, (first, second)


def test_series_differ_in_more_than_color():
    looks = [style.line_look(index) for index in range(len(style.PALETTE))]
    for key in ("color", "marker", "linestyle"):
        assert len({str(look[key]) for look in looks}) == len(looks)
    seventh = style.line_look(len(style.PALETTE))  # the first one's color, but never its look
    assert seventh["color"] == looks[0]["color"]
    assert seventh["marker"] != looks[0]["marker"] and seventh["linestyle"] != looks[0]["linestyle"]


def test_no_series_is_drawn_in_an_ink_color():
    inks = {style.INK, style.SOFT, style.DARK_INK, style.DARK_SOFT}
    assert not inks & set(style.PALETTE) and len(inks) == 4


def test_the_theme_ends_with_its_block():
    before = dict(matplotlib.rcParams)
    with style.theme():
        assert matplotlib.rcParams["text.color"] == style.INK
    assert dict(matplotlib.rcParams) == before


def test_settings_made_outside_do_not_reach_the_figures():
    plain = style.svg_pair(drawn())
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "none", "axes.grid": True}):
        assert style.svg_pair(drawn()) == plain


def test_the_dark_variant_is_the_same_drawing_in_other_ink():
    light, dark = style.svg_pair(drawn())
    assert style.INK.encode() in light and style.DARK_INK.encode() not in light
    assert style.INK.encode() not in dark and style.SOFT.encode() not in dark
    assert dark.replace(style.DARK_INK.encode(), style.INK.encode()) == light


def test_the_background_is_transparent_and_text_is_outlines():
    light, _ = style.svg_pair(drawn())
    assert b"<text" not in light and b"font-family" not in light
    assert b"fill:#ffffff" not in light and b"fill:#" in light


def test_the_file_names_no_date_and_no_program():
    light, _ = style.svg_pair(drawn())
    assert b"<dc:date>" not in light and b"Matplotlib v" not in light


def test_the_same_drawing_gives_the_same_bytes_in_every_process():
    expected = hashlib.sha256(style.svg_pair(drawn())[0]).hexdigest()
    assert hashlib.sha256(style.svg_pair(drawn())[0]).hexdigest() == expected
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def test_only_a_figure_can_be_saved():
    with pytest.raises(TypeError, match=r"expected a matplotlib Figure, got Axes; pass axes.figure"):
        style.svg_pair(Figure().subplots())
