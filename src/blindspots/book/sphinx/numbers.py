"""A number in a sentence, read from a record: {record}`attacks/ssim_one_step#key`.

After a bar comes a format of its own (`|.1%`) or the word `spread` (`|spread`), which adds the range over seeds, the
number of images and the note. A prefix takes the number from a recorded run: {record}`real:attacks/ssim_one_step#key`.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from blindspots.book.sphinx.results import REFERENCE, find, store_of
from blindspots.reports.values import check_format, describe_value, format_value

logger = logging.getLogger(__name__)


class record_number(nodes.inline):
    """A number with its provenance as a title."""


def written(entry: dict[str, Any], option: str) -> str:
    """Write a value as its record says, or as the option after the bar asks.

    Raises:
        ValueError: the option is not a format that can print the value.
    """
    if option == "spread":
        return describe_value(entry)
    if not option:
        return format_value(entry)
    own = {**entry, "format": check_format(option, entry["value"])}
    return format_value({**own, "unit": ""} if option.endswith("%") else own)


def provenance_line(entry: dict[str, Any], profile: str) -> str:
    """Say in one line how the number came about, for the title that a pointer shows."""
    seeds = entry["seeds"]
    seed = [f"seed {seeds[0]}"] if len(seeds) == 1 else []
    return "; ".join([describe_value(entry), *seed, f"profile {profile}"])


class RecordRole(SphinxRole):
    """The role {record}: a number that is never typed, always looked up."""

    def run(self):
        """Return the formatted number, or a warning that names file and line."""
        reference, _, option = self.text.partition("|")
        try:
            _, entry = find(self.env, reference, "values")
            text = written(entry, option.strip())
        except (ValueError, TypeError) as error:
            logger.warning("record: %s", error, location=self.get_location(), type="blindspots")
            return [nodes.problematic(self.rawtext, self.rawtext)], []
        profile = REFERENCE.match(reference.strip())["profile"] or store_of(self.env).profile
        node = record_number(self.rawtext, text, classes=["record-number"])
        node["title"] = provenance_line(entry, profile)
        return [node], []


def visit_html(self, node: record_number) -> None:
    """Open a span whose title tells n, seeds and profile."""
    self.body.append(self.starttag(node, "span", "", title=node["title"]))


def depart_html(self, node: record_number) -> None:
    """Close the span."""
    self.body.append("</span>")


def visit_plain(self, node: record_number) -> None:
    """Write only the number in other formats."""


def depart_plain(self, node: record_number) -> None:
    """Write nothing after the number."""
