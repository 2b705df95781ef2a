import base64
import io
import itertools
import re

import numpy as np
import pytest
import torch
from matplotlib.colors import LogNorm
from PIL import Image

from blindspots.reports import images, style
from blindspots.reports.images import energy_map, image_grid


def draw(seed, *shape):
    return np.random.default_rng(seed).random(shape)


def pictures(figure):
    """Return the images inside a figure's SVG as arrays (H, W, 4) of bytes."""
    svg = style.svg_pair(figure)[0].decode()
    codes = re.findall(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)\"", svg)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGBA")) for code in codes]


def test_a_small_image_is_stored_pixel_by_pixel_and_enlarged_without_smoothing():
    image = (np.arange(28 * 28).reshape(1, 28, 28) % 256) / 255
    figure = image_grid([[image]])
    (stored,) = pictures(figure)
    assert stored.shape[:2] == (28, 28)
    # 8-bit levels through a gray map of 256 entries: at most one level of rounding.
    assert np.abs(stored[..., 0].astype(int) - np.round(image[0] * 255)).max() <= 1
    assert b"image-rendering:pixelated" in style.svg_pair(figure)[0]


def test_tensors_and_arrays_give_the_same_bytes():
    values = draw(0, 2, 3, 3, 8, 8).astype(np.float32)
    from_tensor = style.svg_pair(image_grid(torch.from_numpy(values)))
    assert from_tensor == style.svg_pair(image_grid(values))


def test_a_color_image_keeps_its_colors():
    image = np.zeros((3, 4, 4))
    image[0] = 1.0
    (stored,) = pictures(image_grid([[image]]))
    assert (stored == [255, 0, 0, 255]).all()


def test_images_share_one_scale_whatever_their_own_range():
    dim, bright = np.full((4, 4), 0.25), np.full((4, 4), 0.75)
    first, second = pictures(image_grid([[dim, bright]]))
    # 64 and 191 are a quarter and three quarters of 255; the map has 256 entries, hence 1.
    assert abs(int(first[0, 0, 0]) - 64) <= 1 and abs(int(second[0, 0, 0]) - 191) <= 1
    (stretched,) = pictures(image_grid([[dim]], value_range=(0.0, 0.5)))
    assert abs(int(stretched[0, 0, 0]) - 128) <= 1


def test_changes_share_one_symmetric_scale_with_a_labelled_bar():
    image, small, large = np.full((4, 4), 0.5), np.full((4, 4), 0.1), np.full((4, 4), -0.4)
    figure = image_grid([[image, small, large]], signed_columns=[1, 2], signed_label="step, grey levels")
    _, drawn_small, drawn_large = (axes.images[0] for axes in figure.axes[:3])
    assert drawn_small.norm.vmin == drawn_large.norm.vmin == -0.4
    assert drawn_small.norm.vmax == drawn_large.norm.vmax == 0.4
    assert figure.axes[3].get_xlabel() == "step, grey levels"
    limited = image_grid([[image, small]], signed_columns=[1], limit=0.2)
    assert limited.axes[1].images[0].norm.vmax == 0.2


def test_rows_can_hold_changes_too():
    figure = image_grid([[draw(0, 4, 4)], [draw(1, 4, 4)]], signed_rows=[1])
    assert figure.axes[0].images[0].norm.vmin == 0
    assert figure.axes[1].images[0].norm.vmin < 0


def test_a_change_of_zero_everywhere_can_be_drawn():
    figure = image_grid([[np.zeros((4, 4))]], signed_rows=[0])
    assert figure.axes[0].images[0].norm.vmax == 1.0


def test_a_grid_without_changes_has_no_bar():
    assert len(image_grid([[draw(0, 4, 4)]]).axes) == 1


def test_titles_and_notes_stand_where_they_belong():
    figure = image_grid(
        [[draw(0, 4, 4), None], [draw(1, 4, 4), draw(2, 4, 4)]], row_titles=["a", "b"], column_titles=["c", "d"],
        notes=[["one", ""], ["two", "three"]],
    )  # fmt: skip
    assert [axes.get_title() for axes in figure.axes] == ["c", "d", "", ""]
    assert [axes.get_ylabel() for axes in figure.axes] == ["a", "", "b", ""]
    assert [axes.get_xlabel() for axes in figure.axes] == ["one", "", "two", "three"]
    assert not figure.axes[1].images


def test_column_titles_do_not_run_into_each_other():
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "American egret", "truck"]
    figure = image_grid([[draw(0, 4, 4)] * 10], column_titles=names)
    figure.draw_without_rendering()
    boxes = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert figure.axes[8].get_title() == "American\negret"
    assert min(axes.title.get_fontsize() for axes in figure.axes) >= 7
    # two columns have room, and keep the size of the text
    roomy = image_grid([[draw(0, 4, 4)] * 2], column_titles=names[:2])
    assert [axes.title.get_fontsize() for axes in roomy.axes] == [10.5, 10.5]


def test_a_large_image_is_averaged_down():
    image = np.zeros((1, 300, 300))
    image[:, ::2] = 1.0
    (stored,) = pictures(image_grid([[image]], max_side=150))
    assert stored.shape[:2] == (150, 150)
    assert (np.abs(stored[..., 0].astype(int) - 128) <= 1).all()


def test_twelve_photographs_fit_into_a_committed_file():
    noise = draw(0, 3, 4, 3, 299, 299)  # noise compresses worst
    assert len(style.svg_pair(image_grid(noise, max_side=96))[0]) < 1_000_000


@pytest.mark.parametrize(
    ("cells", "options", "message"),
    [
        ([], {}, "expected rows of equally many cells"),
        ([[np.zeros((4, 4))], []], {}, "expected rows of equally many cells"),
        ([[None]], {}, "expected at least one image"),
        ([[np.zeros((2, 4, 4))]], {}, r"expected \(1, H, W\), \(3, H, W\) or \(H, W\), got \(2, 4, 4\)"),
        ([[np.zeros((0, 4))]], {}, r"or \(H, W\), got \(0, 4\)"),
        ([[np.full((4, 4), np.nan)]], {}, "expected finite values"),
        ([[np.zeros((4, 4))]], {"row_titles": ["a", "b"]}, "row_titles: expected 1, got 2"),
        ([[np.zeros((4, 4))]], {"column_titles": []}, "column_titles: expected 1, got 0"),
        ([[np.zeros((4, 4))]], {"notes": [["a", "b"]]}, "notes: expected 1 in each row"),
        ([[np.zeros((4, 4))]], {"limit": 0.0}, "limit: expected a finite number > 0"),
    ],
)
def test_what_is_no_grid_is_refused(cells, options, message):
    with pytest.raises(ValueError, match=message):
        image_grid(cells, **options)


def test_energy_is_each_pixels_share_of_the_squared_step():
    step = np.zeros((1, 3, 8, 8))
    step[0, 0, 0, 0], step[0, 1, 7, 7] = 3.0, -1.0
    shown = energy_map(step, titles=["a"]).axes[0].images[0].get_array()
    assert shown[0, 0] == pytest.approx(0.9) and shown[7, 7] == pytest.approx(0.1)
    assert shown.sum() == pytest.approx(1.0)


def test_energy_maps_share_one_logarithmic_scale():
    steps = np.stack([np.ones((8, 8)), np.eye(8)])
    figure = energy_map(steps, titles=["even", "diagonal"], decades=2)
    norms = [axes.images[0].norm for axes in figure.axes[:2]]
    assert all(isinstance(norm, LogNorm) for norm in norms)
    assert all(norm.vmax == pytest.approx(1 / 8) and norm.vmin == pytest.approx(1 / 800) for norm in norms)
    assert figure.axes[2].get_xlabel() == "share of the squared step, per pixel"


def test_energy_maps_break_into_rows_and_carry_notes_and_outlines():
    region = np.zeros((8, 8), dtype=bool)
    region[2:5, 2:5] = True
    figure = energy_map(draw(0, 3, 8, 8), titles=list("abc"), notes=["x", "y", "z"], outlines=region, columns=2)
    assert [axes.get_title() for axes in figure.axes[:4]] == ["a", "b", "c", ""]
    assert [axes.get_xlabel() for axes in figure.axes[:3]] == ["x", "y", "z"]
    assert all(axes.collections for axes in figure.axes[:3])
    assert not energy_map(draw(0, 1, 8, 8), titles=["a"]).axes[0].collections


def test_an_outline_follows_an_image_that_was_averaged_down():
    region = np.zeros((64, 64), dtype=bool)
    region[32:, :] = True
    figure = energy_map(draw(0, 1, 64, 64), titles=["a"], outlines=region, max_side=32)
    edge = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert np.allclose(edge, 15.5)  # between rows 15 and 16 of 32, as it lies between 31 and 32 of 64


@pytest.mark.parametrize(
    ("steps", "options", "message"),
    [
        ([], {"titles": []}, "expected one for each of 0 steps, at least one step"),
        (np.ones((2, 4, 4)), {"titles": ["a"]}, "expected one for each of 2 steps"),
        (np.ones((1, 4, 4)), {"titles": ["a"], "notes": []}, "expected one for each of 1 steps"),
        (np.zeros((1, 4, 4)), {"titles": ["a"]}, "expected a step that changes something, got zeros at 0"),
        (np.full((1, 4, 4), np.inf), {"titles": ["a"]}, "expected finite values"),
    ],
)
def test_what_has_no_energy_is_refused(steps, options, message):
    with pytest.raises(ValueError, match=message):
        energy_map(steps, **options)


def test_figures_leave_the_inputs_as_they_were():
    step = torch.ones(1, 1, 4, 4, requires_grad=True)
    before = step.detach().clone()
    image_grid(step[None], signed_rows=[0])
    energy_map(step, titles=["a"])
    assert torch.equal(step.detach(), before) and step.grad is None


def test_the_module_draws_without_windows():
    assert "pyplot" not in vars(images)
