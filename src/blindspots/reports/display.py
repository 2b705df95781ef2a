"""What a notebook shows: a figure with its caption and alt text, a table that a screen reader can walk through.

Both are plain HTML without scripts, fixed widths or colors of their own (a figure brings a white card, because it is
shown in its light variant), so they fit Jupyter and the site, in light and dark. The site's renderer takes the figure
from its own media type instead, numbers it and chooses the variant.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from blindspots.reports.values import Plain, check_format, is_number, plain_value

FIGURE_MEDIA_TYPE = "application/vnd.blindspots.figure+json"
SHORTEST_ALT = 40
"""Characters. Shorter texts name a figure; they do not say what is in it."""


def check_texts(caption: str, alt: str) -> None:
    """Raise a ValueError unless a figure's caption and alt text are there and do different work."""
    for name, text in (("caption", caption), ("alt", alt)):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name}: expected text, got {text!r}; every figure needs a caption and an alt text")
    if len(alt.strip()) < SHORTEST_ALT:
        raise ValueError(
            f"alt: expected at least {SHORTEST_ALT} characters, got {len(alt.strip())}; "
            "say what is in the figure, with numbers, for someone who cannot see it"
        )
    if alt.strip().casefold() == caption.strip().casefold():
        raise ValueError("alt: expected another text than the caption; say what is in the figure, with numbers")


def full_caption(caption: str, *, n: int | None = None, seed: int | None = None) -> str:
    """Return a caption that ends with the number of cases and the seed, where they are known."""
    known = ([] if n is None else [f"n = {n:,}"]) + ([] if seed is None else [f"seed {seed}"])
    ending = f" ({', '.join(known)})" if known else ""
    text = caption.strip()
    stop = "." if text.endswith(".") else ""
    return f"{text.removesuffix('.')}{ending}{stop}"


@dataclass(frozen=True)
class ShownFigure:
    """A recorded figure: both SVG variants, where they will lie, and the words that belong to them."""

    notebook: str
    key: str
    file: str
    dark: str
    caption: str
    alt: str
    n: int | None
    seed: int | None
    light_svg: bytes = field(repr=False)
    dark_svg: bytes = field(repr=False)

    def entry(self) -> dict[str, Any]:
        """Return what the record keeps of it."""
        names = ("file", "dark", "caption", "alt", "n", "seed")
        return {name: getattr(self, name) for name in names}

    def _repr_html_(self) -> str:
        source = base64.b64encode(self.light_svg).decode("ascii")
        caption = full_caption(self.caption, n=self.n, seed=self.seed)
        return (
            f'<figure class="blindspots-figure"><img src="data:image/svg+xml;base64,{source}" '
            f'alt="{escape(self.alt, quote=True)}" '
            'style="max-width:100%;height:auto;background:#ffffff;border-radius:8px;padding:8px;box-sizing:border-box">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            FIGURE_MEDIA_TYPE: {"notebook": self.notebook, "key": self.key, **self.entry()},
            "text/html": self._repr_html_(),
            "text/plain": f"Figure {self.key}: {self.caption}",
        }


@dataclass(frozen=True)
class ShownTable:
    """A table of plain values, with a caption and a unit per column.

    The first column names the rows where it holds text; columns of numbers are set flush right. A cell of None is a
    dash: not measured.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Plain | None, ...], ...]
    caption: str
    units: tuple[str, ...]
    formats: tuple[str, ...]

    def entry(self) -> dict[str, Any]:
        """Return what the record keeps of it."""
        return {
            "columns": list(self.columns),
            "units": list(self.units),
            "rows": [list(row) for row in self.rows],
            "caption": self.caption,
            "formats": list(self.formats),
        }

    def cell_texts(self) -> list[list[str]]:
        """Return the cells as they are printed."""
        return [[format_cell(cell, form) for cell, form in zip(row, self.formats, strict=True)] for row in self.rows]

    def _repr_html_(self) -> str:
        return table_html(self.entry())

    def __repr__(self) -> str:
        lines = [self.caption, " | ".join(_headings(self.columns, self.units))]
        return "\n".join(lines + [" | ".join(row) for row in self.cell_texts()])


def shown_table(
    name: str, rows: Any, caption: str, units: Sequence[str] | Mapping[str, str], formats: Mapping[str, str]
) -> ShownTable:
    """Return rows (a DataFrame or mappings) as a table; see `Record.table`. `name` opens the messages."""
    if not isinstance(caption, str) or not caption.strip():
        raise ValueError(f"{name}: caption: expected text, got {caption!r}")
    listed = rows.to_dict("records") if hasattr(rows, "to_dict") else list(rows)
    if not listed or not all(isinstance(row, Mapping) and list(row) == list(listed[0]) for row in listed):
        raise ValueError(f"{name}: expected a DataFrame or mappings with the same keys, at least one; got {rows!r:.80}")
    columns = tuple(str(column) for column in listed[0])
    if not isinstance(units, Mapping):
        if isinstance(units, str) or len(units) != len(columns):
            raise ValueError(f"{name}: units: expected {len(columns)}, one per column, got {units!r}")
        units = dict(zip(columns, units, strict=True))
    for option, given in (("units", units), ("formats", formats)):
        unknown = sorted(set(given) - set(columns))
        if unknown:
            raise ValueError(f"{name}: {option}: expected columns of {', '.join(columns)}; got {', '.join(unknown)}")
    cells = tuple(
        tuple(None if v is None else plain_value(v, f"{name}, row {i}, {column}") for column, v in row.items())
        for i, row in enumerate(listed)
    )
    defaults = zip(columns, default_formats(cells, len(columns)), strict=True)
    chosen = {column: formats.get(column, default) for column, default in defaults}
    for row in cells:
        for column, cell in zip(columns, row, strict=True):
            if cell is not None:
                check_format(chosen[column], cell, f"{name}: format of {column}")
    return ShownTable(columns, cells, caption.strip(), tuple(units.get(c, "") for c in columns), tuple(chosen.values()))


def format_cell(cell: Plain | None, form: str) -> str:
    """Return a cell as it is printed."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return format(cell, form) if is_number(cell) else str(cell)


def table_html(entry: dict[str, Any]) -> str:
    """Return the HTML of a recorded table (see `ShownTable.entry`): caption, column and row headings, cells."""
    rows, columns = entry["rows"], entry["columns"]
    formats = entry.get("formats") or default_formats(rows, len(columns))
    numeric = [_is_numeric(rows, index) for index in range(len(columns))]
    named = bool(rows) and not numeric[0]
    head = "".join(
        f'<th scope="col"{_align(number)}>{escape(text)}</th>'
        for text, number in zip(_headings(columns, entry["units"]), numeric, strict=True)
    )
    body = []
    for row in rows:
        cells = []
        for index, (cell, form) in enumerate(zip(row, formats, strict=True)):
            tag, scope = ("th", ' scope="row"') if named and index == 0 else ("td", "")
            cells.append(f"<{tag}{scope}{_align(numeric[index])}>{escape(format_cell(cell, form))}</{tag}>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return scrolling(
        f'<table class="blindspots-table"><caption>{escape(entry["caption"])}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>",
        label=entry["caption"],
    )


def scrolling(table: str, *, label: str) -> str:
    """Return a table in a group that scrolls sideways by itself, by touch and by keyboard.

    A group is no landmark of the page, so several may carry the same label.
    """
    return (
        f'<div class="blindspots-scroll" role="group" tabindex="0" aria-label="{escape(label, quote=True)}" '
        f'style="overflow-x:auto">{table}</div>'
    )


def default_formats(rows: Sequence[Sequence[Plain | None]], n_columns: int) -> tuple[str, ...]:
    """Return one format per column: whole numbers as they are, others with three significant digits, text none."""
    formats = []
    for index in range(n_columns):
        cells = [row[index] for row in rows if row[index] is not None]
        whole = all(isinstance(cell, int) for cell in cells)
        formats.append("" if not _is_numeric(rows, index) else "d" if whole else ".3g")
    return tuple(formats)


def _is_numeric(rows: Sequence[Sequence[Plain | None]], index: int) -> bool:
    cells = [row[index] for row in rows if row[index] is not None]
    return bool(cells) and all(is_number(cell) for cell in cells)


def _headings(columns: Sequence[str], units: Sequence[str]) -> list[str]:
    return [f"{name} ({unit})" if unit else name for name, unit in zip(columns, units, strict=True)]


def _align(numeric: bool) -> str:
    return ' class="number" style="text-align:right"' if numeric else ' class="text" style="text-align:left"'
