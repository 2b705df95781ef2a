"""Pictures that notebooks share: grids of images and signed changes, and maps of where a step's energy lies.

Images that are compared share one scale. An image is put into the SVG with one sample per pixel (a larger one is
averaged down to `max_side`), and the reader's browser enlarges it without smoothing.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from blindspots.reports.style import DIVERGING, INK, PAGE_WIDTH, SEQUENTIAL, new_figure, theme

_TITLE, _NOTE, _SCALE = 0.24, 0.22, 0.6  # inches
_LETTER, _SMALLEST = 0.6, 7.0  # mean width of a letter in units of its size; points


def image_grid(
    images: Any,
    *,
    row_titles: Sequence[str] | None = None,
    column_titles: Sequence[str] | None = None,
    notes: Sequence[Sequence[str]] | None = None,
    signed_rows: Collection[int] = (),
    signed_columns: Collection[int] = (),
    limit: float | None = None,
    signed_label: str = "change, in units of the [0, 1] range",
    value_range: tuple[float, float] = (0.0, 1.0),
    max_side: int = 144,
) -> Figure:
    """Show images in rows and columns, on one scale, and signed changes on one other.

    Args:
        images: (rows, columns, C, H, W) with C = 1 or 3, or rows of cells that are (C, H, W), (H, W), or None for an
            empty cell; arrays or tensors.
        row_titles, column_titles: one per row, one per column.
        notes: a line of text below each image, by row and column; "" for none.
        signed_rows, signed_columns: indices of the rows and columns that hold changes instead of images. They are
            shown in red (raised) and blue (lowered) around white, averaged over channels.
        limit: the change that has full color; None means the largest absolute change shown.
        signed_label: what the change is, with its unit, on its color bar.
        value_range: what is shown as black and as white; values beyond are shown as these two.
        max_side: pixels; a larger image is averaged down by a whole factor.

    Raises:
        ValueError: no images, ragged rows, a wrong number of titles or notes, NaN, or an image of another shape.
    """
    cells = [[None if cell is None else _array(cell) for cell in row] for row in _rows(images)]
    n_rows, n_columns = len(cells), len(cells[0])
    _check_lengths(cells, row_titles, column_titles, notes)
    is_signed = [[r in signed_rows or c in signed_columns for c in range(n_columns)] for r in range(n_rows)]
    changes = [_gray(cells[r][c]) for r, c in np.argwhere(is_signed) if cells[r][c] is not None]
    limit = _limit(changes, limit)
    width = PAGE_WIDTH - (0.3 if row_titles else 0.0)
    shapes = [cell.shape[:2] for row in cells for cell in row if cell is not None]
    side = min(width / n_columns, 1.9)
    height = n_rows * (side * max(h / w for h, w in shapes) + (_NOTE if notes else 0.05)) + _TITLE
    height += _SCALE if changes else 0.0
    with theme():
        heads, head_size = _fitted(column_titles or (), width / n_columns)
        height += _TITLE * max((head.count("\n") for head in heads), default=0)
        figure = new_figure(height=height)
        grid = figure.subplots(n_rows, n_columns, squeeze=False)
        for (r, c), axes in np.ndenumerate(grid):
            _bare(axes)
            cell = cells[r][c]
            if cell is None:
                axes.spines[:].set_visible(False)
            elif is_signed[r][c]:
                _draw(axes, _reduced(_gray(cell), max_side), Normalize(-limit, limit), DIVERGING)
            else:
                _draw(axes, _reduced(cell, max_side), Normalize(*value_range), "gray")
            if notes is not None and notes[r][c]:
                axes.set_xlabel(notes[r][c], fontsize=9, labelpad=3)
        _title(grid, row_titles, heads, head_size)
        if changes:
            _color_bar(figure, grid, Normalize(-limit, limit), DIVERGING, signed_label)
    return figure


def energy_map(
    steps: Any,
    *,
    titles: Sequence[str],
    notes: Sequence[str] | None = None,
    outlines: Any = None,
    columns: int | None = None,
    decades: float = 4.0,
    max_side: int = 144,
) -> Figure:
    """Show where the energy of steps lies: each pixel's share of the squared step, on one logarithmic scale.

    Args:
        steps: (N, C, H, W) or (N, H, W), any range; squares are summed over channels and divided by their total.
        titles: one per step.
        notes: a line of text below each map, for example "border 97%".
        outlines: (N, H, W) or (H, W), truth values; a region whose edge is drawn, such as the strokes.
        columns: how many maps stand side by side; None means up to five.
        decades: how far below the largest share the scale reaches; smaller shares get its last color.

    Raises:
        ValueError: a step of zeros, NaN, or a wrong number of titles, notes or outlines.
    """
    arrays = [_array(step) for step in steps]
    if not arrays or len(titles) != len(arrays) or (notes is not None and len(notes) != len(arrays)):
        raise ValueError(f"titles, notes: expected one for each of {len(arrays)} steps, at least one step")
    shares = [_shares(array, index) for index, array in enumerate(arrays)]
    regions = None if outlines is None else np.broadcast_to(_numpy(outlines), (len(shares), *shares[0].shape))
    n_columns = columns or min(len(shares), 5)
    n_rows = math.ceil(len(shares) / n_columns)
    largest = max(share.max() for share in shares)
    norm = LogNorm(largest * 10.0**-decades, largest, clip=True)
    side = min(PAGE_WIDTH / n_columns, 2.6)
    height = n_rows * (side * shares[0].shape[0] / shares[0].shape[1] + _TITLE + (_NOTE if notes else 0.05))
    height += _SCALE
    with theme():
        figure = new_figure(height=height)
        grid = figure.subplots(n_rows, n_columns, squeeze=False)
        for index, axes in enumerate(grid.flat):
            _bare(axes)
            if index >= len(shares):
                axes.set_axis_off()
                continue
            _draw(axes, _reduced(shares[index], max_side), norm, SEQUENTIAL)
            axes.set_title(titles[index])
            if regions is not None:
                _outline(axes, regions[index], _factor(shares[index], max_side))
            if notes is not None:
                axes.set_xlabel(notes[index], fontsize=9, labelpad=3)
        _color_bar(figure, grid, norm, SEQUENTIAL, "share of the squared step, per pixel")
    return figure


def _numpy(values: Any) -> np.ndarray:
    values = values.detach().cpu() if hasattr(values, "detach") else values
    return np.asarray(values)


def _rows(images: Any) -> list[list[Any]]:
    rows = [list(row) for row in images]
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("images: expected rows of equally many cells, at least one; use None for an empty cell")
    return rows


def _array(cell: Any) -> np.ndarray:
    """Return a cell as float (H, W) or (H, W, 3)."""
    array = _numpy(cell).astype(np.float64)
    if array.ndim == 3 and array.shape[0] in (1, 3):
        array = array[0] if array.shape[0] == 1 else np.moveaxis(array, 0, -1)
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[-1] == 3)) or 0 in array.shape:
        raise ValueError(f"images: expected (1, H, W), (3, H, W) or (H, W), got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("images: expected finite values, got NaN or infinity")
    return array


def _check_lengths(cells: list, row_titles: Any, column_titles: Any, notes: Any) -> None:
    if all(cell is None for row in cells for cell in row):
        raise ValueError("images: expected at least one image, got empty cells only")
    for name, given, wanted in (
        ("row_titles", row_titles, len(cells)),
        ("column_titles", column_titles, len(cells[0])),
        ("notes", notes, len(cells)),
    ):
        if given is not None and len(given) != wanted:
            raise ValueError(f"{name}: expected {wanted}, got {len(given)}")
    if notes is not None and any(len(row) != len(cells[0]) for row in notes):
        raise ValueError(f"notes: expected {len(cells[0])} in each row, one per image")


def _gray(array: np.ndarray) -> np.ndarray:
    return array if array.ndim == 2 else array.mean(axis=-1)


def _limit(changes: list[np.ndarray], limit: float | None) -> float:
    if limit is not None:
        if not (math.isfinite(limit) and limit > 0):
            raise ValueError(f"limit: expected a finite number > 0, got {limit!r}")
        return limit
    return max((float(np.abs(change).max()) for change in changes), default=1.0) or 1.0


def _shares(array: np.ndarray, index: int) -> np.ndarray:
    squares = array**2 if array.ndim == 2 else (array**2).sum(axis=-1)
    if squares.sum() == 0:
        raise ValueError(f"steps: expected a step that changes something, got zeros at {index}")
    return squares / squares.sum()


def _factor(array: np.ndarray, max_side: int) -> int:
    return max(1, math.ceil(max(array.shape[:2]) / max_side))


def _reduced(array: np.ndarray, max_side: int) -> np.ndarray:
    """Return the image averaged over squares of pixels; incomplete squares at the right and below are left out."""
    factor = _factor(array, max_side)
    if factor == 1:
        return array
    height, width = (side // factor for side in array.shape[:2])
    cut = array[: height * factor, : width * factor]
    return cut.reshape(height, factor, width, factor, *array.shape[2:]).mean(axis=(1, 3))


def _draw(axes: Axes, array: np.ndarray, norm: Normalize, colors: str) -> None:
    if array.ndim == 3:
        axes.imshow(np.clip((array - norm.vmin) / (norm.vmax - norm.vmin), 0.0, 1.0))
    else:
        axes.imshow(array, cmap=colors, norm=norm)


def _outline(axes: Axes, region: np.ndarray, factor: int) -> None:
    rows, columns = ((np.arange(side) + 0.5) / factor - 0.5 for side in region.shape)  # centers of pixels
    if region.any() and not region.all():
        axes.contour(columns, rows, region.astype(float), levels=[0.5], colors="white", linewidths=0.9)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)


def _fitted(titles: Sequence[str], side: float) -> tuple[list[str], float]:
    """Return titles over cells of `side` inches, in lines and of a size (points) at which they do not meet."""
    full = rcParams["axes.titlesize"]
    letters = 72 * side / _LETTER
    broken = [textwrap.fill(title, max(int(letters / full), 1), break_long_words=False) for title in titles]
    longest = max((len(line) for title in broken for line in title.splitlines()), default=1)
    return broken, max(min(full, letters / longest), _SMALLEST)


def _title(grid: np.ndarray, row_titles: Sequence[str] | None, heads: Sequence[str], size: float) -> None:
    for axes, title in zip(grid[:, 0], row_titles or (), strict=False):
        axes.set_ylabel(title, color=INK)
    for axes, title in zip(grid[0], heads, strict=False):
        axes.set_title(title, fontsize=size)


def _color_bar(figure: Figure, grid: np.ndarray, norm: Normalize, colors: str, label: str) -> None:
    bar = figure.colorbar(
        ScalarMappable(norm, colors), ax=grid.ravel().tolist(), location="bottom", shrink=0.7, aspect=40, pad=0.03
    )
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)
