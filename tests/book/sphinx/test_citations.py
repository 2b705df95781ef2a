"""The bibliography is one list whose entries have the roles that assistive technology knows."""

TEXT = """# Page

```{eval-rst}
See [One]_ and [Two]_.

.. [One] First work.
.. [Two] Second work.
```
"""


def test_entries_are_items_of_one_list(book):
    book.page("page", TEXT)
    assert book.build() == ""
    html = book.html("page")
    assert html.count('role="list"') == 1 and html.count('role="listitem"') == 2
    assert "doc-biblioentry" not in html
    assert html.count("<div") == html.count("</div>")
