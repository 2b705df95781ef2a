"""Tables: one helper that every page uses, and the directive that shows a record's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from blindspots.book.sphinx.results import find
from blindspots.reports.display import default_formats, format_cell
from blindspots.reports.values import is_number

logger = logging.getLogger(__name__)
Cell = str | nodes.Node | Sequence[nodes.Node]


def build_table(
    columns: Sequence[Cell],
    rows: Sequence[Sequence[Cell]],
    *,
    classes: Sequence[str] = (),
    row_classes: Sequence[Sequence[str]] | None = None,
    caption: str | None = None,
    numeric: Sequence[bool] | None = None,
    stub: bool = True,
) -> nodes.table:
    """Make a table node.

    Args:
        columns: the head of each column.
        rows: the cells of each row, as text or as nodes.
        classes: classes of the table.
        row_classes: classes of each row.
        caption: the title, which Sphinx numbers; None for none.
        numeric: which columns are aligned to the right; None for none.
        stub: whether the first cell of a row is the row's head.
    """
    numeric = numeric or [False] * len(columns)
    table = nodes.table(classes=[*classes, "colwidths-auto"])
    if caption:
        table += nodes.title(caption, caption)
    group = nodes.tgroup(cols=len(columns))
    table += group
    group += [nodes.colspec(colwidth=1, stub=int(stub and index == 0)) for index in range(len(columns))]
    head, body = nodes.thead(), nodes.tbody()
    group += [head, body]
    head += _row(columns, numeric)
    for index, cells in enumerate(rows):
        row = _row(cells, numeric)
        row["classes"] += row_classes[index] if row_classes else []
        body += row
    return table


def _row(cells: Sequence[Cell], numeric: Sequence[bool]) -> nodes.row:
    row = nodes.row()
    for cell, right in zip(cells, numeric, strict=True):
        entry = nodes.entry(classes=["text-right"] if right else [])
        if isinstance(cell, str):
            cell = paragraph(cell)
        entry += cell if isinstance(cell, nodes.Node) else list(cell)
        row += entry
    return row


def paragraph(*parts: str | nodes.Node, classes: Sequence[str] = ()) -> nodes.paragraph:
    """Make a paragraph of text and inline nodes."""
    node = nodes.paragraph(classes=list(classes))
    node += [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    return node


def page_link(env, docname: str, text: str = "") -> nodes.Node:
    """Link to another page of the book under its title or a text of ours; plain text where there is no such page."""
    if docname not in env.found_docs:
        return nodes.inline(text or docname, text or docname)
    link = pending_xref(
        "", refdomain="std", reftype="doc", reftarget="/" + docname, refexplicit=bool(text), refwarn=True
    )
    link["refdoc"] = env.docname
    link += nodes.inline(text or docname, text or docname)
    return link


def table_of_record(entry: Mapping[str, Any]) -> nodes.table:
    """Make the table node of one entry of a record's tables."""
    columns, rows, units = entry["columns"], entry["rows"], entry["units"]
    formats = entry.get("formats") or default_formats(rows, len(columns))
    heads = [f"{name} ({unit})" if unit else name for name, unit in zip(columns, units, strict=True)]
    numeric = [all(cell is None or is_number(cell) for cell in column) for column in zip(*rows, strict=True)]
    cells = [[format_cell(*pair) for pair in zip(row, formats, strict=True)] for row in rows]
    return build_table(
        heads, cells, classes=["record-table"], caption=entry["caption"], numeric=numeric, stub=not numeric[0]
    )


class RecordTable(SphinxDirective):
    """The directive {record-table} notebook#key, with a :name: for numbered references."""

    required_arguments = 1
    option_spec: ClassVar = {"name": directives.unchanged}

    def run(self):
        """Return the table, or a warning that names file and line."""
        try:
            _, entry = find(self.env, self.arguments[0], "tables")
            table = table_of_record(entry)
        except (ValueError, KeyError, IndexError) as error:
            logger.warning("record-table: %s", error, location=self.get_location(), type="blindspots")
            return []
        self.add_name(table)
        self.set_source_info(table)
        return [table]
