"""The bibliography as a plain list: docutils gives its entries a role that ARIA has since withdrawn."""

from __future__ import annotations

from docutils import nodes


def visit_html(self, node: nodes.citation) -> None:
    """Open the list before its first entry, then the entry."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", classes=["citation"], role="listitem"))


def depart_html(self, node: nodes.citation) -> None:
    """Close the entry, and after the last one the list."""
    self.body.append("</div>\n")
    if not isinstance(node.next_node(descend=False, siblings=True), nodes.citation):
        self.body.append("</div>\n")
